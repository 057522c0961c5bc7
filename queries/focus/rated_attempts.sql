-- The billed tries that the reader asked for, with what their tokens cost, and the day and hour on the reader's clock.
-- grain: attempt_id
select
    * exclude (local_at),
    cast(local_at as date) as day, -- day on the reader's clock
    date_trunc('hour', local_at) as hour, -- hour on the reader's clock
    minute(local_at) as minute -- minute of that hour
from (select *, local_time(started_at) as local_at from facts.rated_attempts) as told
where in_period(started_at) and in_slices(feature, model, user_id, team, environment)
