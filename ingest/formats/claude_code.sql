-- Claude Code session transcripts: projects/<folder>/<session>.jsonl and the sub-agents' files beside them.
--
-- Written by: Claude Code, one line per event; an undocumented format that changes, so only the keys below are read.
-- Keys: sessionId, leafUuid, messageId, uuid
-- Known by: typed lines of a session. Only `assistant` lines with a usage, their error twins and `api_error` lines tell
--   of requests; every other line (user turns, tool results, summaries, titles) holds none, by the format's own rule.
-- Input tokens: exclusive, as in the Messages API's usage.
-- One request is told by several lines, one per content block, the early ones with placeholder output counts: they share
--   message.id and are folded to the most complete. Resumed sessions and sub-agents repeat lines: same rule.
-- Retries: every retried attempt is an `api_error` line of its own, so no line hides any. It belongs to the next answer
--   in its session, unless the user spoke in between.
-- Time: a line bears the moment at which its block was complete.
-- Latency: not recorded per request. Feature: the project folder. Users are not named.
with fields as (
    select line, try(json_transform(record, '{
        "type": "VARCHAR", "subtype": "VARCHAR", "uuid": "VARCHAR", "leafUuid": "VARCHAR", "messageId": "VARCHAR",
        "sessionId": "VARCHAR", "agentId": "VARCHAR", "isSidechain": "VARCHAR", "timestamp": "VARCHAR",
        "requestId": "VARCHAR", "cwd": "VARCHAR", "costUSD": "VARCHAR",
        "isApiErrorMessage": "VARCHAR", "apiErrorStatus": "VARCHAR", "retryAttempt": "VARCHAR",
        "error": "VARCHAR", "custom_id": "VARCHAR", "traceId": "VARCHAR",
        "message": {"id": "VARCHAR", "model": "VARCHAR", "stop_reason": "VARCHAR", "usage": ' || usage_shape() || '}
    }')) as r
    from records
),

events as (
    select
        *,
        r.type = 'assistant' and r.message.usage is not null and r.message.model <> '<synthetic>'
            and coalesce(r.isApiErrorMessage, 'false') <> 'true' as is_answer,
        r.type = 'assistant' and coalesce(r.isApiErrorMessage, 'false') = 'true' as is_final_error,
        r.type = 'system' and r.subtype = 'api_error' as is_retried_error
    from fields
    where r.type is not null and r.custom_id is null and r.traceId is null
        and (r.sessionId is not null or (r.type in ('summary', 'file-history-snapshot', 'queue-operation', 'custom-title')
            and coalesce(r.leafUuid, r.messageId, r.uuid, '') <> ''))
),

-- Which call each line ends or, for a person's turn, that none goes past here ('').
ends as (
    select
        *,
        case
            when is_answer then r.message.id
            when is_final_error then r.uuid
            when r.type = 'user' then ''
        end as ending
    from events
),

calls as (
    select
        *,
        nullif(first_value(ending ignore nulls) over (
            partition by r.sessionId, r.agentId, coalesce(r.isSidechain, 'false') order by line
            rows between current row and unbounded following), '') as call_id
    from ends
)

select
    line,
    not coalesce(is_answer or is_final_error or is_retried_error, false) as no_request,
    r.timestamp as started_at,
    'true' as is_end_time,
    call_id,
    r.retryAttempt as attempt_no,
    case when is_answer then r.message.model end as model_raw,
    r.message.usage.input_tokens as uncached_input_tokens,
    r.message.usage.cache_read_input_tokens as cache_read_tokens,
    r.message.usage.cache_creation.ephemeral_5m_input_tokens as cache_write_5m_tokens,
    r.message.usage.cache_creation.ephemeral_1h_input_tokens as cache_write_1h_tokens,
    r.message.usage.cache_creation_input_tokens as cache_write_tokens,
    r.message.usage.output_tokens as output_tokens,
    r.message.usage.output_tokens_details.thinking_tokens as thinking_tokens,
    r.message.usage.server_tool_use.web_search_requests as web_search_requests,
    r.message.usage.iterations as iterations,
    r.message.usage.service_tier as service_tier,
    r.message.usage.speed as speed,
    r.message.usage.inference_geo as inference_geo,
    r.message.stop_reason as stop_reason,
    coalesce(r.apiErrorStatus, inside(r.error, '$.status')) as http_status,
    case when is_final_error or is_retried_error then coalesce(
        inside(r.error, '$.error.error.type'), inside(r.error, '$.error.type'),
        error_of_status(try_cast(coalesce(r.apiErrorStatus, inside(r.error, '$.status')) as integer)),
        'unknown_error') end as error_type,
    coalesce(r.requestId, inside(r.error, '$.requestID')) as request_id,
    case when is_answer then r.message.id end as message_id,
    case when is_final_error or is_retried_error then r.uuid end as event_id,
    regexp_extract(rtrim(r.cwd, '/\'), '([^/\\]+)$', 1) as feature,
    r.sessionId as session_id,
    r.isSidechain as is_sidechain,
    r.costUSD as cost_reported_usd,
    '0' as retry_count
from calls
