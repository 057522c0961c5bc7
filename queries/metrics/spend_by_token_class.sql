-- What each class of tokens costs.
-- grain: token_class
with
classes as (
    select 1 as place, 'input' as token_class
    union all select 2, 'cache_read'
    union all select 3, 'cache_write_5m'
    union all select 4, 'cache_write_1h'
    union all select 5, 'cache_write_unknown_ttl'
    union all select 6, 'output'
    union all select 7, 'web_search'
),
sums as (
    select
        sum(uncached_input_tokens) as input_tokens,
        sum(cache_read_tokens) as cache_read_tokens,
        sum(cache_write_5m_tokens) as cache_write_5m_tokens,
        sum(cache_write_1h_tokens) as cache_write_1h_tokens,
        sum(cache_write_unknown_ttl_tokens) as cache_write_unknown_ttl_tokens,
        sum(output_tokens) as output_tokens,
        sum(web_search_requests) as web_search_requests,
        sum(input_cost_usd) as input_cost_usd,
        sum(cache_read_cost_usd) as cache_read_cost_usd,
        sum(cache_write_5m_cost_usd) as cache_write_5m_cost_usd,
        sum(cache_write_1h_cost_usd) as cache_write_1h_cost_usd,
        sum(cache_write_unknown_ttl_cost_usd) as cache_write_unknown_ttl_cost_usd,
        sum(output_cost_usd) as output_cost_usd,
        sum(web_search_cost_usd) as web_search_cost_usd
    from focus.attempts_by_hour
)
select
    c.token_class, -- input means uncached input; the web search class counts searches
    coalesce(case c.token_class
        when 'input' then s.input_tokens
        when 'cache_read' then s.cache_read_tokens
        when 'cache_write_5m' then s.cache_write_5m_tokens
        when 'cache_write_1h' then s.cache_write_1h_tokens
        when 'cache_write_unknown_ttl' then s.cache_write_unknown_ttl_tokens
        when 'output' then s.output_tokens
        else s.web_search_requests
    end, 0) as tokens, -- tokens of the class, unpriced ones included; searches for web_search
    coalesce(case c.token_class
        when 'input' then s.input_cost_usd
        when 'cache_read' then s.cache_read_cost_usd
        when 'cache_write_5m' then s.cache_write_5m_cost_usd
        when 'cache_write_1h' then s.cache_write_1h_cost_usd
        when 'cache_write_unknown_ttl' then s.cache_write_unknown_ttl_cost_usd
        when 'output' then s.output_cost_usd
        else s.web_search_cost_usd
    end, 0) as cost_usd -- list price of the class
from sums as s
cross join classes as c
order by c.place
