-- Spans of a call to a model in OpenInference's words: one span of an OTLP export.
--
-- Written by: openinference-instrumentation-anthropic and the tracers of Arize and Phoenix.
-- Keys: otel_span
-- Known by: openinference.span.kind. Only kind LLM with a model tells of a request.
-- Input tokens: inclusive. llm.token_count.prompt counts cache reads and writes too, so they are subtracted; how long
--   writes are kept is not told.
-- Retries: unknown, unless the HTTP attempts stand below the span in the same export (`ingest/otlp.py`).
with fields as materialized (
    select line, try(json_transform(record, '{
        "otel_span": {"traceId": "VARCHAR", "spanId": "VARCHAR", "startTimeUnixNano": "VARCHAR",
            "endTimeUnixNano": "VARCHAR", "retold": "VARCHAR", "callId": "VARCHAR", "attempt": "VARCHAR"},
        "attributes": {
            "openinference.span.kind": "VARCHAR", "llm.model_name": "VARCHAR", "llm.invocation_parameters": "VARCHAR",
            "llm.token_count.prompt": "VARCHAR", "llm.token_count.completion": "VARCHAR",
            "llm.token_count.prompt_details.cache_read": "VARCHAR",
            "llm.token_count.prompt_details.cache_write": "VARCHAR",
            "llm.token_count.completion_details.reasoning": "VARCHAR", "llm.finish_reason": "VARCHAR",
            "session.id": "VARCHAR", "user.id": "VARCHAR", "metadata": "VARCHAR", "service.name": "VARCHAR",
            "http.response.status_code": "VARCHAR", "error.type": "VARCHAR", "exception.type": "VARCHAR",
            "deployment.environment.name": "VARCHAR", "deployment.environment": "VARCHAR"
        }
    }')) as r
    from records
),

spans as (
    select
        line,
        r.otel_span as span,
        r.attributes as a,
        coalesce(whole(r.attributes."llm.token_count.prompt_details.cache_read"), 0)
            + coalesce(whole(r.attributes."llm.token_count.prompt_details.cache_write"), 0) as cached
    from fields
    where r.otel_span.spanId is not null
        and (r.attributes."openinference.span.kind" is not null or r.attributes."llm.model_name" is not null)
)

select
    line,
    cast(coalesce(a."openinference.span.kind", 'LLM') <> 'LLM' or a."llm.model_name" is null or span.retold = 'true'
        or coalesce(a."llm.token_count.prompt", a."llm.token_count.completion", a."error.type", a."exception.type",
            a."http.response.status_code") is null as varchar) as no_request,
    contradiction(a."llm.token_count.prompt", cached) as told_refusal,
    span.startTimeUnixNano as started_at,
    'false' as is_end_time,
    span.callId as call_id,
    span.attempt as attempt_no,
    cast((try_cast(span.endTimeUnixNano as bigint) - try_cast(span.startTimeUnixNano as bigint)) / 1000000.0 as varchar)
        as latency_ms,
    a."llm.model_name" as model_raw,
    exclusive(a."llm.token_count.prompt", cached) as uncached_input_tokens,
    a."llm.token_count.prompt_details.cache_read" as cache_read_tokens,
    a."llm.token_count.prompt_details.cache_write" as cache_write_tokens,
    a."llm.token_count.completion" as output_tokens,
    a."llm.token_count.completion_details.reasoning" as thinking_tokens,
    inside(a."llm.invocation_parameters", '$.max_tokens') as max_tokens,
    a."llm.finish_reason" as stop_reason,
    a."http.response.status_code" as http_status,
    coalesce(a."error.type", a."exception.type") as error_type,
    span.traceId || '/' || span.spanId as event_id,
    coalesce(inside(a.metadata, '$.feature'), a."service.name") as feature,
    a."user.id" as user_id,
    coalesce(a."deployment.environment.name", a."deployment.environment") as environment,
    a."session.id" as session_id,
    span.traceId as trace_id,
    case when span.callId is not null then '0' end as retry_count
from spans
