-- Helicone requests: the query API or the export command line, as JSON, JSONL or CSV.
--
-- Written by: the Helicone gateway.
-- Keys: request_created_at
-- Known by: request_created_at with a status, a delay or token counts.
-- Input tokens: exclusive, as in the response that Helicone copies them from. Its own pages do not say so, which is why
--   the usage of a stored response body, where there is one, is believed before its columns.
-- Retries: one record for a request however often the gateway tried, so unknown.
-- Answers from Helicone's own cache (they name a cache_reference_id) are no requests to Claude.
-- Ids: request_id is Helicone's name for the record; response_id, or the body's, is the message's.
-- Time: the start; UTC. Latency and time to first token: milliseconds. Cost: US dollars.
with fields as (
    select line, try(json_transform(record, '{
        "request_id": "VARCHAR", "response_id": "VARCHAR", "request_created_at": "VARCHAR",
        "response_created_at": "VARCHAR", "response_status": "VARCHAR", "request_model": "VARCHAR",
        "response_model": "VARCHAR", "model": "VARCHAR", "request_user_id": "VARCHAR", "provider": "VARCHAR",
        "request_properties": "VARCHAR", "properties": "VARCHAR", "delay_ms": "VARCHAR",
        "time_to_first_token": "VARCHAR", "prompt_tokens": "VARCHAR", "prompt_cache_read_tokens": "VARCHAR",
        "prompt_cache_write_tokens": "VARCHAR", "completion_tokens": "VARCHAR", "reasoning_tokens": "VARCHAR",
        "cost": "VARCHAR", "costUSD": "VARCHAR", "cache_reference_id": "VARCHAR",
        "request_body": "VARCHAR", "response_body": "VARCHAR"
    }')) as r
    from records
),

told as (
    select
        *,
        coalesce(r.request_properties, r.properties) as labels,
        try(json_transform(inside(r.response_body, '$.usage'), usage_shape())) as usage,
        try_cast(r.response_status as integer) as status
    from fields
    where r.request_created_at is not null
        and coalesce(r.response_status, r.delay_ms, r.prompt_tokens, r.completion_tokens) is not null
)

select
    line,
    case when word(replace(replace(r.cache_reference_id, '0', ''), '-', '')) is not null then 'true' end as no_request,
    in_utc(r.request_created_at) as started_at,
    'false' as is_end_time,
    coalesce(r.delay_ms, between_ms(in_utc(r.request_created_at), in_utc(r.response_created_at))) as latency_ms,
    r.time_to_first_token as ttft_ms,
    coalesce(inside(r.response_body, '$.model'), word(r.response_model), word(r.model), word(r.request_model))
        as model_raw,
    platform_of(r.provider) as platform,
    coalesce(usage.input_tokens, r.prompt_tokens) as uncached_input_tokens,
    coalesce(usage.cache_read_input_tokens, r.prompt_cache_read_tokens) as cache_read_tokens,
    usage.cache_creation.ephemeral_5m_input_tokens as cache_write_5m_tokens,
    usage.cache_creation.ephemeral_1h_input_tokens as cache_write_1h_tokens,
    coalesce(usage.cache_creation_input_tokens, r.prompt_cache_write_tokens) as cache_write_tokens,
    coalesce(usage.output_tokens, r.completion_tokens) as output_tokens,
    coalesce(usage.output_tokens_details.thinking_tokens, r.reasoning_tokens) as thinking_tokens,
    usage.server_tool_use.web_search_requests as web_search_requests,
    usage.iterations as iterations,
    usage.service_tier as service_tier,
    usage.speed as speed,
    usage.inference_geo as inference_geo,
    inside(r.request_body, '$.max_tokens') as max_tokens,
    inside(r.response_body, '$.stop_reason') as stop_reason,
    -- Below zero are states of Helicone's own, of requests that got no answer.
    case when status > 0 then cast(status as varchar) end as http_status,
    case when status < 0 then 'unknown_error' when status >= 400 then inside(r.response_body, '$.error.type') end
        as error_type,
    inside(r.response_body, '$.request_id') as request_id,
    case
        when starts_with(r.response_id, 'msg_') then r.response_id
        when starts_with(inside(r.response_body, '$.id'), 'msg_') then inside(r.response_body, '$.id')
    end as message_id,
    r.request_id as event_id,
    coalesce(inside(labels, '$.feature'), inside(labels, '$.Feature')) as feature,
    r.request_user_id as user_id,
    coalesce(inside(labels, '$.team'), inside(labels, '$.Team')) as team,
    coalesce(inside(labels, '$.environment'), inside(labels, '$.Environment')) as environment,
    coalesce(inside(labels, '$.session_id'), inside(labels, '$.Session')) as session_id,
    coalesce(r.costUSD, r.cost) as cost_reported_usd
from told
