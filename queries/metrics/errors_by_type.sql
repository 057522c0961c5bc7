-- What goes wrong, by type of error.
-- grain: error_type, http_status
with
-- A row can tell of two things: the try that it logs, and the tries that it hides; the end of a call, and its beginning.
sides as (
    select 'shown' as side
    union all
    select 'hidden' as side
),
tries as (
    select
        case when s.side = 'shown' then a.error_type else '(hidden by a retry)' end as error_type,
        case when s.side = 'shown' then a.http_status end as http_status,
        case when s.side = 'shown' then a.attempts else a.hidden_attempts end as failed_attempts,
        0 as failed_calls,
        0 as masked_calls,
        a.first_started_at,
        a.last_started_at
    from focus.attempts_by_hour as a
    cross join sides as s
    where (s.side = 'shown' and a.is_error) or (s.side = 'hidden' and a.hidden_attempts > 0)
),
calls as (
    select
        case when c.is_failed then c.error_type else coalesce(c.first_error_type, '(hidden by a retry)') end as error_type,
        case when c.is_failed then c.http_status else c.first_http_status end as http_status,
        0 as failed_attempts,
        case when c.is_failed then c.calls else 0 end as failed_calls,
        case when c.is_masked then c.calls else 0 end as masked_calls,
        c.first_started_at,
        c.last_started_at
    from focus.calls_by_hour as c
    where c.is_failed or c.is_masked
),
outcomes as (
    select * from tries
    union all
    select * from calls
)
select
    error_type, -- type of the error; hidden ones were retried inside the caller's library and left no word
    http_status, -- HTTP status; null when there was none
    sum(failed_attempts) as failed_attempts, -- tries that failed this way
    sum(failed_calls) as failed_calls, -- calls that ended this way
    sum(masked_calls) as masked_calls, -- calls that began this way and then succeeded
    min(first_started_at) as first_seen_at, -- first time, UTC
    max(last_started_at) as last_seen_at -- last time, UTC
from outcomes
group by error_type, http_status
order by failed_attempts desc, error_type, http_status
