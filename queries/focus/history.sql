-- The tries the reader asked for and those of the ten weeks before: what is unusual shows against what was usual.
-- grain: attempt_id
select
    * exclude (local_at),
    cast(local_at as date) as day, -- day on the reader's clock
    in_period(started_at) as is_in_period -- within the period asked for, not before it
from (select *, local_time(started_at) as local_at from facts.attempts) as told
where started_at >= coalesce(cast(getvariable('since') as timestamp) - interval 70 day, timestamp '0001-01-01')
    and started_at < coalesce(cast(getvariable('until') as timestamp), timestamp '9999-12-31')
    and in_slices(feature, model, user_id, team, environment)
