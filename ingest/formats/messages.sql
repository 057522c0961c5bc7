-- Raw Messages API responses, error bodies, and {request, response} pairs around either.
--
-- Written by: message.model_dump_json() or to_json() of the SDK, an HTTP capture, a thin wrapper around the client.
-- Keys: type, request, response
-- Known by: a Message object ("type": "message" with a usage), an error body ("type": "error"), or a pair whose
--   response is one of the two, or is missing because of an error that the pair names.
-- Input tokens: exclusive. usage.input_tokens counts what comes after the last cache breakpoint.
-- Retries: unknown. The body that comes back is the last attempt's; `retries_taken` beside a pair says how many it hides.
-- The body has no time, no latency and no feature: they come from the record around it or from its envelope.
with bodies as (
    select line, try(json_transform(record, '{
        "timestamp": "VARCHAR", "ts": "VARCHAR", "time": "VARCHAR", "@timestamp": "VARCHAR", "logged_at": "VARCHAR",
        "started_at": "VARCHAR", "created_at": "VARCHAR",
        "latency_ms": "VARCHAR", "duration_ms": "VARCHAR", "ttft_ms": "VARCHAR",
        "status": "VARCHAR", "status_code": "VARCHAR", "http_status": "VARCHAR",
        "error_type": "VARCHAR", "retries": "VARCHAR", "retries_taken": "VARCHAR", "attempt": "VARCHAR", "call_id": "VARCHAR",
        "feature": "VARCHAR", "user_id": "VARCHAR", "team": "VARCHAR", "env": "VARCHAR", "environment": "VARCHAR",
        "workspace_id": "VARCHAR", "session_id": "VARCHAR", "trace_id": "VARCHAR",
        "request": {"model": "VARCHAR", "max_tokens": "VARCHAR", "metadata": {"user_id": "VARCHAR"},
            "service_tier": "VARCHAR", "speed": "VARCHAR"},
        "response": {"type": "VARCHAR", "id": "VARCHAR", "model": "VARCHAR", "stop_reason": "VARCHAR",
            "usage": ' || usage_shape() || ', "request_id": "VARCHAR", "_request_id": "VARCHAR",
            "error": {"type": "VARCHAR", "details": {"error_code": "VARCHAR"}}},
        "type": "VARCHAR", "id": "VARCHAR", "model": "VARCHAR", "stop_reason": "VARCHAR",
        "usage": ' || usage_shape() || ', "request_id": "VARCHAR", "_request_id": "VARCHAR",
        "error": {"type": "VARCHAR", "details": {"error_code": "VARCHAR"}}
    }')) as r
    from records
),

-- A bare body is a pair without its request.
pairs as (
    select
        line,
        r,
        case when r.response.type is not null then r.response else struct_pack(
            type := r.type, id := r.id, model := r.model, stop_reason := r.stop_reason, usage := r.usage,
            request_id := r.request_id, _request_id := r._request_id, error := r.error) end as body
    from bodies
)

select
    line,
    coalesce(r.started_at, r.timestamp, r.ts, r."time", r."@timestamp", r.logged_at, r.created_at) as started_at,
    'false' as is_end_time,
    r.call_id,
    r.attempt as attempt_no,
    coalesce(r.latency_ms, r.duration_ms) as latency_ms,
    r.ttft_ms,
    coalesce(body.model, r.request.model) as model_raw,
    body.usage.input_tokens as uncached_input_tokens,
    body.usage.cache_read_input_tokens as cache_read_tokens,
    body.usage.cache_creation.ephemeral_5m_input_tokens as cache_write_5m_tokens,
    body.usage.cache_creation.ephemeral_1h_input_tokens as cache_write_1h_tokens,
    body.usage.cache_creation_input_tokens as cache_write_tokens,
    body.usage.output_tokens as output_tokens,
    body.usage.output_tokens_details.thinking_tokens as thinking_tokens,
    body.usage.server_tool_use.web_search_requests as web_search_requests,
    body.usage.iterations as iterations,
    coalesce(body.usage.service_tier, r.request.service_tier) as service_tier,
    body.usage.speed as speed,
    body.usage.inference_geo as inference_geo,
    r.request.max_tokens as max_tokens,
    body.stop_reason,
    cast(try_cast(coalesce(r.http_status, r.status_code, r.status) as integer) as varchar) as http_status,
    case when body.type = 'error' then coalesce(body.error.type, 'unknown_error') when body.type is null then r.error_type
        end as error_type,
    body.error.details.error_code as error_code,
    coalesce(body.request_id, body._request_id, r.request_id) as request_id,
    case when body.type = 'message' then body.id end as message_id,
    r.feature,
    coalesce(r.user_id, r.request.metadata.user_id) as user_id,
    r.team,
    coalesce(r.environment, r.env) as environment,
    r.workspace_id,
    r.session_id,
    r.trace_id,
    coalesce(r.retries_taken, r.retries, case when r.call_id is not null and r.attempt is not null then '0' end)
        as retry_count
from pairs
where (body.type = 'message' and body.usage is not null)
    or (body.type = 'error' and body.error is not null)
    or (r.request.model is not null and body.type is null and r.error_type is not null)
