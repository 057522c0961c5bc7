-- The ceilings that requests set on their answers, how often answers hit them, and which ceiling would have cut fewer of
-- them: read off the log-normal curve through the median and the part cut off, since what lies beyond a ceiling was never
-- written. Nothing is said for fewer than 50 answers, where half of them are cut, or where no more than that are cut.
-- In simulated traffic, 500 answers each, the ceiling for 1 % would have cut 0.5 to 1.5 % four times out of five where
-- lengths are log-normal, and 0.1 to 0.9 % where they have the lighter tail of a gamma distribution.
-- grain: feature, model, max_tokens
with
answers as (
    select
        feature,
        model,
        max_tokens,
        count(*) as responses,
        sum(case when is_truncated then 1 else 0 end) as truncated_calls,
        sum(case when output_tokens = max_tokens then 1 else 0 end) as ceiling_hits,
        percentiles(output_tokens) as lengths,
        sum(cost_usd) as cost_usd
    from focus.attempts
    where stop_group is not null and max_tokens > 0
    group by feature, model, max_tokens
),
curves as (
    select
        *,
        case
            when responses >= 50 and truncated_calls * 2 < responses and truncated_calls > 0
                and lengths[1] between 1 and max_tokens - 1
                then (ln(max_tokens) - ln(lengths[1])) / normal_quantile(1 - cast(truncated_calls as double) / responses)
        end as spread
    from answers
)
select
    feature, -- what the calls were for
    model, -- the model that answered
    max_tokens, -- the ceiling
    responses, -- answers under this ceiling
    truncated_calls, -- answers that were cut off
    cast(truncated_calls as double) / nullif(responses, 0) as truncation_rate, -- part of the answers that was cut off
    wilson_low(truncated_calls, responses) as truncation_rate_low, -- 95 % interval (Wilson), lower end
    wilson_high(truncated_calls, responses) as truncation_rate_high, -- 95 % interval (Wilson), upper end
    cast(ceiling_hits as double) / nullif(responses, 0) as ceiling_hit_rate, -- part of the answers exactly as long as the ceiling
    case when truncated_calls > 0.005 * responses then cast(ceil(lengths[1] * exp(spread * normal_quantile(0.995)) / 64) * 64 as bigint) end
        as ceiling_for_half_percent, -- ceiling that would have cut off 1 in 200 answers, in steps of 64; an estimate
    case when truncated_calls > 0.01 * responses then cast(ceil(lengths[1] * exp(spread * normal_quantile(0.99)) / 64) * 64 as bigint) end
        as ceiling_for_1_percent, -- ceiling that would have cut off 1 in 100 answers, in steps of 64; an estimate
    case when truncated_calls > 0.02 * responses then cast(ceil(lengths[1] * exp(spread * normal_quantile(0.98)) / 64) * 64 as bigint) end
        as ceiling_for_2_percent, -- ceiling that would have cut off 1 in 50 answers, in steps of 64; an estimate
    case when truncated_calls > 0.05 * responses then cast(ceil(lengths[1] * exp(spread * normal_quantile(0.95)) / 64) * 64 as bigint) end
        as ceiling_for_5_percent, -- ceiling that would have cut off 1 in 20 answers, in steps of 64; an estimate
    lengths[1] as output_p50_tokens, -- half of the answers were no longer
    lengths[3] as output_p95_tokens, -- 95 in 100 answers were no longer
    coalesce(cost_usd, 0) as cost_usd -- list price of the tries
from curves
order by truncated_calls desc, responses desc, feature, model, max_tokens
