-- The same as focus.cache_uses_by_hour, try by try: for questions that sums do not answer.
-- grain: attempt_id
select
    *,
    cast(local_time(started_at) as date) as day -- day on the reader's clock
from facts.cache_uses
where in_period(started_at) and in_slices(feature, model, user_id, team, environment)
