-- The tries outside the Batch API that read from the cache or wrote to it, with the time since the use before and what the
-- next use found: uses of the same prefix and conversation where these are logged, else of the same feature and model.
-- grain: attempt_id
with
uses as (
    select
        *,
        lag(started_at) over same as used_before_at,
        lead(started_at) over same as used_next_at,
        lead(cache_read_tokens) over same as read_next_tokens
    from focus.rated_attempts
    where not is_batch and cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens > 0
    window same as (partition by feature, model, cache_prefix_id, session_id order by started_at, attempt_id)
)
select
    *,
    started_at > used_before_at + interval 5 minute and started_at <= used_before_at + interval 1 hour as is_late, -- a cache of an hour would have had what one of five minutes had not
    case
        when cache_write_1h_tokens > 0 then coalesce(used_next_at > started_at + interval 1 hour, true)
        else coalesce(used_next_at > started_at + interval 5 minute, true)
    end or coalesce(read_next_tokens, 0) = 0 as is_unread -- what it wrote, if anything, was not read by the next use in time
from uses
