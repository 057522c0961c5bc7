-- What macros.sql says, as functions of Spark: the same words with types. Filters are left open: a cluster adds up all.

create function usd(pico decimal(38, 0)) returns decimal(18, 12)
return cast(cast(pico as decimal(18, 0)) * 0.000000000001 as decimal(18, 12));

create function pico(tokens bigint, price bigint) returns decimal(38, 0)
return coalesce(cast(cast(tokens as decimal(19, 0)) * cast(price as decimal(18, 0)) as decimal(38, 0)), 0);

-- Spark keeps 38 digits: 25 before the point's move and 12 after it leave none to be rounded off.
create function usd_sum(pico decimal(38, 0)) returns decimal(38, 12)
return cast(cast(pico as decimal(25, 0)) * 0.000000000001 as decimal(38, 12));

create function agreed_pico(list_pico bigint, usd_mtok decimal(12, 6), multiplier decimal(12, 8), discount_percent decimal(9, 6))
returns bigint
return case
    when usd_mtok is not null then cast(round(cast(usd_mtok * 1000000 as decimal(18, 6)) * multiplier) as bigint)
    when discount_percent is not null
        then cast(round(cast(list_pico as decimal(18, 0)) * (100 - discount_percent) * 0.01) as bigint)
    else list_pico
end;

create function unpriced_reason(
    model_raw string, input_tokens bigint, output_tokens bigint, prompt_tokens bigint, input_pico bigint,
    cache_pico bigint, reason string
) returns string
return case
    when model_raw is null then 'no model was logged'
    when input_tokens is null or output_tokens is null then 'token counts are incomplete'
    when input_pico is null then coalesce(reason, 'model is not in the price list')
    when cache_pico is null and prompt_tokens > input_tokens then 'no cache price for this model'
end;

create function stop_group(is_error boolean, stop_reason string, max_tokens bigint, word_group string) returns string
return case
    when is_error or stop_reason is null then null
    when stop_reason = 'max_tokens' and max_tokens = 0 then 'complete'
    else coalesce(word_group, 'other')
end;
