-- Google Vertex AI request-response logs of Claude, exported from their BigQuery table as JSON or CSV.
--
-- Written by: Vertex AI, for a share of the requests that the account chose: the rows are a sample, and their sums are
--   sums of the sample. Nothing is scaled up; the load says so.
-- Keys: logging_time
-- Known by: logging_time with api_method and a response.
-- Input tokens: exclusive, from the usage of the logged Message (or of a stream's message_start and message_delta).
-- Retries: unknown. Ids: request_id names the row; the body's message id. Time: when it was logged.
-- Latency: metadata.request_latency does not say its unit, so it is not read.
-- Model: logged by regional endpoints only, which cost more, so the location stays part of the model's name.
-- Feature and user: only what the request's own metadata says.
with fields as (
    select line, try(json_transform(record, '{
        "endpoint": "VARCHAR", "deployed_model_id": "VARCHAR", "logging_time": "VARCHAR", "request_id": "VARCHAR",
        "model": "VARCHAR", "api_method": "VARCHAR", "full_request": "VARCHAR", "full_response": "VARCHAR",
        "request_payload": "VARCHAR", "response_payload": "VARCHAR"
    }')) as r
    from records
),

told as (
    select
        *,
        coalesce(word(r.full_request), first_among(r.request_payload, '$[*]')) as asked,
        coalesce(
            word(r.full_response),
            -- The payload is a list of JSON texts: one body, or the chunks of a stream.
            case when json_array_length(try(cast(r.response_payload as json))) = 1
                then first_among(r.response_payload, '$[*]')
                else '[' || array_to_string(try(json_extract_string(r.response_payload, '$[*]')), ',') || ']' end
        ) as body
    from fields
    where r.logging_time is not null and r.api_method is not null
        and coalesce(r.full_response, r.response_payload) is not null
),

counted as (
    select
        *,
        try(json_transform(
            coalesce(inside(body, '$.usage'), first_among(body, '$[*].message.usage')), usage_shape())) as usage,
        coalesce(inside(body, '$.model'), first_among(body, '$[*].message.model'),
            regexp_extract(coalesce(word(r.model), word(r.deployed_model_id)), '([^/]+)$', 1)) as model
    from told
)

select
    line,
    r.logging_time as started_at,
    'true' as is_end_time,
    coalesce(nullif(regexp_extract(r.endpoint, '(locations/[^/]+)', 1), '') || '/', '') || model as model_raw,
    'vertex' as platform,
    usage.input_tokens as uncached_input_tokens,
    usage.cache_read_input_tokens as cache_read_tokens,
    usage.cache_creation.ephemeral_5m_input_tokens as cache_write_5m_tokens,
    usage.cache_creation.ephemeral_1h_input_tokens as cache_write_1h_tokens,
    usage.cache_creation_input_tokens as cache_write_tokens,
    coalesce(last_among(body, '$[*].usage.output_tokens'), usage.output_tokens) as output_tokens,
    usage.output_tokens_details.thinking_tokens as thinking_tokens,
    usage.service_tier as service_tier,
    inside(asked, '$.max_tokens') as max_tokens,
    inside(asked, '$.stream') as is_streamed,
    coalesce(inside(body, '$.stop_reason'), last_among(body, '$[*].delta.stop_reason')) as stop_reason,
    case when inside(body, '$.error') is not null then
        coalesce(inside(body, '$.error.type'), inside(body, '$.error.status'), 'unknown_error') end as error_type,
    coalesce(inside(body, '$.id'), first_among(body, '$[*].message.id')) as message_id,
    r.request_id as event_id,
    inside(asked, '$.metadata.feature') as feature,
    inside(asked, '$.metadata.user_id') as user_id
from counted
