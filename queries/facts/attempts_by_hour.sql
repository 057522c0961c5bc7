-- Tries that agree in all that filters, prices and outcomes go by, added up by hour, with what they cost at the price of
-- their day: the same money as facts.attempts, to the last digit. Tries billed in several iterations stand by themselves.
-- kept
-- grain: attempt_id, begins_at, feature, team, environment, workspace_id, platform, model_raw, variant, prompt_tokens_over, is_free, is_counted, is_cached, is_user_known, is_error, error_type, http_status
with
added_up as (
    select
        a.*,
        cast(null as string) as attempt_id,
        r.model,
        pico(a.uncached_input_tokens, r.input_pico) as input_pico,
        pico(a.cache_read_tokens, r.cache_read_pico) as cache_read_pico,
        pico(a.cache_write_5m_tokens, r.cache_write_5m_pico) as cache_write_5m_pico,
        pico(a.cache_write_1h_tokens, r.cache_write_1h_pico) as cache_write_1h_pico,
        pico(a.cache_write_unknown_ttl_tokens, r.cache_write_5m_pico) as cache_write_unknown_ttl_pico,
        pico(a.output_tokens, r.output_pico) as output_pico,
        pico(a.cache_read_tokens, r.input_pico) as uncached_read_pico,
        pico(a.cache_write_tokens, r.input_pico) as uncached_write_pico,
        pico(a.web_search_requests, r.web_search_pico) as web_search_pico,
        pico(a.truncated_uncached_input_tokens, r.input_pico) + pico(a.truncated_cache_read_tokens, r.cache_read_pico)
            + pico(a.truncated_cache_write_5m_tokens, r.cache_write_5m_pico) + pico(a.truncated_cache_write_1h_tokens, r.cache_write_1h_pico)
            + pico(a.truncated_cache_write_unknown_ttl_tokens, r.cache_write_5m_pico) + pico(a.truncated_output_tokens, r.output_pico)
            + pico(a.truncated_web_search_requests, r.web_search_pico) as truncated_pico,
        unpriced_reason(
            a.model_raw, case when a.is_counted then 0 end, 0, case when a.is_cached then 1 else 0 end, r.input_pico,
            r.cache_read_pico, r.unpriced_reason
        ) as reason,
        -- Times what is billed: 0 for what is free, 1 for what has a price, null for what has none.
        case
            when a.is_free then 0
            when r.input_pico is null or not a.is_counted then null
            when r.cache_read_pico is null and a.is_cached then null
            else 1
        end as billed
    from rollups.attempts_by_hour as a
    left join base.rates as r
        on r.model_raw = a.model_raw
        and r.variant = a.variant
        and a.begins_at >= r.valid_from
        and a.begins_at < r.valid_until
        and a.prompt_tokens_over >= r.prompt_tokens_over
        and a.prompt_tokens_over < r.prompt_tokens_upto
),
by_themselves as (
    select
        date_trunc('hour', started_at) as begins_at,
        feature,
        team,
        environment,
        workspace_id,
        platform,
        model_raw,
        variant,
        0 as prompt_tokens_over,
        is_free,
        true as is_counted,
        false as is_cached,
        user_id <> '(unattributed)' as is_user_known,
        is_error,
        error_type,
        case when is_error then http_status end as http_status,
        1 as attempts,
        retry_count as hidden_attempts,
        billed_input_tokens as uncached_input_tokens,
        billed_read_tokens as cache_read_tokens,
        billed_write_5m_tokens as cache_write_5m_tokens,
        billed_write_1h_tokens as cache_write_1h_tokens,
        billed_write_unknown_ttl_tokens as cache_write_unknown_ttl_tokens,
        billed_prompt_tokens - coalesce(billed_input_tokens, 0) - coalesce(billed_read_tokens, 0) as cache_write_tokens,
        billed_prompt_tokens as input_tokens,
        billed_output_tokens as output_tokens,
        web_search_requests,
        cost_reported_usd,
        case when cost_reported_usd is null then 0 else 1 end as cost_reported_attempts,
        case when input_pico + cache_read_pico + cache_write_5m_pico + cache_write_1h_pico + cache_write_unknown_ttl_pico
            + output_pico + web_search_pico > 0 then 1 else 0 end as used_attempts,
        case when billed_write_unknown_ttl_tokens > 0 then 1 else 0 end as write_ttl_unknown_attempts,
        case when stop_group is not null then 1 else 0 end as answered_attempts,
        case when stop_group is not null and max_tokens > 0 then 1 else 0 end as ceiling_known_attempts,
        case when stop_group is not null and max_tokens > 0 and billed_output_tokens = max_tokens then 1 else 0 end as ceiling_hits,
        case when stop_group = 'truncated' then 1 else 0 end as truncated_attempts,
        case when stop_group = 'truncated' and input_pico + cache_read_pico + cache_write_5m_pico + cache_write_1h_pico
            + cache_write_unknown_ttl_pico + output_pico + web_search_pico > 0 then 1 else 0 end as truncated_used_attempts,
        case when stop_group = 'truncated' then billed_input_tokens end as truncated_uncached_input_tokens,
        case when stop_group = 'truncated' then billed_read_tokens end as truncated_cache_read_tokens,
        case when stop_group = 'truncated' then billed_write_5m_tokens end as truncated_cache_write_5m_tokens,
        case when stop_group = 'truncated' then billed_write_1h_tokens end as truncated_cache_write_1h_tokens,
        case when stop_group = 'truncated' then billed_write_unknown_ttl_tokens end as truncated_cache_write_unknown_ttl_tokens,
        case when stop_group = 'truncated' then billed_output_tokens end as truncated_output_tokens,
        case when stop_group = 'truncated' then web_search_requests end as truncated_web_search_requests,
        case when billed_prompt_tokens > 0 and billed_output_tokens > 0 then 1 else 0 end as sized_attempts,
        case when billed_prompt_tokens > 0 and billed_output_tokens > 0
            then cast(cast(round(1000000 * ln(billed_prompt_tokens + billed_output_tokens)) as bigint) * 0.000001 as decimal(18, 12)) end as log_tokens,
        case when billed_prompt_tokens > 0 and billed_output_tokens > 0
            then cast(cast(round(1000000 * ln(billed_prompt_tokens + billed_output_tokens) * ln(billed_prompt_tokens + billed_output_tokens)) as bigint) * 0.000001 as decimal(18, 12))
        end as log_tokens_squares,
        started_at as first_started_at,
        started_at as last_started_at,
        attempt_id,
        model,
        input_pico,
        cache_read_pico,
        cache_write_5m_pico,
        cache_write_1h_pico,
        cache_write_unknown_ttl_pico,
        output_pico,
        uncached_read_pico,
        uncached_write_pico,
        web_search_pico,
        case when stop_group = 'truncated' then input_pico + cache_read_pico + cache_write_5m_pico + cache_write_1h_pico
            + cache_write_unknown_ttl_pico + output_pico + web_search_pico else 0 end as truncated_pico,
        reason,
        billed
    from (
        select a.*, stop_group(is_error, stop_reason, max_tokens, stop_word_group) as stop_group
        from facts.iterated_attempts as a
        left join base.stop_groups as g on g.stop_word = a.stop_reason
    ) as told
),
whole as (
    select * from added_up
    union all
    select * from by_themselves
)
select
    attempt_id, -- a try that stands by itself; null for those added up
    begins_at, -- beginning of the hour, UTC
    feature, -- what the calls were for
    team, -- who pays
    environment, -- where the application ran
    workspace_id, -- workspace of the API key
    platform, -- anthropic, bedrock, vertex, azure or gateway, when the source says so
    model_raw, -- model name as logged
    variant, -- the way it was asked: 1 fast, 2 batch, 4 in the US, added up
    prompt_tokens_over, -- their prompts have more tokens than this
    is_free, -- not billed, whatever their tokens
    is_counted, -- their tokens in and out are known
    is_cached, -- prompt tokens were read from the cache or written to it
    coalesce(model, model_raw, '(no model)') as model, -- name in the price list, else the logged name without its path
    is_user_known, -- the log says who they were for
    is_error, -- the tries failed
    error_type, -- why; http_ and the status when the log has no word for it
    http_status, -- the status of those that failed
    attempts, -- tries
    hidden_attempts, -- earlier tries that are known to be hidden inside them
    case when billed = 1 then used_attempts else 0 end as billed_attempts, -- those that cost something
    uncached_input_tokens, -- prompt tokens neither read from nor written to the cache
    cache_read_tokens, -- prompt tokens read from the cache
    cache_write_5m_tokens, -- prompt tokens written to the cache for five minutes
    cache_write_1h_tokens, -- prompt tokens written to the cache for an hour
    cache_write_unknown_ttl_tokens, -- prompt tokens written to the cache, lifetime not logged
    cache_write_tokens, -- prompt tokens written to the cache, for however long
    input_tokens, -- all prompt tokens, cached or not
    output_tokens, -- tokens of the answers, thinking included
    web_search_requests, -- web searches made by the server
    answered_attempts, -- tries that were answered and say why the answer ended
    ceiling_known_attempts, -- those of them whose ceiling on the answer was logged
    ceiling_hits, -- those whose answer is exactly as long
    truncated_attempts, -- answers that were cut off
    case when billed = 1 then truncated_used_attempts else 0 end as truncated_billed_attempts, -- those of them that cost something
    truncated_output_tokens, -- their tokens
    usd_sum(billed * truncated_pico) as truncated_cost_usd, -- what these tries cost, prompts included; null when not known
    sized_attempts, -- tries with tokens in and out
    log_tokens, -- the logarithms of their tokens, summed
    log_tokens_squares, -- the same, squared first
    first_started_at, -- first of the tries, UTC
    last_started_at, -- last of them, UTC
    case when cost_reported_attempts > 0 then cost_reported_usd end as cost_reported_usd, -- cost as the logs themselves state it; null when none does
    case when billed is null then 0 else attempts end as priced_attempts, -- tries whose cost is known
    case when billed is null then reason end as unpriced_reason, -- why their cost is not known; null when it is
    usd_sum(billed * (input_pico + cache_read_pico + cache_write_5m_pico + cache_write_1h_pico + cache_write_unknown_ttl_pico
        + output_pico + web_search_pico)) as cost_usd, -- what they cost at the price of their day; null when not known
    usd_sum(billed * input_pico) as input_cost_usd, -- the part for uncached input
    usd_sum(billed * cache_read_pico) as cache_read_cost_usd, -- the part for cache reads
    usd_sum(billed * cache_write_5m_pico) as cache_write_5m_cost_usd, -- the part for cache writes of five minutes
    usd_sum(billed * cache_write_1h_pico) as cache_write_1h_cost_usd, -- the part for cache writes of an hour
    usd_sum(billed * cache_write_unknown_ttl_pico) as cache_write_unknown_ttl_cost_usd, -- the part for cache writes of unknown lifetime, priced as five minutes
    usd_sum(billed * (cache_write_5m_pico + cache_write_1h_pico + cache_write_unknown_ttl_pico)) as cache_write_cost_usd, -- the part for all cache writes
    usd_sum(billed * output_pico) as output_cost_usd, -- the part for the answers
    usd_sum(billed * web_search_pico) as web_search_cost_usd, -- the part for web searches
    usd_sum(billed * (uncached_read_pico - cache_read_pico)) as cache_gross_saving_usd, -- what cache reads saved against uncached input
    usd_sum(billed * (cache_write_5m_pico + cache_write_1h_pico + cache_write_unknown_ttl_pico - uncached_write_pico))
        as cache_write_premium_usd, -- what cache writes cost above uncached input
    case when billed = 1 then write_ttl_unknown_attempts else 0 end as write_ttl_assumed_attempts -- tries whose cache writes were priced as five minutes for want of their lifetime
from whole
