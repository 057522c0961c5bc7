-- Spans of a call to a model, as OpenTelemetry's GenAI conventions describe them: one span of an OTLP export.
--
-- Written by: the Anthropic SDK's own instrumentation (on by default where an application has a tracer), OpenLLMetry.
-- Keys: otel_span
-- Known by: it is a span, and none of OpenInference's or Claude Code's. One that names no model, or holds neither tokens
--   nor an error, tells of no request.
-- Input tokens: inclusive. gen_ai.usage.input_tokens counts cache reads and writes too, so they are subtracted.
-- Output tokens: of a streamed answer OpenLLMetry adds the first, provisional count to the last (0.62.4), one or a few
--   tokens too many. That count is not told, so it cannot be taken off; where the SDK's own span is there, that counts.
-- Retries: http.request.resend_count where it is given. The Anthropic SDK leaves it out when it is 0; of other producers
--   the number is unknown. A span covers a call with all its attempts; where HTTP spans stand below it in the same export,
--   each attempt is a row (`ingest/otlp.py`).
-- One call told by several spans counts once: see `ingest/otlp.py`. Across exports message ids make them one; a failure
--   told by two libraries counts twice where its spans came in two exports, and HTTP spans apart from their call's span
--   are not looked at: http.request.resend_count tells of those attempts.
with fields as (
    select line, try(json_transform(record, '{
        "otel_span": {"name": "VARCHAR", "traceId": "VARCHAR", "spanId": "VARCHAR",
            "startTimeUnixNano": "VARCHAR", "endTimeUnixNano": "VARCHAR", "scope": "VARCHAR", "retold": "VARCHAR",
            "callId": "VARCHAR", "attempt": "VARCHAR"},
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
            "gen_ai.usage.prompt_tokens": "VARCHAR", "gen_ai.usage.completion_tokens": "VARCHAR",
            "gen_ai.usage.cache_write_input_tokens": "VARCHAR", "openinference.span.kind": "VARCHAR",
            "llm.model_name": "VARCHAR", "traceloop.workflow.name": "VARCHAR", "traceloop.entity.name": "VARCHAR",
            "traceloop.association.properties.user_id": "VARCHAR", "session.id": "VARCHAR", "team.id": "VARCHAR",
            "service.name": "VARCHAR", "user.id": "VARCHAR", "enduser.id": "VARCHAR",
            "deployment.environment.name": "VARCHAR", "deployment.environment": "VARCHAR"
        }
    }')) as r
    from records
),

spans as (
    select line, r.otel_span as span, r.attributes as a from fields
    where r.otel_span.spanId is not null and r.otel_span.name is distinct from 'claude_code.llm_request'
        and r.attributes."openinference.span.kind" is null and r.attributes."llm.model_name" is null
),

named as (
    select
        line,
        span,
        a,
        coalesce(a."gen_ai.response.model", a."gen_ai.request.model") as model,
        coalesce(a."gen_ai.usage.input_tokens", a."gen_ai.usage.prompt_tokens") as input_text,
        try_cast(input_text as bigint) as input_tokens,
        coalesce(a."gen_ai.usage.cache_read.input_tokens", a."gen_ai.usage.cache_read_input_tokens") as cache_read,
        coalesce(a."gen_ai.usage.cache_write.input_tokens", a."gen_ai.usage.cache_creation.input_tokens",
            a."gen_ai.usage.cache_creation_input_tokens", a."gen_ai.usage.cache_write_input_tokens") as cache_write
    from spans
),

counted as (
    select *, input_tokens - coalesce(try_cast(cache_read as bigint), 0) - coalesce(try_cast(cache_write as bigint), 0)
        as uncached
    from named
)

select
    line,
    cast(model is null or span.retold = 'true' or (input_text is null and a."error.type" is null
        and a."http.response.status_code" is null) as varchar) as no_request,
    case when uncached < 0 then 'gen_ai.usage.input_tokens is less than the cached tokens in it' end as told_refusal,
    span.startTimeUnixNano as started_at,
    'false' as is_end_time,
    span.callId as call_id,
    span.attempt as attempt_no,
    cast((try_cast(span.endTimeUnixNano as bigint) - try_cast(span.startTimeUnixNano as bigint)) / 1000000.0 as varchar)
        as latency_ms,
    cast(try_cast(a."gen_ai.response.time_to_first_chunk" as double) * 1000 as varchar) as ttft_ms,
    model as model_raw,
    coalesce(cast(uncached as varchar), input_text) as uncached_input_tokens,
    cache_read as cache_read_tokens,
    a."anthropic.usage.cache_creation.ephemeral_5m_input_tokens" as cache_write_5m_tokens,
    a."anthropic.usage.cache_creation.ephemeral_1h_input_tokens" as cache_write_1h_tokens,
    cache_write as cache_write_tokens,
    coalesce(a."gen_ai.usage.output_tokens", a."gen_ai.usage.completion_tokens") as output_tokens,
    a."gen_ai.usage.reasoning.output_tokens" as thinking_tokens,
    a."anthropic.response.service_tier" as service_tier,
    a."gen_ai.request.max_tokens" as max_tokens,
    coalesce(a."anthropic.message.stop_reason", a."gen_ai.response.finish_reasons") as stop_reason,
    a."http.response.status_code" as http_status,
    a."error.type" as error_type,
    a."anthropic.request.id" as request_id,
    case when starts_with(a."gen_ai.response.id", 'msg_') then a."gen_ai.response.id" end as message_id,
    span.traceId || '/' || span.spanId as event_id,
    coalesce(a."traceloop.workflow.name", a."traceloop.entity.name", a."service.name") as feature,
    coalesce(a."user.id", a."enduser.id", a."traceloop.association.properties.user_id") as user_id,
    a."team.id" as team,
    coalesce(a."deployment.environment.name", a."deployment.environment") as environment,
    a."anthropic.workspace.id" as workspace_id,
    coalesce(a."gen_ai.conversation.id", a."session.id") as session_id,
    span.traceId as trace_id,
    case
        when span.callId is not null then '0'
        when span.scope = 'com.anthropic.sdk.python' then coalesce(a."http.request.resend_count", '0')
        else a."http.request.resend_count"
    end as retry_count
from counted
