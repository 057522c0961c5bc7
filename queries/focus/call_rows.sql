-- The calls the reader asked for, one by one, in the shape of focus.calls_by_hour: for questions that sums do not answer.
-- grain: call_id
select
    call_id, -- the call
    total, -- the same for all: what a figure for everything is grouped by
    feature, -- what the call was for
    user_id, -- who it was for
    team, -- who pays
    environment, -- where the application ran
    model, -- model that answered, or was tried last
    is_batch, -- sent through the Batch API
    is_retry_known, -- the log tells how many tries there were
    is_failed, -- no try succeeded
    is_first_attempt_failed, -- the first try failed; null when unknown
    is_masked, -- the first try failed and a later one succeeded; null when unknown
    error_type, -- why the call failed
    http_status, -- HTTP status of the call that failed
    first_error_type, -- why the first try failed; null when it did not or was not logged
    first_http_status, -- HTTP status of the first try if it failed; null when not logged
    1 as calls, -- logical requests
    attempts, -- tries, the known hidden ones included
    failed_attempts, -- failed tries, the known hidden ones included
    attempts * attempts as attempts_squares, -- the tries, squared
    case when attempts > 1 then 1 else 0 end as retried_calls, -- calls of more than one try
    case when attempts > 1 and (failed_attempts > 1 or is_failed) then 1 else 0 end as twice_failed_calls, -- those whose second try failed too
    case when wasted_ms is not null then 1 else 0 end as wasted_known_calls, -- calls whose time from the first try to the one that answered is known
    cast(wasted_ms as decimal(18, 3)) as wasted_ms, -- that time
    started_at as first_started_at, -- when the first try was sent, UTC
    started_at as last_started_at, -- the same
    day, -- day on the reader's clock
    hour -- hour on the reader's clock
from focus.calls
