-- How long answers took, day by day (UTC), told as in rollups.latencies_by_hour.
-- kept
-- grain: day_at, feature, team, environment, model_raw, measure, microseconds
select
    date_trunc('day', begins_at) as day_at,
    feature,
    team,
    environment,
    model_raw,
    measure,
    microseconds,
    cast(sum(calls) as bigint) as calls
from rollups.latencies_by_hour
group by all
