-- What each day cost, by all that a rule about shared spend can name.
-- grain: day, feature, team, model
select
    day, -- the day on the reader's clock
    feature, -- what the calls were for
    team, -- who pays
    model, -- name in the price list
    coalesce(sum(cost_usd), 0) as cost_usd, -- price of the tries that have one
    sum(case when is_priced then 0 else 1 end) as unpriced_attempts -- tries whose cost is not known
from focus.attempts
group by day, feature, team, model
order by day, cost_usd desc, feature, team, model
