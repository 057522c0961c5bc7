-- The tries outside the Batch API that agree in all that filters and prices go by, added up by hour, with what the uses of
-- the prompt cache among them read and wrote, and what became of it. Tokens, not money, as in rollups.attempts_by_hour.
-- kept
-- looks around: 1 hour
-- grain: begins_at, feature, team, environment, model_raw, variant, prompt_tokens_over
select
    date_trunc('hour', started_at) as begins_at,
    feature,
    team,
    environment,
    model_raw,
    variant,
    -- The lengths of prompt at which prices of the list change.
    case when input_tokens > 200000 then 200000 when input_tokens > 100000 then 100000 else 0 end as prompt_tokens_over,
    count(*) as calls,
    cast(sum(input_tokens) as bigint) as input_tokens,
    cast(sum(uses) as bigint) as uses,
    cast(sum(use_uncached_input_tokens) as bigint) as use_uncached_input_tokens,
    cast(sum(cache_read_tokens) as bigint) as cache_read_tokens,
    cast(sum(cache_write_5m_tokens) as bigint) as cache_write_5m_tokens,
    cast(sum(cache_write_1h_tokens) as bigint) as cache_write_1h_tokens,
    cast(sum(use_output_tokens) as bigint) as use_output_tokens,
    cast(sum(use_web_search_requests) as bigint) as use_web_search_requests,
    cast(sum(unread_5m_tokens) as bigint) as unread_5m_tokens,
    cast(sum(unread_1h_tokens) as bigint) as unread_1h_tokens,
    cast(sum(rewritten_tokens) as bigint) as rewritten_tokens,
    cast(sum(reread_tokens) as bigint) as reread_tokens
from base.cache_uses
group by all
