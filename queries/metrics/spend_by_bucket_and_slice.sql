-- What each slice costs in each bucket.
-- each bucket: day, hour
-- each slice: feature, model, user, team, environment
-- grain: bucket, slice
with
calls as (
    select bucket, slice, cast(sum(calls) as bigint) as calls from focus.calls_by_hour group by bucket, slice
),
attempts as (
    select bucket, slice, coalesce(sum(cost_usd), 0) as cost_usd from focus.attempts_by_hour group by bucket, slice
)
select
    coalesce(a.bucket, c.bucket) as bucket, -- the bucket on the reader's clock
    coalesce(a.slice, c.slice) as slice, -- the slice; (unattributed) when the log does not say
    coalesce(a.cost_usd, 0) as cost_usd, -- list price of its tries that have one
    coalesce(c.calls, 0) as calls -- logical requests
from attempts as a
full outer join calls as c on c.bucket = a.bucket and c.slice = a.slice
order by bucket, cost_usd desc, slice
