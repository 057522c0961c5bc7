-- Portkey log exports: JSON lines.
--
-- Written by: the Portkey gateway. Its field list grows, so only the names below are read.
-- Keys: ai_model
-- Known by: ai_model with created_at and units, a status or a cost.
-- Input tokens: exclusive, from the usage of the stored response body where there is one. Without a body only
--   req_units is told; whether it counts the cache is not documented, and it is taken as uncached input.
-- Retries: retry_success_count says how many failed attempts the record hides; without it they are unknown.
-- Answers from Portkey's own cache (cache_status HIT or SEMANTIC HIT) are no requests to Claude.
-- Ids: `id` where the export was asked for it, and the body's message id. Time: created_at.
-- Latency: milliseconds. Cost: US cents.
with fields as (
    select line, try(json_transform(record, '{
        "id": "VARCHAR", "created_at": "VARCHAR", "request.body": "VARCHAR", "response.body": "VARCHAR",
        "request": {"body": "VARCHAR"}, "response": {"body": "VARCHAR"},
        "is_success": "VARCHAR", "ai_org": "VARCHAR", "ai_model": "VARCHAR", "req_units": "VARCHAR",
        "res_units": "VARCHAR", "cost": "VARCHAR", "cost_currency": "VARCHAR", "response_status_code": "VARCHAR",
        "response_time": "VARCHAR", "cache_status": "VARCHAR", "stream_mode": "VARCHAR",
        "retry_success_count": "VARCHAR", "trace_id": "VARCHAR", "metadata": "VARCHAR"
    }')) as r
    from records
),

told as (
    select
        *,
        coalesce(r."request.body", r.request.body) as asked,
        coalesce(r."response.body", r.response.body) as answered
    from fields
    where r.ai_model is not null and r.created_at is not null
        and coalesce(r.req_units, r.res_units, r.response_status_code, r.cost) is not null
),

counted as (
    select *, try(json_transform(inside(answered, '$.usage'), usage_shape())) as usage from told
)

select
    line,
    case when upper(r.cache_status) in ('HIT', 'SEMANTIC HIT') then 'true' end as no_request,
    r.created_at as started_at,
    'false' as is_end_time,
    r.response_time as latency_ms,
    r.ai_model as model_raw,
    platform_of(r.ai_org) as platform,
    coalesce(usage.input_tokens, r.req_units) as uncached_input_tokens,
    usage.cache_read_input_tokens as cache_read_tokens,
    usage.cache_creation.ephemeral_5m_input_tokens as cache_write_5m_tokens,
    usage.cache_creation.ephemeral_1h_input_tokens as cache_write_1h_tokens,
    usage.cache_creation_input_tokens as cache_write_tokens,
    coalesce(usage.output_tokens, r.res_units) as output_tokens,
    usage.output_tokens_details.thinking_tokens as thinking_tokens,
    usage.server_tool_use.web_search_requests as web_search_requests,
    usage.iterations as iterations,
    usage.service_tier as service_tier,
    usage.speed as speed,
    usage.inference_geo as inference_geo,
    inside(asked, '$.max_tokens') as max_tokens,
    case when lower(r.stream_mode) in ('1', 'true') then 'true' when lower(r.stream_mode) in ('0', 'false') then 'false'
        end as is_streamed,
    coalesce(inside(answered, '$.stop_reason'), inside(answered, '$.choices[0].finish_reason')) as stop_reason,
    r.response_status_code as http_status,
    case when lower(r.is_success) in ('0', 'false') then coalesce(
        inside(answered, '$.error.type'), error_of_status(try_cast(r.response_status_code as integer)),
        'unknown_error') end as error_type,
    inside(answered, '$.request_id') as request_id,
    case when starts_with(inside(answered, '$.id'), 'msg_') then inside(answered, '$.id') end as message_id,
    r.id as event_id,
    inside(r.metadata, '$.feature') as feature,
    coalesce(inside(r.metadata, '$._user'), inside(asked, '$.metadata.user_id')) as user_id,
    inside(r.metadata, '$.team') as team,
    inside(r.metadata, '$.environment') as environment,
    inside(r.metadata, '$.session_id') as session_id,
    r.trace_id,
    case when coalesce(upper(r.cost_currency), 'USD') = 'USD' then dollars(r.cost) end as cost_reported_usd,
    r.retry_success_count as retry_count
from counted
