-- How long answers took, day by day: how many calls took how long, to 1 %. Failures and batches are left out.
-- grain: day_at, feature, team, environment, model_raw, measure, microseconds
select
    l.day_at, -- beginning of the day, UTC
    l.feature, -- what the calls were for
    l.team, -- who pays
    l.environment, -- where the application ran
    l.model_raw, -- model that answered, as logged
    coalesce(m.model, l.model_raw, '(no model)') as model, -- its name in the price list
    l.measure, -- wait (of the caller, retries included), attempt (that answered, by itself), both where they are equal, or first token
    l.microseconds, -- how long it took, within 1 %
    l.calls -- calls that took so long
from rollups.latencies_by_day as l
left join base.models as m on m.model_raw = l.model_raw
