-- The figures for everything asked for.
-- grain: one row
with
calls as (
    select
        cast(coalesce(sum(calls), 0) as bigint) as calls,
        coalesce(sum(case when feature = '(unattributed)' then calls else 0 end), 0) as unattributed_calls
    from focus.calls_by_hour
),
attempts as (
    select
        coalesce(sum(cost_usd), 0) as cost_usd,
        sum(cost_reported_usd) as cost_reported_usd,
        cast(coalesce(sum(attempts), 0) as bigint) as attempts,
        coalesce(sum(input_tokens), 0) as input_tokens,
        coalesce(sum(uncached_input_tokens), 0) as uncached_input_tokens,
        coalesce(sum(cache_read_tokens), 0) as cache_read_tokens,
        coalesce(sum(cache_write_tokens), 0) as cache_write_tokens,
        coalesce(sum(output_tokens), 0) as output_tokens,
        coalesce(sum(priced_attempts), 0) as priced_attempts,
        coalesce(sum(attempts - priced_attempts), 0) as unpriced_attempts,
        coalesce(sum(case when feature = '(unattributed)' then cost_usd end), 0) as unattributed_cost_usd,
        coalesce(sum(write_ttl_assumed_attempts), 0) as write_ttl_assumed_attempts,
        min(first_started_at) as first_started_at,
        max(last_started_at) as last_started_at
    from focus.attempts_by_hour
),
users as (
    select count(distinct user_id) as users from focus.users
)
select
    a.cost_usd, -- list price of all tries that have one
    a.cost_reported_usd, -- what the logs themselves say it cost; null when no log does
    c.calls, -- logical requests, their retries not counted
    a.attempts, -- HTTP tries that were logged
    u.users, -- different users; calls without one not counted
    a.input_tokens, -- all prompt tokens, cached or not
    a.uncached_input_tokens, -- prompt tokens neither read from nor written to the cache
    a.cache_read_tokens, -- prompt tokens read from the cache
    a.cache_write_tokens, -- prompt tokens written to the cache
    a.output_tokens, -- tokens of the answers
    cast(a.cost_usd / nullif(c.calls, 0) as decimal(18, 12)) as cost_per_call_usd, -- cost over calls; null without calls
    a.priced_attempts, -- tries whose cost is known
    a.unpriced_attempts, -- tries whose cost is not known, and not in the sum
    a.unattributed_cost_usd, -- cost of the tries that name no feature
    c.unattributed_calls, -- calls that name no feature
    a.write_ttl_assumed_attempts, -- tries whose cache writes were priced as five minutes for want of their lifetime
    a.first_started_at, -- first try, UTC
    a.last_started_at -- last try, UTC
from attempts as a
cross join calls as c
cross join users as u
