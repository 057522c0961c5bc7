-- The tries outside the Batch API whose tokens are known, as uses of the prompt cache where they read from it or wrote to
-- it, with what the use before and the next one tell of them. These are uses of the same prefix and conversation where
-- they are logged, else of the same feature and model, by whomever. What lies more than an hour off is of no account.
-- grain: attempt_id
with
counted as (
    select
        attempt_id,
        started_at,
        feature,
        user_id,
        team,
        environment,
        session_id,
        cache_prefix_id,
        model_raw,
        variant,
        prompt_tokens,
        prompt_tokens > uncached_input_tokens as is_use,
        uncached_input_tokens,
        coalesce(cache_read_tokens, 0) as cache_read_tokens,
        cache_write_tokens - coalesce(cache_write_1h_tokens, 0) as cache_write_5m_tokens,
        coalesce(cache_write_1h_tokens, 0) as cache_write_1h_tokens,
        output_tokens,
        coalesce(web_search_requests, 0) as web_search_requests
    from base.attempts
    where iterations is null
        and not is_free
        and not is_batch
        and uncached_input_tokens is not null
        and output_tokens is not null
),
uses as (
    select
        *,
        lag(started_at) over same as used_before_at,
        lead(started_at) over same as used_next_at,
        lead(cache_read_tokens) over same as read_next_tokens
    from counted
    where is_use
    window same as (partition by feature, model_raw, cache_prefix_id, session_id order by started_at, attempt_id)
),
judged as (
    select
        *,
        -- A cache of an hour would have had what one of five minutes had not.
        coalesce(started_at > used_before_at + interval 5 minute and started_at <= used_before_at + interval 1 hour, false) as is_late,
        -- What it wrote, if anything, was not read by the next use in time.
        case
            when cache_write_1h_tokens > 0 then coalesce(used_next_at > started_at + interval 1 hour, true)
            else coalesce(used_next_at > started_at + interval 5 minute, true)
        end or coalesce(read_next_tokens, 0) = 0 as is_unread
    from uses
)
select
    attempt_id,
    started_at,
    feature,
    user_id,
    team,
    environment,
    model_raw,
    variant,
    1 as calls,
    prompt_tokens as input_tokens,
    1 as uses,
    uncached_input_tokens as use_uncached_input_tokens,
    cache_read_tokens,
    cache_write_5m_tokens,
    cache_write_1h_tokens,
    output_tokens as use_output_tokens,
    web_search_requests as use_web_search_requests,
    case when is_unread then cache_write_5m_tokens else 0 end as unread_5m_tokens,
    case when is_unread then cache_write_1h_tokens else 0 end as unread_1h_tokens,
    case when is_late and cache_read_tokens = 0 then cache_write_5m_tokens else 0 end as rewritten_tokens,
    case when is_late and cache_write_1h_tokens = 0 then cache_read_tokens else 0 end as reread_tokens
from judged
union all
select
    attempt_id,
    started_at,
    feature,
    user_id,
    team,
    environment,
    model_raw,
    variant,
    1 as calls,
    prompt_tokens as input_tokens,
    0 as uses,
    0 as use_uncached_input_tokens,
    0 as cache_read_tokens,
    0 as cache_write_5m_tokens,
    0 as cache_write_1h_tokens,
    0 as use_output_tokens,
    0 as use_web_search_requests,
    0 as unread_5m_tokens,
    0 as unread_1h_tokens,
    0 as rewritten_tokens,
    0 as reread_tokens
from counted
where not is_use
