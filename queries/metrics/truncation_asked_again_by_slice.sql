-- Answers that were cut off and then asked for again, and what the first ones cost, by slice: an estimate, as
-- facts.asked_again tells.
-- each slice: total, feature
-- grain: slice
with
cut as (
    select
        slice,
        sum(truncated_attempts) as calls,
        sum(case when is_user_known then 0 else truncated_attempts end) as unpaired_calls,
        coalesce(sum(case when is_user_known then truncated_cost_usd end), 0) as paired_cost_usd
    from focus.attempts_by_hour
    group by slice
    having sum(truncated_attempts) > 0
),
again as (
    select slice, count(*) as calls, coalesce(sum(cost_usd), 0) as cost_usd from focus.asked_again group by slice
)
select
    c.slice, -- the slice; (unattributed) when the log does not say
    cast(c.calls as bigint) as truncated_calls, -- answers that were cut off
    coalesce(a.calls, 0) as asked_again_calls, -- those that were asked for again; an estimate
    coalesce(a.cost_usd, 0) as asked_again_cost_usd, -- what their first, cut answers cost
    cast(c.calls - c.unpaired_calls - coalesce(a.calls, 0) as bigint) as not_asked_again_calls, -- those that nobody asked for again
    c.paired_cost_usd - coalesce(a.cost_usd, 0) as not_asked_again_cost_usd, -- what they cost: possibly of no use
    cast(c.unpaired_calls as bigint) as unpaired_calls -- those whose log names no user
from cut as c
left join again as a on a.slice = c.slice
order by asked_again_cost_usd desc, c.slice
