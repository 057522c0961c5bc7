-- What each slice costs.
-- each slice: feature, model, user, team, environment, day, hour
-- grain: slice
with
calls as (
    select slice, cast(sum(calls) as bigint) as calls from focus.calls_by_hour group by slice
),
attempts as (
    select
        slice,
        coalesce(sum(cost_usd), 0) as cost_usd,
        cast(sum(attempts) as bigint) as attempts,
        coalesce(sum(input_tokens), 0) as input_tokens,
        coalesce(sum(output_tokens), 0) as output_tokens,
        sum(attempts - priced_attempts) as unpriced_attempts
    from focus.attempts_by_hour
    group by slice
)
select
    coalesce(a.slice, c.slice) as slice, -- the slice; (unattributed) when the log does not say
    coalesce(a.cost_usd, 0) as cost_usd, -- list price of its tries that have one
    coalesce(cast(a.cost_usd as double) / nullif(cast(sum(a.cost_usd) over () as double), 0), 0) as cost_share_rate, -- part of the whole cost
    coalesce(c.calls, 0) as calls, -- logical requests
    coalesce(a.attempts, 0) as attempts, -- HTTP tries that were logged
    coalesce(a.input_tokens, 0) as input_tokens, -- all prompt tokens, cached or not
    coalesce(a.output_tokens, 0) as output_tokens, -- tokens of the answers
    cast(coalesce(a.cost_usd, 0) / nullif(c.calls, 0) as decimal(18, 12)) as cost_per_call_usd, -- cost over calls
    coalesce(a.unpriced_attempts, 0) as unpriced_attempts -- tries whose cost is not known
from attempts as a
full outer join calls as c on c.slice = a.slice
order by in_time(coalesce(a.slice, c.slice)), cost_usd desc, slice
