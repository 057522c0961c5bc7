-- Every HTTP try, with what it cost at the price of its day, which is the list price unless another was
-- agreed upon: the one place where tokens become money.
-- Exact: whole tokens times whole pico-dollars; the decimal point is set last.
-- grain: attempt_id
with
plain as (
    select
        a.*,
        r.model,
        r.mode,
        a.uncached_input_tokens as billed_input_tokens,
        a.cache_read_tokens as billed_read_tokens,
        a.cache_write_5m_tokens as billed_write_5m_tokens,
        a.cache_write_1h_tokens as billed_write_1h_tokens,
        a.cache_write_unknown_ttl_tokens as billed_write_unknown_ttl_tokens,
        a.prompt_tokens as billed_prompt_tokens,
        a.output_tokens as billed_output_tokens,
        coalesce(a.uncached_input_tokens * r.input_pico, 0) as input_pico,
        coalesce(a.cache_read_tokens * r.cache_read_pico, 0) as cache_read_pico,
        coalesce(a.cache_write_5m_tokens * r.cache_write_5m_pico, 0) as cache_write_5m_pico,
        coalesce(a.cache_write_1h_tokens * r.cache_write_1h_pico, 0) as cache_write_1h_pico,
        coalesce(a.cache_write_unknown_ttl_tokens * r.cache_write_5m_pico, 0) as cache_write_unknown_ttl_pico,
        coalesce(a.output_tokens * r.output_pico, 0) as output_pico,
        coalesce(a.cache_read_tokens * r.input_pico, 0) as uncached_read_pico,
        coalesce(a.cache_write_tokens * r.input_pico, 0) as uncached_write_pico,
        coalesce(a.web_search_requests * r.web_search_pico, 0) as web_search_pico,
        coalesce(a.uncached_input_tokens * r.list_input_pico, 0)
            + coalesce(a.cache_read_tokens * r.list_cache_read_pico, 0)
            + coalesce((a.cache_write_tokens - coalesce(a.cache_write_1h_tokens, 0)) * r.list_cache_write_5m_pico, 0)
            + coalesce(a.cache_write_1h_tokens * r.list_cache_write_1h_pico, 0)
            + coalesce(a.output_tokens * r.list_output_pico, 0)
            + coalesce(a.web_search_requests * r.web_search_pico, 0) as list_pico,
        unpriced_reason(
            a.model_raw, a.uncached_input_tokens, a.output_tokens, a.prompt_tokens, r.input_pico, r.cache_read_pico,
            r.unpriced_reason
        ) as reason,
        -- Times what is billed: 0 for what is free, 1 for what has a price, null for what has none.
        case
            when a.is_free then 0
            when r.input_pico + a.uncached_input_tokens + a.output_tokens is null then null
            when r.cache_read_pico is null and a.prompt_tokens > a.uncached_input_tokens then null
            else 1
        end as billed
    from base.attempts as a
    left join base.rates as r
        on r.model_raw = a.model_raw
        and r.variant = a.variant
        and a.started_at >= r.valid_from
        and a.started_at < r.valid_until
        and a.prompt_tokens > r.prompt_tokens_over
        and a.prompt_tokens <= r.prompt_tokens_upto
    where a.iterations is null
),
whole as (
    select * from plain
    union all
    select * from facts.iterated_attempts
)
select
    attempt_id, -- id of this try
    call_id, -- shared by the tries of one call; null when the source does not link them
    attempt_no, -- place among the tries of its call, from 1; null when unknown
    load_id, -- the load that brought it
    source_line, -- its line in what was loaded
    source_format, -- the log format it was read from
    started_at, -- its time as logged, UTC
    is_end_time, -- that time was written at its end, not at its start
    latency_ms, -- from sending to the last byte, as the source measured it
    ttft_ms, -- from sending to the first token
    wait_ms, -- pause before this try, after the one before it had failed
    model_raw, -- model name as logged
    coalesce(model, model_raw, '(no model)') as model, -- name in the price list, else the logged name without its path
    mode, -- standard or fast, as billed; null without a model
    platform, -- anthropic, bedrock, vertex, azure or gateway, when the source says so
    billed_input_tokens as uncached_input_tokens, -- prompt tokens neither read from nor written to the cache
    billed_read_tokens as cache_read_tokens, -- prompt tokens read from the cache
    billed_write_5m_tokens as cache_write_5m_tokens, -- prompt tokens written to the cache for five minutes
    billed_write_1h_tokens as cache_write_1h_tokens, -- prompt tokens written to the cache for an hour
    billed_write_unknown_ttl_tokens as cache_write_unknown_ttl_tokens, -- prompt tokens written to the cache, lifetime not logged
    billed_prompt_tokens - coalesce(billed_input_tokens, 0) - coalesce(billed_read_tokens, 0)
        as cache_write_tokens, -- prompt tokens written to the cache, for however long
    billed_prompt_tokens as input_tokens, -- all prompt tokens, cached or not
    billed_output_tokens as output_tokens, -- tokens of the answer, thinking included
    thinking_tokens, -- the part of the output spent on thinking
    web_search_requests, -- web searches made by the server
    iterations, -- the parts of an answer made in several iterations; null nearly always
    service_tier, -- as logged
    is_batch, -- sent through the Batch API
    speed, -- as logged
    inference_geo, -- as logged
    max_tokens, -- ceiling the request set on the answer
    is_streamed, -- the answer came as a stream; null when not logged
    cache_prefix_id, -- salted digest of the part of the prompt that could be cached
    cache_prefix_chars, -- length of that part in characters
    stop_reason, -- why the answer ended, as logged
    stop_group(is_error, stop_reason, max_tokens, stop_word_group) as stop_group, -- truncated, complete, continuing, refused or other; null without an answer
    coalesce(stop_group(is_error, stop_reason, max_tokens, stop_word_group) = 'truncated', false) as is_truncated, -- the answer was cut off
    http_status, -- as logged
    error_type, -- why the try failed; http_ and the status when the log has no word for it
    error_code, -- as logged
    is_error, -- the try failed
    requests_headroom, -- share of the requests' rate limit that was left, 0 to 1; null when not logged
    input_tokens_headroom, -- the same of the input tokens' rate limit
    output_tokens_headroom, -- the same of the output tokens' rate limit
    request_id, -- id the API gave this try
    message_id, -- id the API gave the answer
    feature, -- what the call was for
    user_id, -- who it was for
    team, -- who pays
    environment, -- where the application ran
    workspace_id, -- workspace of the API key
    session_id, -- conversation it belongs to
    trace_id, -- trace it belongs to
    tags, -- further labels the application gave, as a JSON object of strings
    client_version, -- which SDK or gateway asked, in which version
    cost_reported_usd, -- cost as the log itself states it
    retry_count, -- earlier tries hidden inside this row; 0 = known none, null = unknown
    billed is not null as is_priced, -- its cost is known
    case when billed is null then reason end as unpriced_reason, -- why its cost is not known; null when it is
    usd(billed * (input_pico + cache_read_pico + cache_write_5m_pico + cache_write_1h_pico + cache_write_unknown_ttl_pico
        + output_pico + web_search_pico)) as cost_usd, -- what it cost at the price of its day; null when not known
    usd(billed * list_pico) as list_cost_usd, -- the same at list price
    usd(billed * input_pico) as input_cost_usd, -- the part for uncached input
    usd(billed * cache_read_pico) as cache_read_cost_usd, -- the part for cache reads
    usd(billed * cache_write_5m_pico) as cache_write_5m_cost_usd, -- the part for cache writes of five minutes
    usd(billed * cache_write_1h_pico) as cache_write_1h_cost_usd, -- the part for cache writes of an hour
    usd(billed * cache_write_unknown_ttl_pico) as cache_write_unknown_ttl_cost_usd, -- the part for cache writes of unknown lifetime, priced as five minutes
    usd(billed * output_pico) as output_cost_usd, -- the part for the answer
    usd(billed * (cache_write_5m_pico + cache_write_1h_pico + cache_write_unknown_ttl_pico)) as cache_write_cost_usd, -- the part for all cache writes
    usd(billed * web_search_pico) as web_search_cost_usd, -- the part for web searches
    usd(billed * (uncached_read_pico - cache_read_pico)) as cache_gross_saving_usd, -- what cache reads saved against uncached input
    usd(billed * (cache_write_5m_pico + cache_write_1h_pico + cache_write_unknown_ttl_pico - uncached_write_pico))
        as cache_write_premium_usd, -- what cache writes cost above uncached input
    coalesce(billed_write_unknown_ttl_tokens > 0 and billed = 1, false) as write_ttl_assumed -- a cache write was priced as five minutes for want of its lifetime
from whole
left join base.stop_groups as g on g.stop_word = stop_reason
