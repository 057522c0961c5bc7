-- AWS Bedrock model invocation logs, from S3 or CloudWatch.
--
-- Written by: Bedrock, where logging is switched on; only for calls through the bedrock-runtime endpoint.
-- Keys: schemaType
-- Known by: schemaType ModelInvocationLog.
-- Input tokens: exclusive. input.inputTokenCount leaves both cache counts out. How long writes are kept is told only
--   inside the body, in the usage of the message or of a stream's message_start.
-- Retries: every attempt is a record with a requestId of its own, failed ones with an errorCode; none hides any.
-- Ids: requestId; the body's message id. Time: when it was logged, to the second.
-- Latency: only inside the body: in milliseconds, for streams in the last chunk.
-- Feature: requestMetadata, or else the role that asked. Bodies over 100 KB lie elsewhere, and then tell nothing.
with fields as (
    select line, try(json_transform(record, '{
        "schemaType": "VARCHAR", "timestamp": "VARCHAR", "requestId": "VARCHAR", "operation": "VARCHAR",
        "modelId": "VARCHAR", "errorCode": "VARCHAR", "requestMetadata": "VARCHAR", "identity": {"arn": "VARCHAR"},
        "input": {"inputTokenCount": "VARCHAR", "cacheReadInputTokenCount": "VARCHAR",
            "cacheWriteInputTokenCount": "VARCHAR",
            "inputBodyJson": {"max_tokens": "VARCHAR", "inferenceConfig": {"maxTokens": "VARCHAR"},
                "metadata": {"user_id": "VARCHAR"}}},
        "output": {"outputTokenCount": "VARCHAR", "outputBodyJson": "VARCHAR"}
    }')) as r
    from records
),

told as (
    select
        *,
        r.output.outputBodyJson as body,
        coalesce(
            inside(r.output.outputBodyJson, '$.usage'), first_among(r.output.outputBodyJson, '$[*].message.usage')
        ) as usage_text,
        last_among(r.output.outputBodyJson, '$[*]."amazon-bedrock-invocationMetrics"') as metrics
    from fields
    where r.schemaType = 'ModelInvocationLog'
),

counted as (
    select *, try(json_transform(usage_text, usage_shape())) as usage from told
)

select
    line,
    r.timestamp as started_at,
    'false' as is_end_time,
    coalesce(inside(body, '$.metrics.latencyMs'), last_among(body, '$[*].metadata.metrics.latencyMs'),
        inside(metrics, '$.invocationLatency')) as latency_ms,
    inside(metrics, '$.firstByteLatency') as ttft_ms,
    r.modelId as model_raw,
    'bedrock' as platform,
    coalesce(r.input.inputTokenCount, inside(metrics, '$.inputTokenCount'), usage.input_tokens)
        as uncached_input_tokens,
    coalesce(r.input.cacheReadInputTokenCount, usage.cache_read_input_tokens) as cache_read_tokens,
    usage.cache_creation.ephemeral_5m_input_tokens as cache_write_5m_tokens,
    usage.cache_creation.ephemeral_1h_input_tokens as cache_write_1h_tokens,
    coalesce(r.input.cacheWriteInputTokenCount, usage.cache_creation_input_tokens) as cache_write_tokens,
    coalesce(r.output.outputTokenCount, inside(metrics, '$.outputTokenCount')) as output_tokens,
    coalesce(last_among(body, '$[*].usage.output_tokens_details.thinking_tokens'),
        usage.output_tokens_details.thinking_tokens) as thinking_tokens,
    coalesce(r.input.inputBodyJson.max_tokens, r.input.inputBodyJson.inferenceConfig.maxTokens) as max_tokens,
    case when r.operation is not null then cast(r.operation like '%Stream' as varchar) end as is_streamed,
    coalesce(inside(body, '$.stop_reason'), inside(body, '$.stopReason'), last_among(body, '$[*].delta.stop_reason'),
        last_among(body, '$[*].messageStop.stopReason')) as stop_reason,
    case r.errorCode
        when 'ThrottlingException' then 'rate_limit_error'
        when 'ValidationException' then 'invalid_request_error'
        when 'AccessDeniedException' then 'permission_error'
        when 'ResourceNotFoundException' then 'not_found_error'
        when 'InternalServerException' then 'api_error'
        when 'ServiceUnavailableException' then 'overloaded_error'
        when 'ModelTimeoutException' then 'timeout_error'
        else r.errorCode
    end as error_type,
    r.errorCode as error_code,
    r.requestId as request_id,
    coalesce(inside(body, '$.id'), first_among(body, '$[*].message.id')) as message_id,
    coalesce(inside(r.requestMetadata, '$.feature'),
        nullif(regexp_extract(r.identity.arn, ':assumed-role/([^/]+)', 1), '')) as feature,
    coalesce(inside(r.requestMetadata, '$.user_id'), r.input.inputBodyJson.metadata.user_id) as user_id,
    inside(r.requestMetadata, '$.team') as team,
    coalesce(inside(r.requestMetadata, '$.environment'), inside(r.requestMetadata, '$.env')) as environment,
    inside(r.requestMetadata, '$.session_id') as session_id,
    r.requestMetadata as tags,
    '0' as retry_count
from counted
