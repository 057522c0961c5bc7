-- The tries outside the Batch API, as uses of one prompt prefix by their feature and model (and by the prefix itself where
-- its digest is logged), and whether an entry for that prefix would still have been in the cache: every use keeps it for
-- another five minutes, or hour. A use within two seconds of the one that writes an entry comes too early to read it.
-- grain: attempt_id
with
uses as (
    select
        *,
        lag(started_at) over (partition by feature, model, cache_prefix_id order by started_at, attempt_id) as used_before_at
    from focus.rated_attempts
    where not is_batch and cache_read_pico is not null
),
written as (
    select
        *,
        max(case when used_before_at is null or started_at > used_before_at + interval 5 minute then started_at end)
            over (partition by feature, model, cache_prefix_id order by started_at, attempt_id rows unbounded preceding) as written_5m_at,
        max(case when used_before_at is null or started_at > used_before_at + interval 1 hour then started_at end)
            over (partition by feature, model, cache_prefix_id order by started_at, attempt_id rows unbounded preceding) as written_1h_at
    from uses
)
select
    * exclude (written_5m_at, written_1h_at),
    started_at > written_5m_at + interval 2 second as is_hit_5m, -- an entry kept for five minutes would have been read
    started_at > written_1h_at + interval 2 second as is_hit_1h -- the same for an hour
from written
