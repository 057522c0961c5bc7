-- Who called, day by day. Calls that name nobody are left out.
-- grain: day_at, feature, team, environment, model_raw, user_id
select
    u.day_at, -- beginning of the day, UTC
    u.feature, -- what the calls were for
    u.team, -- who pays
    u.environment, -- where the application ran
    u.model_raw, -- model name as logged
    coalesce(m.model, u.model_raw, '(no model)') as model, -- its name in the price list
    u.user_id, -- who they were for
    u.attempts -- tries
from rollups.users_by_day as u
left join base.models as m on m.model_raw = u.model_raw
