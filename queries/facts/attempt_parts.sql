-- The billed iterations of answers made in several (compaction, server-side fallback), each by its own model's price.
-- Amounts are whole pico-dollars; facts.attempts sums them.
-- grain: attempt_id, iteration_no
select
    i.attempt_id, -- the try
    i.iteration_no, -- place among its iterations, from 1
    coalesce(r.model, i.model_raw, '(no model)') as model, -- model of the iteration
    i.uncached_input_tokens, -- prompt tokens neither read from nor written to the cache
    i.cache_read_tokens, -- prompt tokens read from the cache
    i.cache_write_5m_tokens, -- prompt tokens written to the cache for five minutes
    i.cache_write_1h_tokens, -- prompt tokens written to the cache for an hour
    i.cache_write_unknown_ttl_tokens, -- prompt tokens written to the cache, lifetime not logged
    i.prompt_tokens, -- all prompt tokens, cached or not
    i.output_tokens, -- tokens of the answer
    coalesce(i.uncached_input_tokens * r.input_pico, 0) as input_pico, -- for uncached input
    coalesce(i.cache_read_tokens * r.cache_read_pico, 0) as cache_read_pico, -- for cache reads
    coalesce(i.cache_write_5m_tokens * r.cache_write_5m_pico, 0) as cache_write_5m_pico, -- for cache writes of five minutes
    coalesce(i.cache_write_1h_tokens * r.cache_write_1h_pico, 0) as cache_write_1h_pico, -- for cache writes of an hour
    coalesce(i.cache_write_unknown_ttl_tokens * r.cache_write_5m_pico, 0) as cache_write_unknown_ttl_pico, -- for cache writes of unknown lifetime, priced as five minutes
    coalesce(i.output_tokens * r.output_pico, 0) as output_pico, -- for the answer
    coalesce(i.cache_read_tokens * r.input_pico, 0) as uncached_read_pico, -- cache reads at the price of uncached input
    coalesce(i.cache_write_tokens * r.input_pico, 0) as uncached_write_pico, -- cache writes at the price of uncached input
    coalesce(i.uncached_input_tokens * r.list_input_pico, 0)
        + coalesce(i.cache_read_tokens * r.list_cache_read_pico, 0)
        + coalesce((i.cache_write_tokens - coalesce(i.cache_write_1h_tokens, 0)) * r.list_cache_write_5m_pico, 0)
        + coalesce(i.cache_write_1h_tokens * r.list_cache_write_1h_pico, 0)
        + coalesce(i.output_tokens * r.list_output_pico, 0) as list_pico, -- all of these at list price
    r.list_input_pico, -- list price of one uncached input token
    r.list_cache_read_pico, -- of one read from the cache
    r.list_cache_write_5m_pico, -- of one written for five minutes
    r.list_cache_write_1h_pico, -- of one written for an hour
    r.list_output_pico, -- of one of the answer
    r.web_search_pico, -- for one web search
    unpriced_reason(
        i.model_raw, i.uncached_input_tokens, i.output_tokens, i.prompt_tokens, r.input_pico, r.cache_read_pico,
        r.unpriced_reason
    ) as unpriced_reason -- why there is no price; null when there is one
from base.iterations as i
left join base.rates as r
    on r.model_raw = i.model_raw
    and r.variant = i.variant
    and i.started_at >= r.valid_from
    and i.started_at < r.valid_until
    and i.prompt_tokens > r.prompt_tokens_over
    and i.prompt_tokens <= r.prompt_tokens_upto
where not i.is_declined
