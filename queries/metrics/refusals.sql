-- The records that were not taken, and why.
-- unfiltered
-- grain: load_id, source_line
select
    r.load_id, -- the load
    l.source_name, -- name of what was loaded
    r.source_line, -- line in it
    r.reason, -- why it was not taken
    r.preview -- its shape, contents masked
from base.refusals as r
inner join base.loads as l on l.load_id = r.load_id
order by l.landed_at desc, r.load_id, r.source_line
