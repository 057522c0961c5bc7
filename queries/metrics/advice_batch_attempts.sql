-- The calls that the Batch API would make cheaper: those outside it that have a price there.
-- grain: attempt_id
select
    attempt_id, -- id of the try
    feature -- what it was for
from focus.rated_attempts
where not is_batch and mode = 'standard' and batch_cost_pico is not null
order by started_at, attempt_id
