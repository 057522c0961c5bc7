-- Loads of which nothing was taken, and whose very lines were taken when they were read in another way: with a mapping.
-- The beginning of a load's id is a digest of the first megabyte and of every option but the mapping.
-- grain: load_id
with
taken as (
    select left(load_id, 12) as beginning, bytes, lines, min(load_id) as superseded_by
    from store.loads
    where read_records > refused_records
    group by left(load_id, 12), bytes, lines
)
select l.*, t.superseded_by
from store.loads as l
inner join taken as t on left(l.load_id, 12) = t.beginning and l.bytes = t.bytes and l.lines = t.lines
where l.refused_records > 0 and l.read_records = l.refused_records
