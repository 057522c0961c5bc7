-- Langfuse observations: the public API (camelCase), the blob-storage export observations_v2 (snake_case; Parquet, JSON,
-- JSONL or CSV) and the table export of its pages.
--
-- Written by: Langfuse. In CSV its maps are JSON text.
-- Keys: traceId, trace_id
-- Known by: a type of observation with a trace id and a start. Only a GENERATION is a request; spans, events and the
--   other types hold none.
-- Input tokens: exclusive. usage_details is an open map: `input` leaves the cache out, beside input_cache_read and
--   input_cache_creation (or the API's own words cache_read_input_tokens, cache_creation_input_tokens).
-- Retries: not modelled, so unknown. Ids: `id`. Time: the start, in UTC even where no zone is written.
-- Latency and time to first token: seconds. Cost: US dollars, by price tables that users can change.
with fields as (
    select line, try(json_transform(record, '{
        "id": "VARCHAR", "type": "VARCHAR", "name": "VARCHAR", "level": "VARCHAR", "environment": "VARCHAR",
        "model": "VARCHAR", "tags": "VARCHAR", "latency": "VARCHAR", "metadata": "VARCHAR", "output": "VARCHAR",
        "traceId": "VARCHAR", "startTime": "VARCHAR", "endTime": "VARCHAR", "statusMessage": "VARCHAR",
        "userId": "VARCHAR", "sessionId": "VARCHAR", "traceName": "VARCHAR", "providedModelName": "VARCHAR",
        "usageDetails": "VARCHAR", "costDetails": "VARCHAR", "totalCost": "VARCHAR", "timeToFirstToken": "VARCHAR",
        "modelParameters": "VARCHAR",
        "trace_id": "VARCHAR", "start_time": "VARCHAR", "end_time": "VARCHAR", "status_message": "VARCHAR",
        "user_id": "VARCHAR", "session_id": "VARCHAR", "trace_name": "VARCHAR", "provided_model_name": "VARCHAR",
        "usage_details": "VARCHAR", "cost_details": "VARCHAR", "total_cost": "VARCHAR",
        "time_to_first_token": "VARCHAR", "model_parameters": "VARCHAR"
    }')) as r
    from records
),

told as (
    select
        *,
        in_utc(coalesce(r.startTime, r.start_time)) as started,
        in_utc(coalesce(r.endTime, r.end_time)) as ended,
        coalesce(r.usageDetails, r.usage_details) as usage,
        coalesce(r.costDetails, r.cost_details) as cost
    from fields
    where coalesce(r.traceId, r.trace_id) is not null and coalesce(r.startTime, r.start_time) is not null
        and upper(r.type) in ('GENERATION', 'SPAN', 'EVENT', 'AGENT', 'TOOL', 'CHAIN', 'RETRIEVER', 'EVALUATOR',
            'EMBEDDING', 'GUARDRAIL')
),

counted as (
    select
        *,
        coalesce(inside(usage, '$.input_cache_creation_5m'), inside(usage, '$.ephemeral_5m_input_tokens')) as write_5m,
        coalesce(inside(usage, '$.input_cache_creation_1h'), inside(usage, '$.ephemeral_1h_input_tokens')) as write_1h
    from told
)

select
    line,
    case when upper(r.type) <> 'GENERATION' then 'true' end as no_request,
    started as started_at,
    'false' as is_end_time,
    coalesce(milliseconds(r.latency), between_ms(started, ended)) as latency_ms,
    milliseconds(coalesce(r.timeToFirstToken, r.time_to_first_token)) as ttft_ms,
    coalesce(word(r.model), word(r.providedModelName), word(r.provided_model_name)) as model_raw,
    inside(usage, '$.input') as uncached_input_tokens,
    coalesce(inside(usage, '$.input_cache_read'), inside(usage, '$.cache_read_input_tokens')) as cache_read_tokens,
    write_5m as cache_write_5m_tokens,
    write_1h as cache_write_1h_tokens,
    coalesce(inside(usage, '$.input_cache_creation'), inside(usage, '$.cache_creation_input_tokens'),
        cast(coalesce(whole(write_5m), 0) + whole(write_1h) as varchar), write_5m) as cache_write_tokens,
    inside(usage, '$.output') as output_tokens,
    coalesce(inside(r.modelParameters, '$.max_tokens'), inside(r.model_parameters, '$.max_tokens')) as max_tokens,
    coalesce(inside(r.metadata, '$.stop_reason'), inside(r.output, '$.stop_reason')) as stop_reason,
    case when upper(r.level) = 'ERROR' then
        coalesce(error_in(coalesce(r.statusMessage, r.status_message)), 'unknown_error')
    end as error_type,
    inside(r.metadata, '$.request_id') as request_id,
    case when starts_with(inside(r.output, '$.id'), 'msg_') then inside(r.output, '$.id') end as message_id,
    r.id as event_id,
    coalesce(tagged(r.tags, 'feature'), word(r.traceName), word(r.trace_name), word(r.name)) as feature,
    coalesce(r.userId, r.user_id) as user_id,
    tagged(r.tags, 'team') as team,
    r.environment,
    coalesce(r.sessionId, r.session_id) as session_id,
    coalesce(r.traceId, r.trace_id) as trace_id,
    coalesce(r.totalCost, r.total_cost, inside(cost, '$.total')) as cost_reported_usd
from counted
