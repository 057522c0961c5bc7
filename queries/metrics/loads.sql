-- What was loaded, newest first, with the arithmetic of each load.
-- unfiltered
-- grain: load_id
select
    load_id, -- id of the load
    source_name, -- name of what was loaded
    formats, -- log formats found in it
    bytes, -- size
    lines, -- lines
    other_lines, -- lines that hold no request by the rule of their format
    read_records, -- records read: new, known, folded and refused together
    new_attempts, -- records that became tries
    known_records, -- records that were here already
    folded_records, -- records that only repeated or completed another of the same try
    refused_records, -- records that were not taken, each with a reason
    first_started_at, -- earliest try in it, UTC
    last_started_at, -- latest try in it, UTC
    landed_at, -- when it was safe on disk, UTC
    folded_at, -- when it showed up here, UTC
    notes -- assumptions made while reading
from base.loads
order by landed_at desc, load_id
