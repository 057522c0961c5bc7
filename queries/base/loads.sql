-- What was loaded, and the arithmetic of each load.
-- grain: load_id
select * from store.loads
