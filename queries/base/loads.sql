-- What was loaded, and the arithmetic of each load.
-- grain: load_id
select * from store.loads
where load_id not in (select load_id from base.superseded_loads)
