-- Loads that are safe in the archive and could not be folded.
-- grain: load_id
select * from store.set_aside
