-- How long callers wait, by slice: percentiles over answered calls. Batch calls are left out.
-- each slice: total, feature, model, user, team, environment, day, hour
-- grain: slice
with
waits as (
    select
        slice,
        count(*) as calls,
        count(case when not is_failed then duration_ms end) as timed_calls,
        percentiles(case when not is_failed then duration_ms end) as duration,
        count(attempt_latency_ms) as timed_attempts,
        percentiles(case when not is_failed then attempt_latency_ms end) as latency,
        count(case when not is_failed then ttft_ms end) as ttft_known_calls,
        percentiles(case when not is_failed then ttft_ms end) as ttft,
        sum(case when is_retry_known then 1 else 0 end) as retry_known_calls
    from focus.calls
    where not is_batch
    group by slice
)
select
    slice, -- the slice; (unattributed) when the log does not say
    calls, -- logical requests, failed ones included
    timed_calls, -- answered calls whose waiting time is known
    duration[1] as p50_ms, -- half of the callers waited no longer, retries included
    duration[2] as p90_ms, -- nine in ten waited no longer
    duration[3] as p95_ms, -- 95 in 100 waited no longer
    duration[4] as p99_ms, -- 99 in 100 waited no longer
    timed_attempts, -- answers known to hide no retry
    latency[1] as attempt_p50_ms, -- half of those tries took no longer by themselves
    latency[2] as attempt_p90_ms, -- nine in ten took no longer
    latency[3] as attempt_p95_ms, -- 95 in 100 took no longer
    latency[4] as attempt_p99_ms, -- 99 in 100 took no longer
    ttft_known_calls, -- answered calls whose first token was timed
    ttft[1] as ttft_p50_ms, -- half of the callers saw the first token no later
    ttft[2] as ttft_p90_ms, -- nine in ten saw it no later
    ttft[3] as ttft_p95_ms, -- 95 in 100 saw it no later
    ttft[4] as ttft_p99_ms, -- 99 in 100 saw it no later
    cast(retry_known_calls as double) / nullif(calls, 0) as retry_known_rate -- part of the calls whose number of tries is known
from waits
order by in_time(slice), calls desc, slice
