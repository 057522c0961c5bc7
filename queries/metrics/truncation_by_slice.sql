-- How many answers were cut off, by slice.
-- each slice: total, feature, model, user, team, environment, day, hour
-- grain: slice
with
answers as (
    select
        slice,
        cast(sum(answered_attempts) as bigint) as responses,
        sum(truncated_attempts) as truncated_calls,
        sum(ceiling_known_attempts) as ceiling_known_calls,
        sum(ceiling_hits) as ceiling_hits,
        coalesce(sum(truncated_output_tokens), 0) as truncated_output_tokens,
        coalesce(sum(truncated_cost_usd), 0) as truncated_cost_usd
    from focus.attempts_by_hour
    group by slice
    having sum(answered_attempts) > 0
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
