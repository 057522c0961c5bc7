-- The attempts that agree in all that filters, prices and outcomes go by, added up by hour. Tokens, not money: a
-- price that is corrected prices all of history anew. Attempts that were billed in several iterations are few, have prices
-- of their own for each part, and stay as they are.
-- kept
-- grain: begins_at, feature, team, environment, workspace_id, platform, model_raw, variant, prompt_tokens_over, is_free, is_counted, is_cached, is_user_known, is_error, error_type, http_status
with
told as (
    select
        *,
        not is_error and stop_reason is not null as is_answered,
        -- The words for it are those of lists.stop_reasons. With no tokens as its ceiling a request only fills the cache.
        coalesce(not is_error and (stop_reason in ('model_context_window_exceeded', 'length')
            or (stop_reason = 'max_tokens' and coalesce(max_tokens, 1) > 0)), false) as is_truncated
    from base.attempts
    where iterations is null
)
select
    date_trunc('hour', started_at) as begins_at,
    feature,
    team,
    environment,
    workspace_id,
    platform,
    model_raw,
    variant,
    -- The lengths of prompt at which prices of the list change.
    case when prompt_tokens > 200000 then 200000 when prompt_tokens > 100000 then 100000 else 0 end as prompt_tokens_over,
    is_free,
    uncached_input_tokens is not null and output_tokens is not null as is_counted,
    prompt_tokens > coalesce(uncached_input_tokens, 0) as is_cached,
    user_id <> '(unattributed)' as is_user_known,
    is_error,
    error_type,
    case when is_error then http_status end as http_status,
    count(*) as attempts,
    cast(sum(retry_count) as bigint) as hidden_attempts,
    cast(sum(uncached_input_tokens) as bigint) as uncached_input_tokens,
    cast(sum(cache_read_tokens) as bigint) as cache_read_tokens,
    cast(sum(cache_write_5m_tokens) as bigint) as cache_write_5m_tokens,
    cast(sum(cache_write_1h_tokens) as bigint) as cache_write_1h_tokens,
    cast(sum(cache_write_unknown_ttl_tokens) as bigint) as cache_write_unknown_ttl_tokens,
    cast(sum(cache_write_tokens) as bigint) as cache_write_tokens,
    cast(sum(prompt_tokens) as bigint) as input_tokens,
    cast(sum(output_tokens) as bigint) as output_tokens,
    cast(sum(web_search_requests) as bigint) as web_search_requests,
    cast(sum(cost_reported_usd) as decimal(38, 12)) as cost_reported_usd,
    count(cost_reported_usd) as cost_reported_attempts,
    cast(sum(case when prompt_tokens + coalesce(output_tokens, 0) + coalesce(web_search_requests, 0) > 0 then 1 else 0 end)
        as bigint) as used_attempts,
    cast(sum(case when cache_write_unknown_ttl_tokens > 0 then 1 else 0 end) as bigint) as write_ttl_unknown_attempts,
    cast(sum(case when is_answered then 1 else 0 end) as bigint) as answered_attempts,
    cast(sum(case when is_answered and max_tokens > 0 then 1 else 0 end) as bigint) as ceiling_known_attempts,
    cast(sum(case when is_answered and max_tokens > 0 and output_tokens = max_tokens then 1 else 0 end) as bigint) as ceiling_hits,
    cast(sum(case when is_truncated then 1 else 0 end) as bigint) as truncated_attempts,
    cast(sum(case when is_truncated and prompt_tokens + coalesce(output_tokens, 0) + coalesce(web_search_requests, 0) > 0
        then 1 else 0 end) as bigint) as truncated_used_attempts,
    cast(sum(case when is_truncated then uncached_input_tokens end) as bigint) as truncated_uncached_input_tokens,
    cast(sum(case when is_truncated then cache_read_tokens end) as bigint) as truncated_cache_read_tokens,
    cast(sum(case when is_truncated then cache_write_5m_tokens end) as bigint) as truncated_cache_write_5m_tokens,
    cast(sum(case when is_truncated then cache_write_1h_tokens end) as bigint) as truncated_cache_write_1h_tokens,
    cast(sum(case when is_truncated then cache_write_unknown_ttl_tokens end) as bigint) as truncated_cache_write_unknown_ttl_tokens,
    cast(sum(case when is_truncated then output_tokens end) as bigint) as truncated_output_tokens,
    cast(sum(case when is_truncated then web_search_requests end) as bigint) as truncated_web_search_requests,
    cast(sum(case when prompt_tokens > 0 and output_tokens > 0 then 1 else 0 end) as bigint) as sized_attempts,
    sum(case when prompt_tokens > 0 and output_tokens > 0
        then cast(cast(round(1000000 * ln(prompt_tokens + output_tokens)) as bigint) * 0.000001 as decimal(18, 12)) end) as log_tokens,
    sum(case when prompt_tokens > 0 and output_tokens > 0
        then cast(cast(round(1000000 * ln(prompt_tokens + output_tokens) * ln(prompt_tokens + output_tokens)) as bigint) * 0.000001 as decimal(18, 12)) end)
        as log_tokens_squares,
    min(started_at) as first_started_at,
    max(started_at) as last_started_at
from told
group by all
