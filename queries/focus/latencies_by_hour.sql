-- How long the answers took that the reader asked for, to 1 %: how many of them took how long. A filter on users, or one
-- that cuts an hour, is answered from focus.latency_rows; so are stores small enough to be exact.
-- grain: begins_at, feature, team, environment, model_raw, measure, microseconds
select
    * exclude (local_at),
    'total' as total, -- the same for all: what a figure for everything is grouped by
    cast(local_at as date) as day, -- day on the reader's clock
    date_trunc('hour', local_at) as hour, -- hour on the reader's clock
    false as is_exact -- times are told to 1 %
from (select *, local_time(begins_at) as local_at from facts.latencies_by_hour) as told
where in_period(begins_at) and in_slices(feature, model, null, team, environment)
