-- Spans of a call to a model in OpenInference's words: one span of an OTLP export.
--
-- Written by: openinference-instrumentation-anthropic and the tracers of Arize and Phoenix.
-- Keys: otel_span
-- Known by: openinference.span.kind. Only kind LLM with a model tells of a request.
-- Input tokens: inclusive. llm.token_count.prompt counts cache reads and writes too, so they are subtracted. How long
--   writes are kept stands only in the answer itself (output.value), which a tracer may hide, as does the message id.
-- Errors: the class of the exception that the span recorded.
-- Retries: unknown, unless the HTTP attempts stand below the span in the same export (`ingest/otlp.py`).
with fields as (
    select line, try(json_transform(record, '{
        "otel_span": {"traceId": "VARCHAR", "spanId": "VARCHAR", "startTimeUnixNano": "VARCHAR",
            "endTimeUnixNano": "VARCHAR", "retold": "VARCHAR", "callId": "VARCHAR", "attempt": "VARCHAR"},
        "attributes": {
            "openinference.span.kind": "VARCHAR", "llm.model_name": "VARCHAR",
            "llm.request.model_name": "VARCHAR", "output.value": "VARCHAR", "llm.invocation_parameters": "VARCHAR",
            "llm.token_count.prompt": "VARCHAR", "llm.token_count.completion": "VARCHAR",
            "llm.token_count.prompt_details.cache_read": "VARCHAR",
            "llm.token_count.prompt_details.cache_write": "VARCHAR",
            "llm.token_count.completion_details.reasoning": "VARCHAR", "llm.finish_reason": "VARCHAR",
            "session.id": "VARCHAR", "user.id": "VARCHAR", "metadata": "VARCHAR", "service.name": "VARCHAR",
            "http.response.status_code": "VARCHAR", "error.type": "VARCHAR",
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
        coalesce(r.attributes."llm.model_name", r.attributes."llm.request.model_name") as model,
        coalesce(whole(r.attributes."llm.token_count.prompt_details.cache_read"), 0)
            + coalesce(whole(r.attributes."llm.token_count.prompt_details.cache_write"), 0) as cached
    from fields
    where r.otel_span.spanId is not null
        and (r.attributes."openinference.span.kind" is not null or r.attributes."llm.model_name" is not null)
)

select
    line,
    cast(coalesce(a."openinference.span.kind", 'LLM') <> 'LLM' or model is null or span.retold = 'true'
        or coalesce(a."llm.token_count.prompt", a."llm.token_count.completion", a."error.type",
            a."http.response.status_code") is null as varchar) as no_request,
    contradiction(a."llm.token_count.prompt", cached) as told_refusal,
    span.startTimeUnixNano as started_at,
    'false' as is_end_time,
    span.callId as call_id,
    span.attempt as attempt_no,
    cast((try_cast(span.endTimeUnixNano as bigint) - try_cast(span.startTimeUnixNano as bigint)) / 1000000.0 as varchar)
        as latency_ms,
    model as model_raw,
    exclusive(a."llm.token_count.prompt", cached) as uncached_input_tokens,
    a."llm.token_count.prompt_details.cache_read" as cache_read_tokens,
    a."llm.token_count.prompt_details.cache_write" as cache_write_tokens,
    inside(a."output.value", '$.usage.cache_creation.ephemeral_5m_input_tokens') as cache_write_5m_tokens,
    inside(a."output.value", '$.usage.cache_creation.ephemeral_1h_input_tokens') as cache_write_1h_tokens,
    a."llm.token_count.completion" as output_tokens,
    a."llm.token_count.completion_details.reasoning" as thinking_tokens,
    inside(a."llm.invocation_parameters", '$.max_tokens') as max_tokens,
    a."llm.finish_reason" as stop_reason,
    a."http.response.status_code" as http_status,
    a."error.type" as error_type,
    case when starts_with(inside(a."output.value", '$.id'), 'msg_') then inside(a."output.value", '$.id') end as message_id,
    span.traceId || '/' || span.spanId as event_id,
    coalesce(inside(a.metadata, '$.feature'), a."service.name") as feature,
    a."user.id" as user_id,
    coalesce(a."deployment.environment.name", a."deployment.environment") as environment,
    a."session.id" as session_id,
    span.traceId as trace_id,
    case when span.callId is not null then '0' end as retry_count
from spans
