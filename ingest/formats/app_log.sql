-- Application log lines: one flat record per call, written by the application around messages.create().
--
-- Written by: any logger (structlog, python-json-logger, loguru, logging, a CSV export), in any envelope.
-- Keys: model, error, error_type
-- Known by: a model with token counts or an error beside it, at the top level and with no Message object around them.
-- Input tokens: exclusive. The numbers come from the response's usage, whose input_tokens leaves both cache counts out;
--   a usage object nested in the record means the same.
-- Retries: `retries_taken` (or `retries`) counts attempts hidden inside the line. `attempt` beside a call id means that
--   the application logs every attempt as a line of its own. With neither, retries are unknown.
-- Time: a line is written when its call has returned, so its time is the end, unless the record says `started_at`.
-- Latency: only fields that name their unit are read; a bare `latency` could be seconds or milliseconds.
with fields as (
    select line, try(json_transform(record, '{
        "timestamp": "VARCHAR", "ts": "VARCHAR", "time": "VARCHAR", "@timestamp": "VARCHAR", "asctime": "VARCHAR",
        "started_at": "VARCHAR", "request_id": "VARCHAR", "_request_id": "VARCHAR", "message_id": "VARCHAR",
        "call_id": "VARCHAR", "correlation_id": "VARCHAR", "trace_id": "VARCHAR", "session_id": "VARCHAR",
        "model": "VARCHAR", "input_tokens": "VARCHAR", "output_tokens": "VARCHAR", "thinking_tokens": "VARCHAR",
        "cache_creation_input_tokens": "VARCHAR", "cache_read_input_tokens": "VARCHAR",
        "cache_creation": {"ephemeral_5m_input_tokens": "VARCHAR", "ephemeral_1h_input_tokens": "VARCHAR"},
        "web_search_requests": "VARCHAR", "usage": ' || usage_shape() || ',
        "stop_reason": "VARCHAR", "max_tokens": "VARCHAR", "service_tier": "VARCHAR", "speed": "VARCHAR",
        "inference_geo": "VARCHAR", "platform": "VARCHAR",
        "latency_ms": "VARCHAR", "duration_ms": "VARCHAR", "latency_s": "VARCHAR", "duration_s": "VARCHAR",
        "ttft_ms": "VARCHAR", "time_to_first_token_ms": "VARCHAR",
        "error": "VARCHAR", "error_type": "VARCHAR", "error_code": "VARCHAR", "status": "VARCHAR",
        "status_code": "VARCHAR", "http_status": "VARCHAR",
        "retries": "VARCHAR", "retries_taken": "VARCHAR", "attempt": "VARCHAR",
        "feature": "VARCHAR", "user_id": "VARCHAR", "user": "VARCHAR", "team": "VARCHAR", "tenant": "VARCHAR",
        "customer": "VARCHAR", "env": "VARCHAR", "environment": "VARCHAR", "workspace_id": "VARCHAR",
        "cost_usd": "VARCHAR",
        "type": "VARCHAR", "request": "VARCHAR", "response": "VARCHAR", "message": "VARCHAR", "sessionId": "VARCHAR",
        "custom_id": "VARCHAR", "prompt_tokens": "VARCHAR", "schemaType": "VARCHAR",
        "event.name": "VARCHAR", "session.id": "VARCHAR", "outlay_recorder": "VARCHAR"
    }')) as r
    from records
),

read as (
    select
        *,
        coalesce(r.http_status, r.status_code, r.status) as status_text,
        coalesce(r.call_id, r.correlation_id) as call_name,
        case
            when r.error_type is not null then r.error_type
            when starts_with(r.error, '{') then coalesce(
                inside(r.error, '$.error.type'), inside(r.error, '$.type'), 'unknown_error')
            when lower(r.error) not in ('', 'false', 'null', 'none') then r.error
        end as error_text
    from fields
    where
        coalesce(r.type, '') not in ('message', 'assistant', 'user', 'system', 'summary')
        and r.request is null and r.response is null and r.sessionId is null
        and (r."event.name" is null or r."session.id" is null)
        and r.custom_id is null and r.prompt_tokens is null and r.schemaType is null
        and r.outlay_recorder is null
        and not starts_with(coalesce(r.message, ''), '{"model"') and not starts_with(coalesce(r.message, ''), '{"id"')
)

select
    line,
    coalesce(r.started_at, r.timestamp, r.ts, r."time", r."@timestamp", r.asctime) as started_at,
    case when r.started_at is null then 'true' else 'false' end as is_end_time,
    call_name as call_id,
    r.attempt as attempt_no,
    coalesce(r.latency_ms, r.duration_ms,
        cast(try_cast(coalesce(r.latency_s, r.duration_s) as double) * 1000 as varchar)) as latency_ms,
    coalesce(r.ttft_ms, r.time_to_first_token_ms) as ttft_ms,
    r.model as model_raw,
    r.platform,
    coalesce(r.input_tokens, r.usage.input_tokens) as uncached_input_tokens,
    coalesce(r.cache_read_input_tokens, r.usage.cache_read_input_tokens) as cache_read_tokens,
    coalesce(r.cache_creation.ephemeral_5m_input_tokens, r.usage.cache_creation.ephemeral_5m_input_tokens)
        as cache_write_5m_tokens,
    coalesce(r.cache_creation.ephemeral_1h_input_tokens, r.usage.cache_creation.ephemeral_1h_input_tokens)
        as cache_write_1h_tokens,
    coalesce(r.cache_creation_input_tokens, r.usage.cache_creation_input_tokens) as cache_write_tokens,
    coalesce(r.output_tokens, r.usage.output_tokens) as output_tokens,
    coalesce(r.thinking_tokens, r.usage.output_tokens_details.thinking_tokens) as thinking_tokens,
    coalesce(r.web_search_requests, r.usage.server_tool_use.web_search_requests) as web_search_requests,
    r.usage.iterations as iterations,
    coalesce(r.service_tier, r.usage.service_tier) as service_tier,
    coalesce(r.speed, r.usage.speed) as speed,
    coalesce(r.inference_geo, r.usage.inference_geo) as inference_geo,
    r.max_tokens,
    r.stop_reason,
    cast(try_cast(status_text as integer) as varchar) as http_status,
    case when lower(status_text) in ('error', 'failed', 'failure') then coalesce(error_text, 'unknown_error')
        else error_text end as error_type,
    r.error_code,
    coalesce(r.request_id, r._request_id) as request_id,
    r.message_id,
    r.feature,
    coalesce(r.user_id, r.user) as user_id,
    coalesce(r.team, r.tenant, r.customer) as team,
    coalesce(r.environment, r.env) as environment,
    r.workspace_id,
    r.session_id,
    r.trace_id,
    r.cost_usd as cost_reported_usd,
    coalesce(r.retries_taken, r.retries, case when call_name is not null and r.attempt is not null then '0' end)
        as retry_count
from read
where
    (r.model is not null
        and (r.input_tokens is not null or r.output_tokens is not null or r.usage is not null
            or error_text is not null or r.latency_ms is not null or r.stop_reason is not null))
    or (error_text is not null and coalesce(r.latency_ms, r.duration_ms) is not null)
