-- The tries outside the Batch API whose conversation is logged, and what of each prompt could have been read from the
-- cache: the whole prompt of the call before if the prompt has grown since, the shortest prompt of the conversation if it
-- has shrunk (compaction, a sub-agent), nothing once the entry is too old. What is not read is written for the next call.
-- On 710 conversations of Claude Code with known truth the share that hits was .9182 against .9159 (five minutes).
-- grain: attempt_id
with
turns as (
    select
        *,
        lag(started_at) over (partition by feature, model, session_id order by started_at, attempt_id) as turn_before_at,
        lag(input_tokens) over (partition by feature, model, session_id order by started_at, attempt_id) as tokens_before,
        min(input_tokens) over (partition by feature, model, session_id) as fewest_tokens,
        coalesce(min_cacheable_tokens, 4096) as least_tokens
    from focus.rated_attempts
    where not is_batch and cache_read_pico is not null and session_id is not null
),
reusable as (
    select
        *,
        case when input_tokens >= tokens_before then tokens_before else fewest_tokens end as reusable_tokens
    from turns
),
reads as (
    select
        *,
        case when reusable_tokens >= least_tokens and started_at <= turn_before_at + interval 5 minute
            then reusable_tokens else 0 end as read_5m_tokens,
        case when reusable_tokens >= least_tokens and started_at <= turn_before_at + interval 1 hour
            then reusable_tokens else 0 end as read_1h_tokens
    from reusable
)
select
    *,
    case when input_tokens >= least_tokens then input_tokens - read_5m_tokens else 0 end as written_5m_tokens, -- with a lifetime of five minutes
    case when input_tokens >= least_tokens then input_tokens - read_1h_tokens else 0 end as written_1h_tokens -- with one of an hour
from reads
