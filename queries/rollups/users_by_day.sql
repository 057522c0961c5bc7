-- Who called, day by day (UTC).
-- kept
-- grain: day_at, feature, team, environment, model_raw, user_id
select
    date_trunc('day', started_at) as day_at,
    feature,
    team,
    environment,
    model_raw,
    user_id,
    count(*) as attempts
from base.attempts
where user_id <> '(unattributed)'
group by all
