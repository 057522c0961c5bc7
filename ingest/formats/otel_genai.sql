-- Spans of a call to a model, as OpenTelemetry's GenAI conventions describe them: one span of an OTLP export.
--
-- Written by: the Anthropic SDK's own instrumentation (on by default where an application has a tracer), OpenLLMetry.
-- Keys: otel_span
-- Known by: it is a span. One that names no model, or holds neither tokens nor an error, tells of no request.
-- Input tokens: inclusive. gen_ai.usage.input_tokens counts cache reads and writes too, so they are subtracted.
-- Retries: http.request.resend_count where it is given, otherwise unknown. A span covers a call with all its attempts.
with fields as materialized (
    select line, try(json_transform(record, '{
        "otel_span": {"traceId": "VARCHAR", "spanId": "VARCHAR", "startTimeUnixNano": "VARCHAR", "endTimeUnixNano": "VARCHAR"},
        "attributes": {
            "gen_ai.request.model": "VARCHAR", "gen_ai.response.model": "VARCHAR", "gen_ai.response.id": "VARCHAR",
            "gen_ai.conversation.id": "VARCHAR", "gen_ai.request.max_tokens": "VARCHAR",
            "gen_ai.usage.input_tokens": "VARCHAR", "gen_ai.usage.output_tokens": "VARCHAR",
            "gen_ai.usage.cache_read.input_tokens": "VARCHAR", "gen_ai.usage.cache_read_input_tokens": "VARCHAR",
            "gen_ai.usage.cache_write.input_tokens": "VARCHAR", "gen_ai.usage.cache_creation.input_tokens": "VARCHAR",
            "gen_ai.usage.cache_creation_input_tokens": "VARCHAR",
            "anthropic.usage.cache_creation.ephemeral_5m_input_tokens": "VARCHAR",
            "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": "VARCHAR",
            "gen_ai.usage.reasoning.output_tokens": "VARCHAR", "gen_ai.response.time_to_first_chunk": "VARCHAR",
            "gen_ai.response.finish_reasons": "VARCHAR", "anthropic.message.stop_reason": "VARCHAR",
            "anthropic.request.id": "VARCHAR", "anthropic.workspace.id": "VARCHAR",
            "anthropic.response.service_tier": "VARCHAR", "error.type": "VARCHAR",
            "http.response.status_code": "VARCHAR", "http.request.resend_count": "VARCHAR",
            "traceloop.workflow.name": "VARCHAR", "service.name": "VARCHAR", "user.id": "VARCHAR",
            "deployment.environment.name": "VARCHAR", "deployment.environment": "VARCHAR"
        }
    }')) as r
    from records
),

spans as (
    select line, r.otel_span as span, r.attributes as a from fields where r.otel_span.spanId is not null
),

named as (
    select
        line,
        span,
        a,
        coalesce(a."gen_ai.response.model", a."gen_ai.request.model") as model,
        try_cast(a."gen_ai.usage.input_tokens" as bigint) as input_tokens,
        coalesce(a."gen_ai.usage.cache_read.input_tokens", a."gen_ai.usage.cache_read_input_tokens") as cache_read,
        coalesce(a."gen_ai.usage.cache_write.input_tokens", a."gen_ai.usage.cache_creation.input_tokens",
            a."gen_ai.usage.cache_creation_input_tokens") as cache_write
    from spans
),

counted as (
    select *, input_tokens - coalesce(try_cast(cache_read as bigint), 0) - coalesce(try_cast(cache_write as bigint), 0)
        as uncached
    from named
)

select
    line,
    cast(model is null or (a."gen_ai.usage.input_tokens" is null and a."error.type" is null) as varchar) as no_request,
    case when uncached < 0 then 'gen_ai.usage.input_tokens is less than the cached tokens in it' end as told_refusal,
    span.startTimeUnixNano as started_at,
    'false' as is_end_time,
    cast((try_cast(span.endTimeUnixNano as bigint) - try_cast(span.startTimeUnixNano as bigint)) / 1000000.0 as varchar)
        as latency_ms,
    cast(try_cast(a."gen_ai.response.time_to_first_chunk" as double) * 1000 as varchar) as ttft_ms,
    model as model_raw,
    coalesce(cast(uncached as varchar), a."gen_ai.usage.input_tokens") as uncached_input_tokens,
    cache_read as cache_read_tokens,
    a."anthropic.usage.cache_creation.ephemeral_5m_input_tokens" as cache_write_5m_tokens,
    a."anthropic.usage.cache_creation.ephemeral_1h_input_tokens" as cache_write_1h_tokens,
    cache_write as cache_write_tokens,
    a."gen_ai.usage.output_tokens" as output_tokens,
    a."gen_ai.usage.reasoning.output_tokens" as thinking_tokens,
    a."anthropic.response.service_tier" as service_tier,
    a."gen_ai.request.max_tokens" as max_tokens,
    coalesce(a."anthropic.message.stop_reason", a."gen_ai.response.finish_reasons") as stop_reason,
    a."http.response.status_code" as http_status,
    a."error.type" as error_type,
    a."anthropic.request.id" as request_id,
    case when starts_with(a."gen_ai.response.id", 'msg_') then a."gen_ai.response.id" end as message_id,
    span.traceId || '/' || span.spanId as event_id,
    coalesce(a."traceloop.workflow.name", a."service.name") as feature,
    a."user.id" as user_id,
    coalesce(a."deployment.environment.name", a."deployment.environment") as environment,
    a."anthropic.workspace.id" as workspace_id,
    a."gen_ai.conversation.id" as session_id,
    span.traceId as trace_id,
    a."http.request.resend_count" as retry_count
from counted
