-- Answers that were cut off and then asked for again, and what the first ones cost, by slice: an estimate, as
-- focus.truncated_answers tells.
-- each slice: total, feature
-- grain: slice
select
    slice, -- the slice; (unattributed) when the log does not say
    count(*) as truncated_calls, -- answers that were cut off
    sum(case when is_asked_again then 1 else 0 end) as asked_again_calls, -- those that were asked for again; an estimate
    coalesce(sum(case when is_asked_again then cost_usd end), 0) as asked_again_cost_usd, -- what their first, cut answers cost
    sum(case when is_asked_again or user_id = '(unattributed)' then 0 else 1 end) as not_asked_again_calls, -- those that nobody asked for again
    coalesce(sum(case when is_asked_again or user_id = '(unattributed)' then cast(0 as decimal(18, 12)) else cost_usd end), 0)
        as not_asked_again_cost_usd, -- what they cost: possibly of no use
    sum(case when user_id = '(unattributed)' then 1 else 0 end) as unpaired_calls -- those whose log names no user
from focus.truncated_answers
group by slice
order by asked_again_cost_usd desc, slice
