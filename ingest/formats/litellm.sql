-- LiteLLM: spend logs (table LiteLLM_SpendLogs, as JSON, CSV or Parquet, or from /spend/logs) and StandardLoggingPayloads
-- (one JSON object per attempt, from its S3, GCS and custom callbacks).
--
-- Written by: the LiteLLM proxy. Names differ in case by the way of export: startTime, start_time, starttime.
-- Keys: spend, response_cost
-- Known by: a model with `spend` or `response_cost` and a start time.
-- Input tokens: inclusive. prompt_tokens counts cache reads and writes too, so both are taken off; a row whose prompt is
--   smaller than its cached part is refused. Where no usage object is kept, the whole prompt counts as uncached.
-- Retries: a payload is one attempt, and those of a call share trace_id. A spend log hides earlier attempts, as many as
--   metadata.attempted_retries says; without it they are unknown.
-- Answers from LiteLLM's own response cache (cache_hit) are no requests to Claude.
-- Ids: request_id or id names the record. The provider's own request id stands in hidden_params, a message id in the
--   response of the Messages endpoint.
-- Time: the start; UTC, or epoch seconds. Cost: US dollars, by LiteLLM's price list. Stop reasons: OpenAI's words.
with fields as (
    select line, try(json_transform(record, '{
        "request_id": "VARCHAR", "id": "VARCHAR", "trace_id": "VARCHAR", "session_id": "VARCHAR", "status": "VARCHAR",
        "spend": "VARCHAR", "response_cost": "VARCHAR", "prompt_tokens": "VARCHAR", "completion_tokens": "VARCHAR",
        "startTime": "VARCHAR", "endTime": "VARCHAR", "completionStartTime": "VARCHAR",
        "start_time": "VARCHAR", "end_time": "VARCHAR", "completion_start_time": "VARCHAR",
        "request_duration_ms": "VARCHAR", "response_time": "VARCHAR", "stream": "VARCHAR",
        "model": "VARCHAR", "custom_llm_provider": "VARCHAR", "user": "VARCHAR", "end_user": "VARCHAR",
        "team_id": "VARCHAR", "cache_hit": "VARCHAR", "request_tags": "VARCHAR", "metadata": "VARCHAR",
        "error_information": "VARCHAR", "hidden_params": "VARCHAR", "model_parameters": "VARCHAR",
        "response": "VARCHAR", "usage": "VARCHAR", "request": "VARCHAR"
    }')) as r,
    -- In lower case as Postgres folds names; json_transform knows no two names that differ in case only.
    try(json_extract_string(record, ['$.starttime', '$.endtime', '$.completionstarttime'])) as folded
    from records
),

told as (
    select
        *,
        coalesce(r.startTime, r.start_time, folded[1]) as started,
        coalesce(r.endTime, r.end_time, folded[2]) as ended,
        coalesce(r.completionStartTime, r.completion_start_time, folded[3]) as answering,
        r.spend is null as is_payload,
        coalesce(inside(r.metadata, '$.usage_object'), '{}') as usage,
        coalesce(inside(r.metadata, '$.additional_usage_values'), '{}') as more_usage,
        coalesce(r.error_information, inside(r.metadata, '$.error_information'), '{}') as failure,
        coalesce(r.id, r.request_id) as record_id
    from fields
    where r.model is not null and coalesce(r.spend, r.response_cost) is not null and r.request is null
),

counted as (
    select
        *,
        coalesce(inside(usage, '$.cache_read_input_tokens'), inside(more_usage, '$.cache_read_input_tokens'),
            inside(usage, '$.prompt_tokens_details.cached_tokens')) as cache_read,
        coalesce(inside(usage, '$.cache_creation_input_tokens'), inside(more_usage, '$.cache_creation_input_tokens'),
            inside(usage, '$.prompt_tokens_details.cache_creation_tokens')) as cache_write,
        coalesce(r.status, '') = 'failure' as is_failure
    from told
    where started is not null
)

select
    line,
    case when lower(r.cache_hit) = 'true' then 'true' end as no_request,
    contradiction(r.prompt_tokens, coalesce(whole(cache_read), 0) + coalesce(whole(cache_write), 0)) as told_refusal,
    in_utc(started) as started_at,
    'false' as is_end_time,
    case when is_payload then r.trace_id end as call_id,
    coalesce(r.request_duration_ms, case when is_payload then milliseconds(r.response_time) end,
        between_ms(in_utc(started), in_utc(ended))) as latency_ms,
    case when instant(answering) < instant(ended) then between_ms(in_utc(started), in_utc(answering)) end as ttft_ms,
    r.model as model_raw,
    platform_of(coalesce(word(r.custom_llm_provider), regexp_extract(r.model, '^(\w+)/', 1))) as platform,
    case when not is_failure or r.prompt_tokens <> '0' then
        exclusive(r.prompt_tokens, coalesce(whole(cache_read), 0) + coalesce(whole(cache_write), 0))
    end as uncached_input_tokens,
    cache_read as cache_read_tokens,
    inside(usage, '$.prompt_tokens_details.cache_creation_token_details.ephemeral_5m_input_tokens')
        as cache_write_5m_tokens,
    inside(usage, '$.prompt_tokens_details.cache_creation_token_details.ephemeral_1h_input_tokens')
        as cache_write_1h_tokens,
    cache_write as cache_write_tokens,
    case when not is_failure or r.completion_tokens <> '0' then r.completion_tokens end as output_tokens,
    inside(usage, '$.completion_tokens_details.reasoning_tokens') as thinking_tokens,
    inside(usage, '$.server_tool_use.web_search_requests') as web_search_requests,
    inside(usage, '$.service_tier') as service_tier,
    inside(usage, '$.speed') as speed,
    inside(usage, '$.inference_geo') as inference_geo,
    inside(r.model_parameters, '$.max_tokens') as max_tokens,
    r.stream as is_streamed,
    coalesce(inside(r.response, '$.choices[0].finish_reason'), inside(r.response, '$.stop_reason')) as stop_reason,
    case when is_failure then inside(failure, '$.error_code') end as http_status,
    -- By the status where Anthropic's errors have one: LiteLLM's classes are coarser.
    case when is_failure then coalesce(
        nullif(regexp_extract(error_of_status(try_cast(inside(failure, '$.error_code') as integer)), '^\w+_error$'), ''),
        word(inside(failure, '$.error_class')), 'unknown_error') end as error_type,
    inside(r.hidden_params, '$.additional_headers."llm_provider-request-id"') as request_id,
    case
        when starts_with(record_id, 'msg_') then record_id
        when starts_with(inside(r.response, '$.id'), 'msg_') then inside(r.response, '$.id')
    end as message_id,
    record_id as event_id,
    coalesce(tagged(r.request_tags, 'feature'), inside(r.metadata, '$.requester_metadata.feature')) as feature,
    coalesce(word(r.end_user), word(inside(r.metadata, '$.user_api_key_end_user_id')), word(r.user),
        word(inside(r.metadata, '$.user_api_key_user_id'))) as user_id,
    coalesce(word(inside(r.metadata, '$.user_api_key_team_alias')), word(r.team_id),
        word(inside(r.metadata, '$.user_api_key_team_id'))) as team,
    coalesce(tagged(r.request_tags, 'environment'), tagged(r.request_tags, 'env')) as environment,
    r.session_id,
    r.trace_id,
    coalesce(r.spend, r.response_cost) as cost_reported_usd,
    case when is_payload then '0' else inside(r.metadata, '$.attempted_retries') end as retry_count
from counted
