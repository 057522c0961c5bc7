-- How many answers were cut off, by slice.
-- each slice: total, feature, model, user, team, environment, day, hour
-- grain: slice
with
answers as (
    select
        slice,
        count(*) as responses,
        sum(case when is_truncated then 1 else 0 end) as truncated_calls,
        sum(case when max_tokens > 0 then 1 else 0 end) as ceiling_known_calls,
        sum(case when max_tokens > 0 and output_tokens = max_tokens then 1 else 0 end) as ceiling_hits,
        coalesce(sum(case when is_truncated then output_tokens end), 0) as truncated_output_tokens,
        coalesce(sum(case when is_truncated then cost_usd end), 0) as truncated_cost_usd
    from focus.attempts
    where stop_group is not null
    group by slice
)
select
    slice, -- the slice; (unattributed) when the log does not say
    responses, -- tries that were answered and say why the answer ended
    truncated_calls, -- answers cut off by max_tokens or a full context window
    cast(truncated_calls as double) / nullif(responses, 0) as truncation_rate, -- part of the answers that was cut off
    wilson_low(truncated_calls, responses) as truncation_rate_low, -- 95 % interval (Wilson), lower end
    wilson_high(truncated_calls, responses) as truncation_rate_high, -- 95 % interval (Wilson), upper end
    ceiling_known_calls, -- answers whose max_tokens was logged
    cast(ceiling_hits as double) / nullif(ceiling_known_calls, 0) as ceiling_hit_rate, -- part of those that is exactly as long as max_tokens
    truncated_output_tokens, -- tokens of the answers that were cut off
    truncated_cost_usd -- cost of the tries whose answers were cut off
from answers
order by in_time(slice), truncated_calls desc, slice
