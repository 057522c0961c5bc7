-- Message Batches: the lines of a batch's results, and the files that belong to them.
--
-- Written by: GET /v1/messages/batches/{id}/results, one line per request in no order. Beside it may lie the batch object
--   (JSON) and the file of requests (custom_id and params).
-- Keys: custom_id, processing_status
-- Known by: custom_id with a result; custom_id with params; an object of type message_batch. The last two hold no
--   request of their own: they tell of the results' requests (see ingest/batches.py for how they are brought together).
-- Input tokens: exclusive, as in the Messages API's usage. Always priced as batch, also where the usage does not say so.
-- What became of it: succeeded is an answer; errored a failed attempt; expired a failed one too, since it was asked and
--   never answered; canceled holds no request, since it was withdrawn before the model saw it. Only answers are billed.
-- Retries: unknown. Latency: none; results lie about until they are fetched.
-- Ids: the message's; the error's request id; batch id and custom_id, with the batch id from the log's name
--   (msgbatch_…) or its batch object.
-- Time: the lines carry none. It is the batch's created_at; without a batch object, the day given by hand.
-- Feature: what stands before -- in custom_id (summarise--000123).
with fields as (
    select line, try(json_transform(record, '{
        "custom_id": "VARCHAR", "type": "VARCHAR", "id": "VARCHAR", "processing_status": "VARCHAR", "params": "VARCHAR",
        "result": {"type": "VARCHAR",
            "message": {"id": "VARCHAR", "model": "VARCHAR", "stop_reason": "VARCHAR", "usage": ' || usage_shape() || '},
            "error": {"request_id": "VARCHAR", "type": "VARCHAR",
                "error": {"type": "VARCHAR", "details": {"error_code": "VARCHAR"}}}}
    }')) as r
    from records
)

select
    line,
    case when r.result.type is null or r.result.type = 'canceled' then 'true' end as no_request,
    case when r.result.type = 'expired' and batch_id is null then
        'an expired request is named by its batch; put the batch object beside the results, or msgbatch_… in their name'
    end as told_refusal,
    batch_created_at as started_at,
    'false' as is_end_time,
    coalesce(r.result.message.model, q.model) as model_raw,
    'anthropic' as platform,
    r.result.message.usage.input_tokens as uncached_input_tokens,
    r.result.message.usage.cache_read_input_tokens as cache_read_tokens,
    r.result.message.usage.cache_creation.ephemeral_5m_input_tokens as cache_write_5m_tokens,
    r.result.message.usage.cache_creation.ephemeral_1h_input_tokens as cache_write_1h_tokens,
    r.result.message.usage.cache_creation_input_tokens as cache_write_tokens,
    r.result.message.usage.output_tokens as output_tokens,
    r.result.message.usage.output_tokens_details.thinking_tokens as thinking_tokens,
    r.result.message.usage.server_tool_use.web_search_requests as web_search_requests,
    r.result.message.usage.iterations as iterations,
    'batch' as service_tier,
    r.result.message.usage.inference_geo as inference_geo,
    q.max_tokens,
    'false' as is_streamed,
    r.result.message.stop_reason as stop_reason,
    case r.result.type
        when 'errored' then coalesce(r.result.error.error.type, 'unknown_error')
        when 'expired' then 'batch_expired'
    end as error_type,
    r.result.error.error.details.error_code as error_code,
    r.result.error.request_id as request_id,
    r.result.message.id as message_id,
    batch_id || '/' || r.custom_id as event_id,
    nullif(regexp_extract(r.custom_id, '^(.+?)--', 1), '') as feature,
    q.user_id
from fields
cross join settings
left join batch_requests as q on q.custom_id = r.custom_id
where (r.custom_id is not null and (r.result.type is not null or r.params is not null))
    or (r.type = 'message_batch' and r.processing_status is not null)
