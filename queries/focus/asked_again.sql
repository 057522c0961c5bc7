-- The answers the reader asked for that were cut off and asked for again: an estimate, as facts.asked_again tells. It is
-- told from all traffic, whatever the reader asked for.
-- grain: attempt_id
select
    *,
    'total' as total, -- the same for all: what a figure for everything is grouped by
    cast(local_time(started_at) as date) as day -- day on the reader's clock
from facts.asked_again
where in_period(started_at) and in_slices(feature, model, user_id, team, environment)
