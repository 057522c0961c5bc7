-- Tries and failed tries of each hour, by slice: what tells errors that pass from errors that stay.
-- each slice: feature, model, team
-- grain: hour, slice
select
    hour, -- hour on the reader's clock in which the call began
    slice, -- the slice; (unattributed) when the log does not say
    sum(attempts) as attempts, -- tries: the logged ones and the known hidden ones
    sum(failed_attempts) as failed_attempts, -- failed ones among them
    -- Statuses that tell of the moment, not of the request: timed out, in conflict, too early, too many.
    sum(case when is_failed and ((http_status between 400 and 499 and http_status not in (408, 409, 425, 429))
            or (http_status is null and error_type in ('invalid_request_error', 'authentication_error',
                'permission_error', 'not_found_error', 'request_too_large')))
        then calls else 0 end) as refused_calls, -- calls that failed because the API refuses such a request
    -- Of calls with known tries: how often a second try failed too.
    sum(case when is_first_attempt_failed then calls else 0 end) as first_attempt_errors, -- calls whose first try failed
    sum(case when is_first_attempt_failed then twice_failed_calls else 0 end)
        as second_attempt_errors, -- calls whose second try failed too
    sum(case when is_first_attempt_failed then retried_calls else 0 end) as second_attempts -- calls that were tried again
from focus.calls_by_hour
group by hour, slice
order by hour, slice
