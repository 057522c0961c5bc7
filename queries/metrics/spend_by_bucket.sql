-- What each bucket costs.
-- each bucket: day, hour
-- grain: bucket
with
calls as (
    select bucket, count(*) as calls from focus.calls group by bucket
),
attempts as (
    select
        bucket,
        coalesce(sum(cost_usd), 0) as cost_usd,
        count(*) as attempts,
        coalesce(sum(input_tokens), 0) as input_tokens,
        coalesce(sum(output_tokens), 0) as output_tokens,
        sum(case when is_priced then 0 else 1 end) as unpriced_attempts
    from focus.attempts
    group by bucket
)
select
    coalesce(a.bucket, c.bucket) as bucket, -- the bucket on the reader's clock
    coalesce(a.cost_usd, 0) as cost_usd, -- list price of its tries that have one
    coalesce(c.calls, 0) as calls, -- logical requests
    coalesce(a.attempts, 0) as attempts, -- HTTP tries that were logged
    coalesce(a.input_tokens, 0) as input_tokens, -- all prompt tokens, cached or not
    coalesce(a.output_tokens, 0) as output_tokens, -- tokens of the answers
    coalesce(a.unpriced_attempts, 0) as unpriced_attempts -- tries whose cost is not known
from attempts as a
full outer join calls as c on c.bucket = a.bucket
order by bucket
