-- What signals watch, bucket by bucket: the values that a signal's expected range is about, as they are judged.
-- each bucket: day, hour
-- grain: bucket
with
tries as (
    select
        bucket,
        coalesce(sum(cost_usd), 0) as cost_usd,
        cast(sum(case when is_error then 1 else 0 end) as double) / count(*) as attempt_error_rate,
        cast(exp(avg(case when input_tokens > 0 and output_tokens > 0 then ln(input_tokens + output_tokens) end)) as bigint)
            as typical_tokens,
        cast(sum(case when is_truncated then 1 else 0 end) as double)
            / nullif(sum(case when stop_group is not null then 1 else 0 end), 0) as truncation_rate,
        cast(sum(cache_read_tokens) as double)
            / nullif(sum(cache_read_tokens) + sum(cache_write_tokens), 0) as cache_hit_rate,
        percentile_disc(0.95) within group (order by case when not is_error then latency_ms end) as p95_ms,
        exp(avg(case when not is_error then ln(greatest(latency_ms, 1)) end)) as typical_ms
    from focus.attempts
    group by bucket
),
counted as (
    select
        bucket,
        count(*) as calls,
        cast(sum(case when is_retry_known then attempts end) as double)
            / nullif(sum(case when is_retry_known then 1 else 0 end), 0) as amplification,
        cast(sum(case when is_masked then 1 else 0 end) as double)
            / nullif(sum(case when is_retry_known then 1 else 0 end), 0) as masked_rate
    from focus.calls
    group by bucket
)
select
    coalesce(t.bucket, c.bucket) as bucket, -- the bucket on the reader's clock
    coalesce(t.cost_usd, 0) as cost_usd, -- list price of the tries that have one
    coalesce(c.calls, 0) as calls, -- logical requests
    t.typical_tokens, -- tokens of a typical try, in and out: the geometric mean, which one huge prompt does not move
    cast(coalesce(t.cost_usd, 0) / nullif(c.calls, 0) as decimal(18, 12)) as cost_per_call_usd, -- cost over calls
    c.amplification, -- tries per call, for calls with known tries
    t.truncation_rate, -- part of the answers that was cut off
    t.attempt_error_rate, -- failed tries over logged tries
    c.masked_rate, -- calls that failed at first and then succeeded, over calls with known tries
    t.cache_hit_rate, -- tokens read from the cache over tokens read or written
    t.p95_ms, -- 95 in 100 answered tries took no longer
    t.typical_ms -- milliseconds of a typical answered try: the geometric mean
from tries as t
full outer join counted as c on c.bucket = t.bucket
order by bucket
