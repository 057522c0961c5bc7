-- The tries whose log kept what the response said was left of the rate limits.
-- grain: attempt_id
select
    a.attempt_id, -- the try
    a.started_at, -- its time, UTC
    a.feature, -- what the call was for
    coalesce(m.model, a.model_raw, '(no model)') as model, -- name in the price list
    a.user_id, -- who it was for
    a.team, -- who pays
    a.environment, -- where the application ran
    a.requests_headroom, -- part of the requests' limit that was left, 0 to 1
    a.input_tokens_headroom, -- part of the input tokens' limit that was left
    a.output_tokens_headroom -- part of the output tokens' limit that was left
from base.attempts as a
left join base.models as m on m.model_raw = a.model_raw
where a.requests_headroom is not null or a.input_tokens_headroom is not null or a.output_tokens_headroom is not null
