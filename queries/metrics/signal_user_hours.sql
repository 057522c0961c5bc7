-- What each user asks for, costs and fails hour by hour: whose own use has changed. Ask for few users: there is a row for
-- each of their hours.
-- grain: hour, user_id
with
tries as (
    select
        hour,
        user_id,
        count(*) as attempts,
        sum(case when is_error then 1 else 0 end) as failed_attempts,
        coalesce(sum(cost_usd), 0) as cost_usd,
        coalesce(sum(cast(cost_usd as double) * cast(cost_usd as double)), 0) as cost_squares
    from focus.attempts
    where user_id <> '(unattributed)'
    group by hour, user_id
),
requests as (
    select hour, user_id, count(*) as calls
    from focus.calls
    where user_id <> '(unattributed)'
    group by hour, user_id
)
select
    coalesce(t.hour, r.hour) as hour, -- the hour on the reader's clock
    coalesce(t.user_id, r.user_id) as user_id, -- who the calls were for; calls that name nobody are left out
    coalesce(r.calls, 0) as calls, -- logical requests that began in this hour
    coalesce(t.attempts, 0) as attempts, -- logged HTTP tries
    cast(coalesce(t.failed_attempts, 0) as bigint) as failed_attempts, -- those that failed
    coalesce(t.cost_usd, 0) as cost_usd, -- list price of those that have one
    coalesce(t.cost_squares, 0) as cost_squares -- each try's cost, squared and summed
from tries as t
full outer join requests as r on r.hour = t.hour and r.user_id = t.user_id
order by user_id, hour
