-- What each try is charged for, with the list price beside it: a row for every class of tokens that costs something. Tries without a
-- price, and those that are free, have none; the rows of a try add up to its cost.
-- grain: attempt_id, iteration_no, token_class
with
classes as (
    select 'input' as token_class
    union all select 'cache_read'
    union all select 'cache_write_5m'
    union all select 'cache_write_1h'
    union all select 'cache_write_unknown_ttl'
    union all select 'output'
    union all select 'web_search'
),
whole as (
    select
        a.attempt_id,
        0 as iteration_no,
        a.model,
        c.token_class,
        case c.token_class
            when 'input' then a.uncached_input_tokens
            when 'cache_read' then a.cache_read_tokens
            when 'cache_write_5m' then a.cache_write_5m_tokens
            when 'cache_write_1h' then a.cache_write_1h_tokens
            when 'cache_write_unknown_ttl' then a.cache_write_unknown_ttl_tokens
            when 'output' then a.output_tokens
            else a.web_search_requests
        end as tokens,
        case c.token_class
            when 'input' then a.input_cost_usd
            when 'cache_read' then a.cache_read_cost_usd
            when 'cache_write_5m' then a.cache_write_5m_cost_usd
            when 'cache_write_1h' then a.cache_write_1h_cost_usd
            when 'cache_write_unknown_ttl' then a.cache_write_unknown_ttl_cost_usd
            when 'output' then a.output_cost_usd
            else a.web_search_cost_usd
        end as cost_usd,
        case c.token_class
            when 'input' then r.list_input_pico
            when 'cache_read' then r.list_cache_read_pico
            when 'cache_write_5m' then r.list_cache_write_5m_pico
            when 'cache_write_1h' then r.list_cache_write_1h_pico
            when 'cache_write_unknown_ttl' then r.list_cache_write_5m_pico
            when 'output' then r.list_output_pico
            else r.web_search_pico
        end as list_token_pico
    from facts.attempts as a
    left join base.attempts as b on b.attempt_id = a.attempt_id
    left join base.rates as r
        on r.model_raw = b.model_raw
        and r.variant = b.variant
        and b.started_at >= r.valid_from
        and b.started_at < r.valid_until
        and b.prompt_tokens > r.prompt_tokens_over
        and b.prompt_tokens <= r.prompt_tokens_upto
    cross join classes as c
    where a.list_cost_usd > 0 and (a.iterations is null or c.token_class = 'web_search')
),
parts as (
    select
        p.attempt_id,
        p.iteration_no,
        p.model,
        c.token_class,
        case c.token_class
            when 'input' then p.uncached_input_tokens
            when 'cache_read' then p.cache_read_tokens
            when 'cache_write_5m' then p.cache_write_5m_tokens
            when 'cache_write_1h' then p.cache_write_1h_tokens
            when 'cache_write_unknown_ttl' then p.cache_write_unknown_ttl_tokens
            else p.output_tokens
        end as tokens,
        usd(case c.token_class
            when 'input' then p.input_pico
            when 'cache_read' then p.cache_read_pico
            when 'cache_write_5m' then p.cache_write_5m_pico
            when 'cache_write_1h' then p.cache_write_1h_pico
            when 'cache_write_unknown_ttl' then p.cache_write_unknown_ttl_pico
            else p.output_pico
        end) as cost_usd,
        case c.token_class
            when 'input' then p.list_input_pico
            when 'cache_read' then p.list_cache_read_pico
            when 'cache_write_5m' then p.list_cache_write_5m_pico
            when 'cache_write_1h' then p.list_cache_write_1h_pico
            when 'cache_write_unknown_ttl' then p.list_cache_write_5m_pico
            else p.list_output_pico
        end as list_token_pico
    from facts.attempt_parts as p
    join facts.attempts as a on a.attempt_id = p.attempt_id
    cross join classes as c
    where a.list_cost_usd > 0 and c.token_class <> 'web_search'
),
charged as (
    select * from whole where tokens > 0
    union all
    select * from parts where tokens > 0
)
select
    attempt_id, -- the try
    iteration_no, -- place of the part among the try's iterations, from 1; 0 for the try as a whole
    token_class, -- input means uncached input; the web search class counts searches
    model, -- the model that is charged for
    cast(tokens as bigint) as tokens, -- tokens of the class; searches for web_search
    cast(cost_usd / tokens as decimal(18, 12)) as token_price_usd, -- price of one of them
    cost_usd, -- price of all of them
    coalesce(usd(list_token_pico), cast(cost_usd / tokens as decimal(18, 12))) as list_token_price_usd, -- list price of one of them
    coalesce(usd(tokens * list_token_pico), cost_usd) as list_cost_usd -- list price of all of them
from charged
