-- What one token of a listed model costs, in whole pico-dollars, for every way to ask for it: one row for each moment
-- and prompt length. Where there is no price, the row says why.
-- stored
-- grain: model, endpoint, fast, batch, us_geo, valid_from, prompt_tokens_over
with
edges as (
    select model, mode, timestamp '0001-01-01' as valid_from from base.list_prices
    union
    select model, mode, valid_from from base.list_prices
    union
    select model, mode, valid_until from base.list_prices where valid_until < timestamp '9999-12-31'
    union
    select model, 'fast' as mode, timestamp '0001-01-01' as valid_from from base.list_prices
    union
    select '(unlisted)' as model, mode, timestamp '0001-01-01' as valid_from from base.list_prices
),
spans as (
    select
        model,
        mode,
        valid_from,
        lead(valid_from, 1, timestamp '9999-12-31') over (partition by model, mode order by valid_from) as valid_until
    from edges
),
tiers as (
    select
        s.model,
        s.mode,
        s.valid_from,
        s.valid_until,
        coalesce(nullif(p.prompt_tokens_over, 0), -1) as prompt_tokens_over,
        coalesce(
            lead(p.prompt_tokens_over) over (partition by s.model, s.mode, s.valid_from order by p.prompt_tokens_over),
            9000000000000000000
        ) as prompt_tokens_upto,
        p.input_usd_mtok,
        p.output_usd_mtok,
        p.cache_write_5m_usd_mtok,
        p.cache_write_1h_usd_mtok,
        p.cache_read_usd_mtok,
        p.batch_multiplier,
        p.us_geo_multiplier,
        p.regional_multiplier,
        p.us_gov_multiplier,
        p.min_cacheable_tokens,
        min(p.valid_from) over (partition by s.model, s.mode) as offered_from
    from spans as s
    left join base.list_prices as p
        on p.model = s.model and p.mode = s.mode and p.valid_from <= s.valid_from and p.valid_until >= s.valid_until
),
endpoints as (
    select 'global' as endpoint
    union all
    select 'regional' as endpoint
    union all
    select 'us-gov' as endpoint
),
asked as (
    select
        t.*,
        e.endpoint,
        b.batch,
        g.us_geo,
        cast(case when b.batch = 1 then t.batch_multiplier else 1 end
            * case
                when e.endpoint = 'us-gov' then coalesce(t.us_gov_multiplier, 1)
                when e.endpoint = 'regional' then coalesce(t.regional_multiplier, 1)
                when g.us_geo = 1 then coalesce(t.us_geo_multiplier, 1)
                else 1
            end as decimal(12, 8)) as multiplier,
        case
            when t.model = '(unlisted)' then 'model is not in the price list'
            when t.offered_from is null then 'no fast mode price for this model'
            when t.input_usd_mtok is null and t.mode = 'fast' and t.valid_from < t.offered_from
                then 'before fast mode began for this model'
            when t.input_usd_mtok is null and t.mode = 'fast' then 'fast mode had ended for this model'
            when t.input_usd_mtok is null and t.valid_from < t.offered_from then 'before the model was launched'
            when t.input_usd_mtok is null then 'the price had ended'
            when b.batch = 1 and t.batch_multiplier is null and t.mode = 'fast' then 'fast mode has no batch price'
            when b.batch = 1 and t.batch_multiplier is null then 'no batch price for this model'
        end as unpriced_reason
    from tiers as t
    cross join endpoints as e
    cross join (select 0 as batch union all select 1 as batch) as b
    cross join (select 0 as us_geo union all select 1 as us_geo) as g
)
select
    model,
    endpoint,
    mode,
    case when mode = 'fast' then 1 else 0 end as fast,
    batch,
    us_geo,
    valid_from,
    valid_until,
    prompt_tokens_over,
    prompt_tokens_upto,
    unpriced_reason,
    min_cacheable_tokens,
    multiplier,
    cast(round(cast(input_usd_mtok * 1000000 as decimal(28, 6)) * multiplier) as bigint) as input_pico,
    cast(round(cast(cache_read_usd_mtok * 1000000 as decimal(28, 6)) * multiplier) as bigint) as cache_read_pico,
    cast(round(cast(cache_write_5m_usd_mtok * 1000000 as decimal(28, 6)) * multiplier) as bigint) as cache_write_5m_pico,
    cast(round(cast(cache_write_1h_usd_mtok * 1000000 as decimal(28, 6)) * multiplier) as bigint) as cache_write_1h_pico,
    cast(round(cast(output_usd_mtok * 1000000 as decimal(28, 6)) * multiplier) as bigint) as output_pico,
    cast(cast(w.usd_per_use as decimal(12, 6)) * 1000000000000 as bigint) as web_search_pico
from asked
cross join (select usd_per_use from lists.tool_prices where tool = 'web_search') as w
