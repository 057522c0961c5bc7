-- The logical requests that agree in all that filters and outcomes go by, added up by the hour in which the first try
-- was sent.
-- kept
-- grain: begins_at, feature, team, environment, model_raw, is_batch, is_retry_known, is_failed, is_first_attempt_failed, is_masked, error_type, http_status, first_error_type, first_http_status
select
    date_trunc('hour', started_at) as begins_at,
    feature,
    team,
    environment,
    model_raw,
    is_batch,
    is_retry_known,
    is_failed,
    is_first_attempt_failed,
    is_masked,
    error_type,
    http_status,
    first_error_type,
    first_http_status,
    count(*) as calls,
    cast(sum(attempts) as bigint) as attempts,
    cast(sum(failed_attempts) as bigint) as failed_attempts,
    cast(sum(attempts * attempts) as bigint) as attempts_squares,
    cast(sum(case when attempts > 1 then 1 else 0 end) as bigint) as retried_calls,
    cast(sum(case when attempts > 1 and (failed_attempts > 1 or is_failed) then 1 else 0 end) as bigint) as twice_failed_calls,
    count(wasted_ms) as wasted_known_calls,
    sum(cast(wasted_ms as decimal(18, 3))) as wasted_ms,
    min(started_at) as first_started_at,
    max(started_at) as last_started_at
from base.calls
group by all
