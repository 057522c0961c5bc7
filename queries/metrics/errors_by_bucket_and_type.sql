-- What goes wrong in each bucket, by type of error.
-- each bucket: day, hour
-- grain: bucket, error_type
with
-- A row can tell of two things: the try that it logs, and the tries that it hides.
sides as (
    select 'shown' as side
    union all
    select 'hidden' as side
),
tries as (
    select
        a.bucket,
        case when s.side = 'shown' then a.error_type else '(hidden by a retry)' end as error_type,
        case when s.side = 'shown' then a.attempts else a.hidden_attempts end as failed_attempts
    from focus.attempts_by_hour as a
    cross join sides as s
    where (s.side = 'shown' and a.is_error) or (s.side = 'hidden' and a.hidden_attempts > 0)
)
select
    bucket, -- the bucket on the reader's clock
    error_type, -- type of the error; hidden ones were retried inside the caller's library and left no word
    sum(failed_attempts) as failed_attempts -- tries that failed this way
from tries
group by bucket, error_type
order by bucket, error_type
