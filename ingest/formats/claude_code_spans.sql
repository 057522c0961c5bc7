-- Claude Code's spans of requests: one span of an OTLP export (its traces are a beta).
--
-- Written by: Claude Code with CLAUDE_CODE_ENHANCED_TELEMETRY_BETA and a traces exporter.
-- Keys: otel_span
-- Known by: the span's name, claude_code.llm_request.
-- Input tokens: exclusive, as in the Messages API's usage. How long cache writes are kept is not told.
-- Retries: one span covers them all; `attempt` is how many there were.
-- Ids: gen_ai.response.id is the request's id here, not the message's. Claude Code's events tell of the same requests:
--   by that id they are one. A failure without it counts twice where both events and spans are exported.
with fields as (
    select line, try(json_transform(record, '{
        "otel_span": {"name": "VARCHAR", "traceId": "VARCHAR", "spanId": "VARCHAR", "startTimeUnixNano": "VARCHAR"},
        "attributes": {
            "model": "VARCHAR", "gen_ai.request.model": "VARCHAR", "input_tokens": "VARCHAR", "output_tokens": "VARCHAR",
            "cache_read_tokens": "VARCHAR", "cache_creation_tokens": "VARCHAR", "duration_ms": "VARCHAR",
            "ttft_ms": "VARCHAR", "attempt": "VARCHAR", "success": "VARCHAR", "status_code": "VARCHAR",
            "stop_reason": "VARCHAR", "speed": "VARCHAR", "request_id": "VARCHAR", "gen_ai.response.id": "VARCHAR",
            "session.id": "VARCHAR", "user.id": "VARCHAR", "user.account_uuid": "VARCHAR", "team.id": "VARCHAR",
            "department": "VARCHAR", "agent.name": "VARCHAR", "query_source": "VARCHAR"
        }
    }')) as r
    from records
),

spans as (
    select line, r.otel_span as span, r.attributes as a, lower(r.attributes.success) = 'false' as is_failed
    from fields
    where r.otel_span.name = 'claude_code.llm_request'
)

select
    line,
    span.startTimeUnixNano as started_at,
    'false' as is_end_time,
    a.duration_ms as latency_ms,
    a.ttft_ms,
    coalesce(a.model, a."gen_ai.request.model") as model_raw,
    a.input_tokens as uncached_input_tokens,
    a.cache_read_tokens,
    a.cache_creation_tokens as cache_write_tokens,
    a.output_tokens,
    a.stop_reason,
    case when a.speed = 'normal' then 'standard' else a.speed end as speed,
    a.status_code as http_status,
    case when is_failed then coalesce(error_of_status(try_cast(a.status_code as integer)), 'unknown_error') end
        as error_type,
    coalesce(a.request_id, a."gen_ai.response.id") as request_id,
    span.traceId || '/' || span.spanId as event_id,
    coalesce(a."agent.name", a.query_source, 'claude-code') as feature,
    coalesce(a."user.account_uuid", a."user.id") as user_id,
    coalesce(a."team.id", a.department) as team,
    a."session.id" as session_id,
    span.traceId as trace_id,
    cast(try_cast(a.attempt as integer) - 1 as varchar) as retry_count
from spans
