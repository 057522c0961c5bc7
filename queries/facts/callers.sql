-- Who each try was for. Tries that name nobody are left out.
-- grain: attempt_id
select
    a.attempt_id, -- the try
    a.started_at, -- its time, UTC
    a.feature, -- what the call was for
    a.team, -- who pays
    a.environment, -- where the application ran
    coalesce(m.model, a.model_raw, '(no model)') as model, -- name in the price list
    a.user_id -- who it was for
from base.attempts as a
left join base.models as m on m.model_raw = a.model_raw
where a.user_id <> '(unattributed)'
