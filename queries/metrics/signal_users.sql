-- What each user costs day by day: who drives a change, and whose own spend has changed.
-- grain: day, feature, user_id
with
tries as (
    select
        day,
        feature,
        user_id,
        count(*) as attempts,
        coalesce(sum(cost_usd), 0) as cost_usd,
        coalesce(sum(cast(cost_usd as double) * cast(cost_usd as double)), 0) as cost_squares
    from focus.attempts
    where user_id <> '(unattributed)'
    group by day, feature, user_id
)
select
    day, -- the day on the reader's clock
    feature, -- what the calls were for
    user_id, -- who they were for; calls that name nobody are left out
    attempts, -- logged HTTP tries
    cost_usd, -- list price of those that have one
    cost_squares -- each try's cost, squared and summed
from tries
order by day, feature, user_id
