-- The tries that facts.cache_uses_by_hour adds up, one by one.
-- grain: attempt_id
select
    u.attempt_id, -- the try
    u.started_at, -- its time, UTC
    u.feature, -- what the call was for
    u.user_id, -- who it was for
    u.team, -- who pays
    u.environment, -- where the application ran
    u.model_raw, -- model name as logged
    r.model, -- name in the price list
    u.variant, -- the way it was asked: 1 fast, 4 in the US, 8 on Bedrock, 16 on Vertex AI, 24 on Azure, added up
    u.calls, -- tries outside the Batch API
    u.input_tokens, -- their prompt tokens, cached or not
    u.uses, -- those that read from the cache or wrote to it
    u.use_uncached_input_tokens, -- prompt tokens of these neither read nor written
    u.cache_read_tokens, -- prompt tokens read from the cache
    u.cache_write_5m_tokens, -- written for five minutes, or for nobody knows how long
    u.cache_write_1h_tokens, -- written for an hour
    u.use_output_tokens, -- tokens of the answers of these
    u.use_web_search_requests, -- their web searches
    u.unread_5m_tokens, -- of those written for five minutes, not read by the next use in time; an estimate
    u.unread_1h_tokens, -- of those written for an hour; an estimate
    u.rewritten_tokens, -- written for five minutes once more, which a cache of an hour would still have had; an estimate
    u.reread_tokens, -- read from a cache of an hour, which one of five minutes would not have had; an estimate
    r.input_pico, -- price of a prompt token neither read nor written, in whole pico-dollars
    r.cache_read_pico, -- of one read from the cache
    r.cache_write_5m_pico, -- of one written for five minutes
    r.cache_write_1h_pico, -- of one written for an hour
    r.output_pico, -- of one of the answer
    r.web_search_pico -- of a web search
from base.cache_uses as u
join base.rates as r
    on r.model_raw = u.model_raw
    and r.variant = u.variant
    and u.started_at >= r.valid_from
    and u.started_at < r.valid_until
    and u.input_tokens > r.prompt_tokens_over
    and u.input_tokens <= r.prompt_tokens_upto
where r.input_pico is not null and r.cache_read_pico is not null
