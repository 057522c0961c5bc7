-- What the same traffic would cost on each model with no end announced, at its newest listed price: a matter of price
-- alone, never a claim that the answers would be as good. Models from 4.7 on make about 30 % more tokens of a text than
-- older ones, which is accounted for; whether they would say the same in as many words is not known. The row of the model
-- itself is its own traffic at the newest price. Fast mode is left out: few models have it.
-- grain: feature, model, other_model
with
edges as (
    select distinct prompt_tokens_over as edge from focus.offers
),
sized as (
    select
        r.feature,
        r.model,
        case when r.is_batch then 1 else 0 end as batch,
        case when r.variant % 8 >= 4 then 1 else 0 end as us_geo,
        max(e.edge) as edge,
        r.attempt_id,
        max(r.uncached_input_tokens) as uncached_input_tokens,
        max(r.cache_read_tokens) as cache_read_tokens,
        max(r.cache_write_5m_tokens) as cache_write_5m_tokens,
        max(r.cache_write_1h_tokens) as cache_write_1h_tokens,
        max(r.output_tokens) as output_tokens,
        max(r.web_search_pico) as web_search_pico,
        max(r.cost_pico) as cost_pico
    from focus.rated_attempts as r
    join edges as e on r.input_tokens > e.edge
    where r.mode = 'standard'
    group by r.feature, r.model, r.is_batch, r.variant, r.attempt_id
),
traffic as (
    select
        feature,
        model,
        batch,
        us_geo,
        edge,
        count(*) as calls,
        sum(uncached_input_tokens) as uncached_input_tokens,
        sum(cache_read_tokens) as cache_read_tokens,
        sum(cache_write_5m_tokens) as cache_write_5m_tokens,
        sum(cache_write_1h_tokens) as cache_write_1h_tokens,
        sum(output_tokens) as output_tokens,
        sum(web_search_pico) as web_search_pico,
        sum(cost_pico) as cost_pico
    from sized
    group by feature, model, batch, us_geo, edge
),
models as (
    select distinct model, relative_tokens from focus.offers
),
priced as (
    select
        t.*,
        o.model as other_model,
        coalesce(o.relative_tokens / m.relative_tokens, 1) as token_factor,
        t.uncached_input_tokens * o.input_pico + t.cache_read_tokens * coalesce(o.cache_read_pico, o.input_pico)
            + t.cache_write_5m_tokens * coalesce(o.cache_write_5m_pico, o.input_pico)
            + t.cache_write_1h_tokens * coalesce(o.cache_write_1h_pico, o.input_pico)
            + t.output_tokens * o.output_pico as tokens_pico
    from traffic as t
    left join models as m on m.model = t.model
    join focus.offers as o
        on o.batch = t.batch and o.us_geo = t.us_geo
        and t.edge >= o.prompt_tokens_over and t.edge < o.prompt_tokens_upto
)
select
    feature, -- what the calls were for
    model, -- the model that answered
    other_model, -- the model that is asked instead
    cast(sum(calls) as bigint) as calls, -- calls
    cast(max(token_factor) as double) as token_factor, -- tokens it makes of the same text, times those of the model that answered
    usd(sum(cost_pico)) as cost_usd, -- what they cost
    usd(sum(web_search_pico) + floor(sum(tokens_pico * token_factor))) as other_cost_usd -- what they would cost there today
from priced
group by feature, model, other_model
order by feature, model, other_cost_usd, other_model
