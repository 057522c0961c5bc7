-- Why records were not taken, by what was loaded.
-- unfiltered
-- grain: source_name, reason
select
    l.source_name, -- name of what was loaded
    r.reason, -- why they were not taken
    count(*) as records -- records
from base.refusals as r
inner join base.loads as l on l.load_id = r.load_id
group by l.source_name, r.reason
order by records desc, l.source_name, r.reason
