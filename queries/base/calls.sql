-- Every logical request: its tries taken together, from the first one sent to the one that answered. A try that its
-- source does not link to others is a call by itself. What each column says: see facts.call_outcomes.
-- grain: call_id
with
chained as (
    -- Calls of several rows; all others need no grouping.
    select call_id as chained_id
    from base.attempts
    where call_id is not null
    group by call_id
    having count(*) > 1
),
placed as (
    select
        a.*,
        case when a.is_error then 1 else 0 end as failed,
        row_number() over (partition by a.call_id order by a.attempt_no nulls last, a.started_at, a.attempt_id) as place,
        row_number() over (
            partition by a.call_id
            order by a.is_error, a.attempt_no desc nulls last, a.started_at desc, a.attempt_id desc
        ) as place_from_answer,
        min(a.started_at) over (partition by a.call_id) as first_started_at
    from base.attempts as a
    join chained as c on c.chained_id = a.call_id
    where a.call_id is not null
),
-- When each try began, in ms: a time that was written at its end lies its latency later.
begun as (
    select
        *,
        cast(date_diff('microsecond', first_started_at, started_at) as double) / 1000
            - case when coalesce(is_end_time, false) then latency_ms else 0 end as began_ms
    from placed
),
timed as (
    select
        *,
        began_ms - max(case when place = 1 then began_ms end) over (partition by call_id) as since_first_ms
    from begun
),
whole as (
    select
        coalesce(a.call_id, a.attempt_id) as call_id,
        a.started_at,
        a.source_format,
        a.feature,
        a.user_id,
        a.team,
        a.environment,
        a.workspace_id,
        a.session_id,
        a.trace_id,
        a.model_raw,
        a.is_batch,
        1 as logged_attempts,
        case when a.is_error then 1 else 0 end as logged_failures,
        a.retry_count,
        a.retry_count as first_retry_count,
        a.is_error as is_failed,
        a.is_error as is_first_failed,
        a.error_type as first_error_type,
        a.http_status as first_http_status,
        a.error_type,
        a.http_status,
        a.latency_ms as duration_ms,
        a.latency_ms as attempt_latency_ms,
        a.retry_count as answer_retry_count,
        a.ttft_ms,
        cast(0 as double) as since_first_ms,
        a.max_tokens,
        a.stop_reason,
        a.output_tokens as answer_tokens
    from base.attempts as a
    left join chained as c on c.chained_id = a.call_id
    where c.chained_id is null
    union all
    select
        call_id,
        min(started_at) as started_at,
        max(case when place = 1 then source_format end) as source_format,
        max(case when place = 1 then feature end) as feature,
        max(case when place = 1 then user_id end) as user_id,
        max(case when place = 1 then team end) as team,
        max(case when place = 1 then environment end) as environment,
        max(case when place = 1 then workspace_id end) as workspace_id,
        max(case when place = 1 then session_id end) as session_id,
        max(case when place = 1 then trace_id end) as trace_id,
        max(case when place_from_answer = 1 then model_raw end) as model_raw,
        max(is_batch) as is_batch,
        cast(count(*) as integer) as logged_attempts,
        cast(sum(failed) as integer) as logged_failures,
        cast(case when count(retry_count) = count(*) then sum(retry_count) end as integer) as retry_count,
        max(case when place = 1 then retry_count end) as first_retry_count,
        min(failed) = 1 as is_failed,
        max(case when place = 1 then failed end) = 1 as is_first_failed,
        max(case when place = 1 then error_type end) as first_error_type,
        max(case when place = 1 then http_status end) as first_http_status,
        max(case when place_from_answer = 1 then error_type end) as error_type,
        max(case when place_from_answer = 1 then http_status end) as http_status,
        max(case when place_from_answer = 1 then since_first_ms + latency_ms end) as duration_ms,
        max(case when place_from_answer = 1 then latency_ms end) as attempt_latency_ms,
        max(case when place_from_answer = 1 then retry_count end) as answer_retry_count,
        max(case when place_from_answer = 1 then since_first_ms + ttft_ms end) as ttft_ms,
        max(case when place_from_answer = 1 then since_first_ms end) as since_first_ms,
        max(case when place_from_answer = 1 then max_tokens end) as max_tokens,
        max(case when place_from_answer = 1 then stop_reason end) as stop_reason,
        max(case when place_from_answer = 1 then output_tokens end) as answer_tokens
    from timed
    group by call_id
),
known as (
    select *, is_first_failed or first_retry_count > 0 as has_failed_first from whole
)
select
    call_id,
    started_at,
    source_format,
    feature,
    user_id,
    team,
    environment,
    workspace_id,
    session_id,
    trace_id,
    model_raw,
    is_batch,
    logged_attempts,
    logged_attempts + coalesce(retry_count, 0) as attempts,
    logged_failures + coalesce(retry_count, 0) as failed_attempts,
    retry_count is not null as is_retry_known,
    is_failed,
    case when retry_count is not null then has_failed_first end as is_first_attempt_failed,
    case when retry_count is not null then has_failed_first and not is_failed end as is_masked,
    case when is_first_failed and coalesce(first_retry_count, 0) = 0 then first_error_type end as first_error_type,
    case when is_first_failed and coalesce(first_retry_count, 0) = 0 then first_http_status end as first_http_status,
    case when is_failed then error_type end as error_type,
    case when is_failed then http_status end as http_status,
    duration_ms,
    case when answer_retry_count = 0 then attempt_latency_ms end as attempt_latency_ms,
    ttft_ms,
    case when retry_count = 0 then since_first_ms end as wasted_ms,
    max_tokens,
    stop_reason,
    answer_tokens
from known
