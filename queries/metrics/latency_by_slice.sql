-- How long callers wait, by slice: percentiles over answered calls. Batch calls are left out.
-- each slice: total, feature, model, user, team, environment, day, hour
-- grain: slice
with
told as (
    select slice, measure, microseconds, cast(sum(calls) as bigint) as calls, min(is_exact) as is_exact
    from focus.latencies_by_hour
    group by slice, measure, microseconds
),
told_apart as (
    select * from told where measure <> 'wait and attempt'
    union all
    select slice, 'wait' as measure, microseconds, calls, is_exact from told where measure = 'wait and attempt'
    union all
    select slice, 'attempt' as measure, microseconds, calls, is_exact from told where measure = 'wait and attempt'
),
ranked as (
    select
        slice,
        measure,
        cast(microseconds as double) / 1000 as ms,
        is_exact,
        sum(calls) over (partition by slice, measure order by microseconds) as calls_upto,
        sum(calls) over (partition by slice, measure) as all_calls
    from told_apart
),
waits as (
    select
        slice,
        max(case when measure = 'wait' then all_calls end) as timed_calls,
        min(case when measure = 'wait' and calls_upto >= 0.5 * all_calls then ms end) as p50_ms,
        min(case when measure = 'wait' and calls_upto >= 0.9 * all_calls then ms end) as p90_ms,
        min(case when measure = 'wait' and calls_upto >= 0.95 * all_calls then ms end) as p95_ms,
        min(case when measure = 'wait' and calls_upto >= 0.99 * all_calls then ms end) as p99_ms,
        max(case when measure = 'attempt' then all_calls end) as timed_attempts,
        min(case when measure = 'attempt' and calls_upto >= 0.5 * all_calls then ms end) as attempt_p50_ms,
        min(case when measure = 'attempt' and calls_upto >= 0.9 * all_calls then ms end) as attempt_p90_ms,
        min(case when measure = 'attempt' and calls_upto >= 0.95 * all_calls then ms end) as attempt_p95_ms,
        min(case when measure = 'attempt' and calls_upto >= 0.99 * all_calls then ms end) as attempt_p99_ms,
        max(case when measure = 'first token' then all_calls end) as ttft_known_calls,
        min(case when measure = 'first token' and calls_upto >= 0.5 * all_calls then ms end) as ttft_p50_ms,
        min(case when measure = 'first token' and calls_upto >= 0.9 * all_calls then ms end) as ttft_p90_ms,
        min(case when measure = 'first token' and calls_upto >= 0.95 * all_calls then ms end) as ttft_p95_ms,
        min(case when measure = 'first token' and calls_upto >= 0.99 * all_calls then ms end) as ttft_p99_ms,
        min(is_exact) as is_exact
    from ranked
    group by slice
),
counted as (
    select
        slice,
        cast(sum(calls) as bigint) as calls,
        sum(case when is_retry_known then calls else 0 end) as retry_known_calls
    from focus.calls_by_hour
    where not is_batch
    group by slice
)
select
    c.slice, -- the slice; (unattributed) when the log does not say
    c.calls, -- logical requests, failed ones included
    cast(coalesce(w.timed_calls, 0) as bigint) as timed_calls, -- answered calls whose waiting time is known
    w.p50_ms, -- half of the callers waited no longer, retries included
    w.p90_ms, -- nine in ten waited no longer
    w.p95_ms, -- 95 in 100 waited no longer
    w.p99_ms, -- 99 in 100 waited no longer
    cast(coalesce(w.timed_attempts, 0) as bigint) as timed_attempts, -- answers known to hide no retry
    w.attempt_p50_ms, -- half of those tries took no longer by themselves
    w.attempt_p90_ms, -- nine in ten took no longer
    w.attempt_p95_ms, -- 95 in 100 took no longer
    w.attempt_p99_ms, -- 99 in 100 took no longer
    cast(coalesce(w.ttft_known_calls, 0) as bigint) as ttft_known_calls, -- answered calls whose first token was timed
    w.ttft_p50_ms, -- half of the callers saw the first token no later
    w.ttft_p90_ms, -- nine in ten saw it no later
    w.ttft_p95_ms, -- 95 in 100 saw it no later
    w.ttft_p99_ms, -- 99 in 100 saw it no later
    cast(c.retry_known_calls as double) / nullif(c.calls, 0) as retry_known_rate, -- part of the calls whose number of tries is known
    coalesce(w.is_exact, true) as is_exact -- percentiles are those of the logged times; otherwise they are told to 1 %
from counted as c
left join waits as w on w.slice = c.slice
order by in_time(c.slice), c.calls desc, c.slice
