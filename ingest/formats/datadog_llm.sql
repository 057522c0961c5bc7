-- Datadog LLM Observability spans, from its export API or as its tracer sends them. (Datadog *logs* are an envelope.)
--
-- Written by: ddtrace's integrations.
-- Keys: meta, metrics
-- Known by: a span id with `meta` and `metrics` objects and start_ns. Only spans of kind llm are requests; workflows,
--   agents, tools and tasks around them hold none.
-- Input tokens: inclusive. metrics.input_tokens counts cache reads and writes too, so both are taken off; a span whose
--   input is smaller than its cached part is refused.
-- Retries: one span per call of the SDK hides its attempts, so unknown.
-- Ids: trace id and span id together. Time: start_ns. Latency: nanoseconds, from the start to the last byte.
-- Time to first token: its unit is not documented, so it is not read. Cost: US dollars.
with fields as (
    select line, try(json_transform(record, '{
        "span_id": "VARCHAR", "trace_id": "VARCHAR", "name": "VARCHAR", "start_ns": "VARCHAR", "duration": "VARCHAR",
        "status": "VARCHAR", "tags": "VARCHAR", "session_id": "VARCHAR", "ml_app": "VARCHAR",
        "meta": {"kind": "VARCHAR", "span.kind": "VARCHAR", "span": {"kind": "VARCHAR"}, "model_name": "VARCHAR",
            "model_provider": "VARCHAR", "error.type": "VARCHAR", "error": {"type": "VARCHAR"},
            "metadata": {"max_tokens": "VARCHAR", "stop_reason": "VARCHAR"}},
        "metrics": {"input_tokens": "VARCHAR", "output_tokens": "VARCHAR", "cache_read_input_tokens": "VARCHAR",
            "cache_write_input_tokens": "VARCHAR", "ephemeral_5m_input_tokens": "VARCHAR",
            "ephemeral_1h_input_tokens": "VARCHAR", "reasoning_output_tokens": "VARCHAR", "total_cost": "VARCHAR"}
    }')) as r
    from records
),

told as (
    select
        *,
        coalesce(r.meta.kind, r.meta."span.kind", r.meta.span.kind) as kind,
        coalesce(whole(r.metrics.cache_read_input_tokens), 0) + coalesce(whole(r.metrics.cache_write_input_tokens), 0)
            as cached
    from fields
    where r.span_id is not null and r.start_ns is not null
        and coalesce(r.meta.kind, r.meta."span.kind", r.meta.span.kind) is not null
)

select
    line,
    case when kind <> 'llm' then 'true' end as no_request,
    contradiction(r.metrics.input_tokens, cached) as told_refusal,
    r.start_ns as started_at,
    'false' as is_end_time,
    cast(try_cast(r.duration as double) / 1000000 as varchar) as latency_ms,
    r.meta.model_name as model_raw,
    platform_of(r.meta.model_provider) as platform,
    exclusive(r.metrics.input_tokens, cached) as uncached_input_tokens,
    r.metrics.cache_read_input_tokens as cache_read_tokens,
    r.metrics.ephemeral_5m_input_tokens as cache_write_5m_tokens,
    r.metrics.ephemeral_1h_input_tokens as cache_write_1h_tokens,
    r.metrics.cache_write_input_tokens as cache_write_tokens,
    r.metrics.output_tokens as output_tokens,
    r.metrics.reasoning_output_tokens as thinking_tokens,
    r.meta.metadata.max_tokens as max_tokens,
    r.meta.metadata.stop_reason as stop_reason,
    case when r.status = 'error' then coalesce(r.meta."error.type", r.meta.error.type, 'unknown_error') end
        as error_type,
    coalesce(r.trace_id, '') || '/' || r.span_id as event_id,
    coalesce(tagged(r.tags, 'feature'), word(r.ml_app), tagged(r.tags, 'ml_app')) as feature,
    coalesce(tagged(r.tags, 'user_id'), tagged(r.tags, 'user.id')) as user_id,
    tagged(r.tags, 'team') as team,
    tagged(r.tags, 'env') as environment,
    coalesce(r.session_id, tagged(r.tags, 'session_id')) as session_id,
    r.trace_id,
    r.metrics.total_cost as cost_reported_usd
from told
