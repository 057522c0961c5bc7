-- Calls that gave something and what all cost, by day and model: what a call costs before and after a measure is told
-- from these. Failed, refused, cut and repeated calls count in the cost, not among the calls (focus.wasted_attempts).
-- grain: day, model
select
    r.day, -- day on the reader's clock
    r.model, -- name in the price list
    cast(sum(case when w.attempt_id is null then 1 else 0 end) as bigint) as calls, -- billed calls whose answers were of use
    cast(sum(r.cost_pico) as bigint) as cost_pico -- what all billed calls cost, in pico-dollars
from focus.rated_attempts as r
left join focus.wasted_attempts as w on w.attempt_id = r.attempt_id
group by r.day, r.model
order by r.day, r.model
