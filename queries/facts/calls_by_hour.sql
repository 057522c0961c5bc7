-- Logical requests that agree in all that filters and outcomes go by, added up by the hour in which the first try was
-- sent. Without money.
-- grain: begins_at, feature, team, environment, model_raw, is_batch, is_retry_known, is_failed, is_first_attempt_failed, is_masked, error_type, http_status, first_error_type, first_http_status
select
    c.begins_at, -- beginning of the hour, UTC
    c.feature, -- what the calls were for
    c.team, -- who pays
    c.environment, -- where the application ran
    c.model_raw, -- model that answered, or was tried last, as logged
    coalesce(m.model, c.model_raw, '(no model)') as model, -- its name in the price list
    c.is_batch, -- sent through the Batch API
    c.is_retry_known, -- the log tells how many tries there were
    c.is_failed, -- no try succeeded
    c.is_first_attempt_failed, -- the first try failed; null when unknown
    c.is_masked, -- the first try failed and a later one succeeded; null when unknown
    c.error_type, -- why the calls failed
    c.http_status, -- HTTP status of the calls that failed
    c.first_error_type, -- why the first tries failed; null when they did not or it was not logged
    c.first_http_status, -- HTTP status of the first tries that failed; null when not logged
    c.calls, -- logical requests
    c.attempts, -- tries, the known hidden ones included
    c.failed_attempts, -- failed tries, the known hidden ones included
    c.attempts_squares, -- the tries of each call, squared and summed
    c.retried_calls, -- calls of more than one try
    c.twice_failed_calls, -- those of them whose second try failed too
    c.wasted_known_calls, -- calls whose time from the first try to the one that answered is known
    case when c.wasted_known_calls > 0 then c.wasted_ms end as wasted_ms, -- that time, summed
    c.first_started_at, -- when the first try of the first of them was sent, UTC
    c.last_started_at -- and of the last of them
from rollups.calls_by_hour as c
left join base.models as m on m.model_raw = c.model_raw
