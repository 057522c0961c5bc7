-- The records that were not taken, and why.
-- grain: load_id, source_line
select * from store.refusals
