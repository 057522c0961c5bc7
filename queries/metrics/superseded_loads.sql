-- Loads whose lines were all refused, until they were read in another way. They count nowhere any more.
-- unfiltered
-- grain: load_id
select
    load_id, -- id of the load
    source_name, -- name of what was loaded
    landed_at, -- when it was safe on disk, UTC
    refused_records, -- records that were not taken then
    superseded_by -- id of the load that took them
from base.superseded_loads
order by landed_at desc, load_id
