-- The tries that have no price, by the model they name and the reason.
-- grain: model_raw, model, reason
select
    model_raw, -- model name as logged; null when none was
    model, -- the same without its path
    unpriced_reason as reason, -- why there is no price
    cast(sum(attempts) as bigint) as attempts, -- tries
    coalesce(sum(input_tokens), 0) as input_tokens, -- all their prompt tokens
    coalesce(sum(output_tokens), 0) as output_tokens, -- tokens of their answers
    min(first_started_at) as first_seen_at, -- first time, UTC
    max(last_started_at) as last_seen_at -- last time, UTC
from focus.attempts_by_hour
where priced_attempts = 0
group by model_raw, model, unpriced_reason
order by attempts desc, model_raw, reason
