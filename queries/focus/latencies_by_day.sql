-- How long the answers took that the reader asked for, to 1 %: of whole days (UTC) by day, of the days that the period
-- cuts by hour.
-- grain: day_at, feature, team, environment, model_raw, measure, microseconds
with
told as (
    select * from facts.latencies_by_day
    where in_whole_days(day_at) and in_slices(feature, model, null, team, environment)
    union all by name
    select * exclude (begins_at), begins_at as day_at from facts.latencies_by_hour
    where in_period(begins_at) and in_slices(feature, model, null, team, environment) and begins_at < first_whole_day()
    union all by name
    select * exclude (begins_at), begins_at as day_at from facts.latencies_by_hour
    where in_period(begins_at) and in_slices(feature, model, null, team, environment)
        and begins_at >= greatest(first_whole_day(), last_whole_day())
)
select
    *,
    'total' as total, -- the same for all: what a figure for everything is grouped by
    false as is_exact -- times are told to 1 %
from told
