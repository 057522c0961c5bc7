-- What each user costs hour by hour: whose own spend has changed. Ask for few users: there is a row for each of their hours.
-- grain: hour, user_id
with
tries as (
    select
        hour,
        user_id,
        count(*) as attempts,
        coalesce(sum(cost_usd), 0) as cost_usd,
        coalesce(sum(cast(cost_usd as double) * cast(cost_usd as double)), 0) as cost_squares
    from focus.attempts
    where user_id <> '(unattributed)'
    group by hour, user_id
)
select
    hour, -- the hour on the reader's clock
    user_id, -- who the calls were for; calls that name nobody are left out
    attempts, -- logged HTTP tries
    cost_usd, -- list price of those that have one
    cost_squares -- each try's cost, squared and summed
from tries
order by user_id, hour
