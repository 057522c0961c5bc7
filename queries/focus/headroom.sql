-- The tries the reader asked for whose log kept what the response said was left of the rate limits.
-- grain: attempt_id
select
    * exclude (local_at),
    'total' as total, -- the same for all: what a figure for everything is grouped by
    cast(local_at as date) as day, -- day on the reader's clock
    date_trunc('hour', local_at) as hour -- hour on the reader's clock
from (select *, local_time(started_at) as local_at from facts.headroom) as told
where in_period(started_at) and in_slices(feature, model, user_id, team, environment)
