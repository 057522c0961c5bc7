-- The few expressions that plain SQL has no word for. Another engine defines these and runs the views unchanged.

-- Wilson score interval, 95 %, of k in n; null when n is 0. For k = 0 it starts at exactly 0 and for k = n it ends at
-- exactly 1: there the Jeffreys interval would be a little tighter, but takes a function that SQL does not have.
create macro wilson_low(k, n) as case when n > 0 then
    greatest(0, (k + 1.9208 - 1.96 * sqrt(cast(k as double) * (n - k) / n + 0.9604)) / (n + 3.8416)) end;
create macro wilson_high(k, n) as case when n > 0 then
    least(1, (k + 1.9208 + 1.96 * sqrt(cast(k as double) * (n - k) / n + 0.9604)) / (n + 3.8416)) end;

-- The standard normal distribution's quantile for 0.5 <= p < 1, to 0.0005 (Abramowitz and Stegun 26.2.23).
create macro normal_tail_step(p) as sqrt(-2 * ln(1 - p));
create macro normal_quantile(p) as normal_tail_step(p)
    - (2.515517 + 0.802853 * normal_tail_step(p) + 0.010328 * normal_tail_step(p) * normal_tail_step(p))
    / (1 + 1.432788 * normal_tail_step(p) + 0.189269 * normal_tail_step(p) * normal_tail_step(p)
        + 0.001308 * normal_tail_step(p) * normal_tail_step(p) * normal_tail_step(p));

-- Whole pico-dollars as dollars, exactly.
create macro usd(pico) as cast(cast(pico as decimal(18, 0)) * 0.000000000001 as decimal(18, 12));

-- Sums of tokens times whole pico-dollars, and such sums as dollars, exactly: too large for the numbers that one try needs.
create macro pico(tokens, price) as coalesce(cast(tokens as hugeint) * price, 0);
create macro usd_sum(pico) as cast(cast(pico as decimal(26, 0)) * 0.000000000001 as decimal(38, 12));

-- The agreed price of one token in whole pico-dollars, half up: its own, else the list price less the discount.
create macro agreed_pico(list_pico, usd_mtok, multiplier, discount_percent) as case
    when usd_mtok is not null then cast(cast(usd_mtok * 1000000 as decimal(28, 6)) * multiplier as bigint)
    when discount_percent is not null
        then cast(cast(list_pico as decimal(18, 0)) * (100 - discount_percent) * 0.01 as bigint)
    else list_pico
end;

-- Why tokens have no price; null when they have one.
create macro unpriced_reason(model_raw, input_tokens, output_tokens, prompt_tokens, input_pico, cache_pico, reason) as case
    when model_raw is null then 'no model was logged'
    when input_tokens is null or output_tokens is null then 'token counts are incomplete'
    when input_pico is null then coalesce(reason, 'model is not in the price list')
    when cache_pico is null and prompt_tokens > input_tokens then 'no cache price for this model'
end;

-- The group of a stop reason. A request with max_tokens 0 only warms the cache: its answer is not cut off.
create macro stop_group(is_error, stop_reason, max_tokens, word_group) as case
    when is_error or stop_reason is null then null
    when stop_reason = 'max_tokens' and max_tokens = 0 then 'complete'
    else coalesce(word_group, 'other')
end;

-- Exact percentiles p50, p90, p95, p99 of x in one pass over its values, as a list.
create macro percentiles(x) as percentile_disc([0.5, 0.9, 0.95, 0.99]) within group (order by x);

-- Is this row one the reader asked for? A variable that is not set leaves its filter open.
create macro in_period(started_at) as (
    started_at >= coalesce(cast(getvariable('since') as timestamp), timestamp '0001-01-01')
    and started_at < coalesce(cast(getvariable('until') as timestamp), timestamp '9999-12-31')
);
create macro in_slices(feature, model, user_id, team, environment) as (
    coalesce(list_contains(cast(getvariable('features') as varchar[]), feature), true)
    and coalesce(list_contains(cast(getvariable('models') as varchar[]), model), true)
    and coalesce(list_contains(cast(getvariable('users') as varchar[]), user_id), true)
    and coalesce(list_contains(cast(getvariable('teams') as varchar[]), team), true)
    and coalesce(list_contains(cast(getvariable('environments') as varchar[]), environment), true)
);

-- The whole days (UTC) of the period: the first of them, the one after the last, and whether a day is one.
create macro first_whole_day() as coalesce(date_trunc('day', cast(getvariable('since') as timestamp) + interval 1 day
    - interval 1 microsecond), timestamp '0001-01-01');
create macro last_whole_day() as coalesce(date_trunc('day', cast(getvariable('until') as timestamp)), timestamp '9999-12-31');
create macro in_whole_days(day_at) as day_at >= first_whole_day() and day_at < last_whole_day();

-- A UTC time on the reader's clock. The variable zone_offsets lists {since, shift}, newest first; unset means UTC.
-- Written out step by step because a CASE over constants is as fast as no zone at all; a join or a zone library is not.
create macro zone_step(step) as (cast(getvariable('zone_offsets') as struct(since timestamp, shift interval)[])[step]);
create macro local_time(utc) as utc + case
    when utc >= zone_step(1).since then zone_step(1).shift
    when utc >= zone_step(2).since then zone_step(2).shift
    when utc >= zone_step(3).since then zone_step(3).shift
    when utc >= zone_step(4).since then zone_step(4).shift
    when utc >= zone_step(5).since then zone_step(5).shift
    when utc >= zone_step(6).since then zone_step(6).shift
    when utc >= zone_step(7).since then zone_step(7).shift
    when utc >= zone_step(8).since then zone_step(8).shift
    when utc >= zone_step(9).since then zone_step(9).shift
    when utc >= zone_step(10).since then zone_step(10).shift
    when utc >= zone_step(11).since then zone_step(11).shift
    when utc >= zone_step(12).since then zone_step(12).shift
    else interval 0 hour
end;

-- A slice of time as it is, so that rows come in its order; any other slice has none of its own.
create macro in_time(slice) as case when typeof(slice) in ('DATE', 'TIMESTAMP') then slice end;

-- A text as JSON holds it, in quotes.
create macro json_text(words) as cast(to_json(cast(words as varchar)) as varchar);
