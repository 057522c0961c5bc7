-- The stored attempts, with the words that pricing and grouping go by spelled out.
-- grain: attempt_id
with
counted as (
    select
        *,
        coalesce(cache_write_5m_tokens, 0) + coalesce(cache_write_1h_tokens, 0)
            + coalesce(cache_write_unknown_ttl_tokens, 0) as cache_write_tokens
    from store.attempts
)
select
    attempt_id,
    call_id,
    attempt_no,
    load_id,
    source_line,
    source_format,
    started_at,
    is_end_time,
    latency_ms,
    ttft_ms,
    wait_ms,
    model_raw,
    platform,
    uncached_input_tokens,
    cache_read_tokens,
    cache_write_5m_tokens,
    cache_write_1h_tokens,
    cache_write_unknown_ttl_tokens,
    cache_write_tokens,
    coalesce(uncached_input_tokens, 0) + coalesce(cache_read_tokens, 0) + cache_write_tokens as prompt_tokens,
    output_tokens,
    thinking_tokens,
    web_search_requests,
    iterations,
    service_tier,
    coalesce(service_tier = 'batch', false) as is_batch,
    speed,
    coalesce(speed = 'fast', false) as is_fast,
    inference_geo,
    -- The way to ask, as one number: 1 for fast mode, 2 for a batch, 4 for inference kept in the US, 8 on Bedrock,
    -- 16 on Vertex AI, 24 on Azure.
    case when speed = 'fast' then 1 else 0 end + case when service_tier = 'batch' then 2 else 0 end
        + case when inference_geo = 'us' then 4 else 0 end
        + case platform when 'bedrock' then 8 when 'vertex' then 16 when 'azure' then 24 else 0 end as variant,
    max_tokens,
    is_streamed,
    cache_prefix_id,
    cache_prefix_chars,
    stop_reason,
    http_status,
    case
        when http_status >= 400 then coalesce(error_type, 'http_' || cast(http_status as string))
        else error_type
    end as error_type,
    error_code,
    coalesce(http_status >= 400, false) or error_type is not null as is_error,
    coalesce(http_status >= 400, false) as is_http_error,
    -- Not billed: HTTP errors, failures that report no tokens, and (since this day) refusals before any output.
    case
        when http_status >= 400 then true
        when error_type is not null
            then coalesce(uncached_input_tokens, 0) + coalesce(cache_read_tokens, 0) + cache_write_tokens
                + coalesce(output_tokens, 0) = 0
        when stop_reason = 'refusal' then output_tokens = 0 and started_at >= timestamp '2026-06-02'
        else false
    end as is_free,
    requests_headroom,
    input_tokens_headroom,
    output_tokens_headroom,
    request_id,
    message_id,
    coalesce(feature, '(unattributed)') as feature,
    coalesce(user_id, '(unattributed)') as user_id,
    coalesce(team, '(unattributed)') as team,
    coalesce(environment, '(unattributed)') as environment,
    workspace_id,
    session_id,
    trace_id,
    tags,
    client_version,
    cost_reported_usd,
    retry_count
from counted
