-- The recorder's lines: one per attempt, one per call, one per result of a batch, and one for lines that were lost.
--
-- Written by: outlay-recorder, inside the application, around the Anthropic SDK; see recorder/README.md.
-- Keys: outlay_recorder
-- Known by: its version field, outlay_recorder.
-- Input tokens: exclusive, as in the response's usage.
-- Retries: every attempt is a line of its own, so none is hidden. What a batch tries inside is not known.
-- Time: an attempt's is its begin; a batch result's is when it was read, for it has none of its own.
with fields as (
    select line, try(json_transform(record, '{
        "outlay_recorder": "VARCHAR", "kind": "VARCHAR", "process": "VARCHAR", "seq": "VARCHAR",
        "started_at": "VARCHAR", "recorded_at": "VARCHAR", "call_id": "VARCHAR", "attempt_no": "VARCHAR",
        "latency_ms": "VARCHAR", "ttft_ms": "VARCHAR", "wait_ms": "VARCHAR", "model": "VARCHAR",
        "platform": "VARCHAR", "input_tokens": "VARCHAR", "cache_read_tokens": "VARCHAR",
        "cache_write_tokens": "VARCHAR", "cache_write_5m_tokens": "VARCHAR", "cache_write_1h_tokens": "VARCHAR",
        "output_tokens": "VARCHAR", "thinking_tokens": "VARCHAR", "web_search_requests": "VARCHAR",
        "iterations": "VARCHAR", "service_tier": "VARCHAR", "speed": "VARCHAR", "inference_geo": "VARCHAR",
        "max_tokens": "VARCHAR", "is_streamed": "VARCHAR", "cache_prefix_id": "VARCHAR",
        "cache_prefix_chars": "VARCHAR", "stop_reason": "VARCHAR", "http_status": "VARCHAR",
        "error_type": "VARCHAR", "error_code": "VARCHAR", "requests_headroom": "VARCHAR",
        "input_tokens_headroom": "VARCHAR", "output_tokens_headroom": "VARCHAR", "request_id": "VARCHAR",
        "message_id": "VARCHAR", "batch_id": "VARCHAR", "custom_id": "VARCHAR", "feature": "VARCHAR",
        "user_id": "VARCHAR", "team": "VARCHAR", "environment": "VARCHAR", "session_id": "VARCHAR",
        "trace_id": "VARCHAR", "tags": "VARCHAR", "client_version": "VARCHAR",
        "dropped": "VARCHAR", "lost_process": "VARCHAR", "lines_given": "VARCHAR"
    }')) as r
    from records
)

select
    line,
    -- What a call line says follows from its attempts; what a drops line says is about lines, not about requests.
    case when r.kind in ('call', 'drops') then 'true' end as no_request,
    case
        when r.outlay_recorder <> '1' then
            'written by a newer recorder than this Outlay knows (version ' || left(r.outlay_recorder, 8)
            || '); update Outlay'
        when coalesce(r.kind, '') not in ('attempt', 'batch_result', 'call', 'drops') then
            'a recorder line of a kind that this Outlay does not know; update Outlay'
    end as told_refusal,
    -- What ingest/numbering.py counts by.
    concat_ws(' ', r.process, r.seq, coalesce(r.dropped, ''), coalesce(r.lost_process, ''),
        coalesce(r.lines_given, '')) as numbered,
    coalesce(r.started_at, r.recorded_at) as started_at,
    case when r.started_at is null then 'true' else 'false' end as is_end_time,
    r.call_id,
    r.attempt_no,
    r.latency_ms,
    r.ttft_ms,
    r.wait_ms,
    r.model as model_raw,
    r.platform,
    r.input_tokens as uncached_input_tokens,
    r.cache_read_tokens,
    r.cache_write_5m_tokens,
    r.cache_write_1h_tokens,
    r.cache_write_tokens,
    r.output_tokens,
    r.thinking_tokens,
    r.web_search_requests,
    r.iterations,
    r.service_tier,
    r.speed,
    r.inference_geo,
    r.max_tokens,
    r.is_streamed,
    r.cache_prefix_id,
    r.cache_prefix_chars,
    r.stop_reason,
    r.http_status,
    r.error_type,
    r.error_code,
    r.requests_headroom,
    r.input_tokens_headroom,
    r.output_tokens_headroom,
    r.request_id,
    r.message_id,
    -- A batch's results can be read, and so told, more than once.
    coalesce(r.batch_id || '/' || r.custom_id, r.process || '-' || r.seq) as event_id,
    r.feature,
    r.user_id,
    r.team,
    r.environment,
    r.session_id,
    r.trace_id,
    r.tags,
    r.client_version,
    case when r.kind = 'attempt' then '0' end as retry_count
from fields
where r.outlay_recorder is not null
