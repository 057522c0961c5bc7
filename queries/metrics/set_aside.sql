-- Loads that are safe in the archive but could not be folded, so that nothing of them is counted, and why.
-- unfiltered
-- grain: load_id
select
    load_id, -- id of the load, its folder in the archive
    reason, -- why it could not be folded
    tried_at -- when it was last tried, UTC
from base.set_aside
order by load_id
