-- How often calls fail, at first, at every try and in the end, by slice; and what retries hide.
-- What needs the number of tries is counted over the calls whose log tells it: see retry_known_rate.
-- each slice: total, feature, model, user, team, environment, day, hour
-- grain: slice
with
outcomes as (
    select
        slice,
        cast(sum(calls) as bigint) as calls,
        sum(attempts) as attempts,
        sum(case when is_retry_known then calls else 0 end) as retry_known_calls,
        sum(case when is_retry_known then attempts else 0 end) as retry_known_attempts,
        sum(case when is_first_attempt_failed then calls else 0 end) as first_attempt_errors,
        sum(case when is_retry_known then failed_attempts else 0 end) as failed_attempts,
        sum(case when is_failed then calls else 0 end) as failed_calls,
        sum(case when is_masked then calls else 0 end) as masked_calls,
        cast(sum(case when is_masked then wasted_ms end) as double) as wasted_ms
    from focus.calls_by_hour
    group by slice
),
failures as (
    select slice as failed_slice, sum(cost_usd) as wasted_cost_usd
    from focus.attempts_by_hour
    where is_error
    group by slice
)
select
    slice, -- the slice; (unattributed) when the log does not say
    calls, -- logical requests
    attempts, -- HTTP tries: the logged ones and the known hidden ones
    retry_known_calls, -- calls whose number of tries is known
    cast(retry_known_calls as double) / nullif(calls, 0) as retry_known_rate, -- their part of the calls
    retry_known_attempts, -- tries of those calls
    first_attempt_errors, -- of those calls, how many failed at the first try
    cast(first_attempt_errors as double) / nullif(retry_known_calls, 0) as first_attempt_error_rate, -- failed first tries over calls with known tries
    wilson_low(first_attempt_errors, retry_known_calls) as first_attempt_error_rate_low, -- 95 % interval (Wilson), lower end
    wilson_high(first_attempt_errors, retry_known_calls) as first_attempt_error_rate_high, -- 95 % interval (Wilson), upper end
    failed_attempts, -- failed tries of calls with known tries
    cast(failed_attempts as double) / nullif(retry_known_attempts, 0) as attempt_error_rate, -- failed tries over tries, for calls with known tries
    wilson_low(failed_attempts, retry_known_attempts) as attempt_error_rate_low, -- 95 % interval (Wilson), lower end
    wilson_high(failed_attempts, retry_known_attempts) as attempt_error_rate_high, -- 95 % interval (Wilson), upper end
    failed_calls, -- calls without any successful try, of all calls
    cast(failed_calls as double) / nullif(calls, 0) as final_error_rate, -- failed calls over all calls
    wilson_low(failed_calls, calls) as final_error_rate_low, -- 95 % interval (Wilson), lower end
    wilson_high(failed_calls, calls) as final_error_rate_high, -- 95 % interval (Wilson), upper end
    masked_calls, -- calls that failed at first and then succeeded: errors that retries hide
    cast(masked_calls as double) / nullif(retry_known_calls, 0) as masked_rate, -- masked calls over calls with known tries
    wilson_low(masked_calls, retry_known_calls) as masked_rate_low, -- 95 % interval (Wilson), lower end
    wilson_high(masked_calls, retry_known_calls) as masked_rate_high, -- 95 % interval (Wilson), upper end
    cast(retry_known_attempts as double) / nullif(retry_known_calls, 0) as amplification, -- tries per call, for calls with known tries
    wasted_ms, -- time from the first try to the one that answered, over masked calls whose tries were all logged
    coalesce(wasted_cost_usd, 0) as wasted_cost_usd -- what was billed for tries that failed, such as streams that broke off
from outcomes
left join failures on failed_slice = slice
order by in_time(slice), calls desc, slice
