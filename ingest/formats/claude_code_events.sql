-- Claude Code's OpenTelemetry events: log records of an OTLP export, flattened to their attributes.
--
-- Written by: Claude Code with telemetry on (CLAUDE_CODE_ENABLE_TELEMETRY) and a logs exporter.
-- Keys: event.name
-- Known by: an event of one of the names below beside a session. Only api_request and api_error tell of requests.
-- Input tokens: exclusive. How long cache writes are kept is not told.
-- Retries: an api_request hides those that went before it, so they are unknown; an api_error is the last of `attempt`.
-- Time: an event is written when its request has ended.
with fields as (
    select line, try(json_transform(record, '{
        "event.name": "VARCHAR", "event.timestamp": "VARCHAR", "event.sequence": "VARCHAR", "timestamp": "VARCHAR",
        "session.id": "VARCHAR", "user.id": "VARCHAR", "user.account_uuid": "VARCHAR", "team.id": "VARCHAR",
        "department": "VARCHAR", "model": "VARCHAR", "input_tokens": "VARCHAR", "output_tokens": "VARCHAR",
        "cache_read_tokens": "VARCHAR", "cache_creation_tokens": "VARCHAR", "cost_usd": "VARCHAR",
        "duration_ms": "VARCHAR", "request_id": "VARCHAR", "speed": "VARCHAR", "status_code": "VARCHAR",
        "attempt": "VARCHAR", "agent.name": "VARCHAR", "query_source": "VARCHAR"
    }')) as r
    from records
),

events as (
    select *, regexp_replace(r."event.name", '^claude_code\.', '') as name from fields where r."session.id" is not null
)

select
    line,
    cast(name not in ('api_request', 'api_error') as varchar) as no_request,
    coalesce(r."event.timestamp", r."timestamp") as started_at,
    'true' as is_end_time,
    r.duration_ms as latency_ms,
    r.model as model_raw,
    r.input_tokens as uncached_input_tokens,
    r.cache_read_tokens,
    r.cache_creation_tokens as cache_write_tokens,
    r.output_tokens,
    case when r.speed = 'normal' then 'standard' else r.speed end as speed,
    r.status_code as http_status,
    case when name = 'api_error' then coalesce(error_of_status(try_cast(r.status_code as integer)), 'unknown_error')
        end as error_type,
    r.request_id,
    case when r.request_id is null then r."session.id" || '/' || r."event.sequence" end as event_id,
    coalesce(r."agent.name", r.query_source, 'claude-code') as feature,
    coalesce(r."user.account_uuid", r."user.id") as user_id,
    coalesce(r."team.id", r.department) as team,
    r."session.id" as session_id,
    r.cost_usd as cost_reported_usd,
    case when name = 'api_error' then cast(try_cast(r.attempt as integer) - 1 as varchar) end as retry_count
from events
where name in ('api_request', 'api_error', 'api_refusal', 'api_retries_exhausted', 'user_prompt', 'tool_result',
    'tool_decision')
