-- The attempts that were billed at a known price, with what one token of each costs, in whole pico-dollars: as it was
-- sent, and had it been sent through the Batch API. What another way of asking would have cost is worked out from these.
-- Attempts made in several iterations have prices of their own for each part and are not here.
-- grain: attempt_id
select
    a.attempt_id, -- id of the try
    a.started_at, -- its time as logged, UTC
    case when coalesce(a.is_end_time, false) then a.started_at
        else a.started_at + cast(round(coalesce(a.latency_ms, 0)) as bigint) * interval 1 millisecond end as ended_at, -- when its answer was there, UTC
    a.feature, -- what the call was for
    r.model, -- name in the price list
    a.user_id, -- who it was for
    a.team, -- who pays
    a.environment, -- where the application ran
    a.session_id, -- conversation it belongs to; null when not logged
    a.cache_prefix_id, -- salted digest of the part of the prompt that could be cached; null when not logged
    a.cache_prefix_chars, -- length of that part in characters
    a.client_version, -- which SDK or gateway asked, in which version
    a.is_batch, -- sent through the Batch API
    r.mode, -- standard or fast
    a.variant, -- the way it was asked: 1 fast, 2 batch, 4 in the US, 8 on Bedrock, 16 on Vertex AI, 24 on Azure, added up
    a.is_error, -- it failed and was billed all the same
    stop_group(a.is_error, a.stop_reason, a.max_tokens, g.stop_word_group) as stop_group, -- truncated, complete, continuing, refused or other
    a.max_tokens, -- ceiling the request set on the answer
    a.uncached_input_tokens, -- prompt tokens neither read from nor written to the cache
    coalesce(a.cache_read_tokens, 0) as cache_read_tokens, -- prompt tokens read from the cache
    a.cache_write_tokens - coalesce(a.cache_write_1h_tokens, 0) as cache_write_5m_tokens, -- written for five minutes, or for nobody knows how long
    coalesce(a.cache_write_1h_tokens, 0) as cache_write_1h_tokens, -- written for an hour
    a.prompt_tokens as input_tokens, -- all prompt tokens, cached or not
    a.output_tokens, -- tokens of the answer
    r.min_cacheable_tokens, -- shortest prompt that the model caches; null where that is not known
    r.input_pico, -- price of a prompt token neither read nor written
    r.cache_read_pico, -- of one read from the cache
    r.cache_write_5m_pico, -- of one written for five minutes
    r.cache_write_1h_pico, -- of one written for an hour
    r.output_pico, -- of one of the answer
    b.input_pico as batch_input_pico, -- the same through the Batch API; null where it has no price
    b.cache_read_pico as batch_cache_read_pico, -- the same through the Batch API
    b.cache_write_5m_pico as batch_cache_write_5m_pico, -- the same through the Batch API
    b.cache_write_1h_pico as batch_cache_write_1h_pico, -- the same through the Batch API
    b.output_pico as batch_output_pico, -- the same through the Batch API
    coalesce(a.web_search_requests, 0) * r.web_search_pico as web_search_pico, -- its web searches, which nothing makes cheaper
    a.uncached_input_tokens * r.input_pico
        + coalesce(a.cache_read_tokens * r.cache_read_pico, 0)
        + (a.cache_write_tokens - coalesce(a.cache_write_1h_tokens, 0)) * coalesce(r.cache_write_5m_pico, 0)
        + coalesce(a.cache_write_1h_tokens * r.cache_write_1h_pico, 0)
        + a.output_tokens * r.output_pico
        + coalesce(a.web_search_requests * r.web_search_pico, 0) as cost_pico, -- what it cost
    a.uncached_input_tokens * b.input_pico
        + coalesce(a.cache_read_tokens * b.cache_read_pico, 0)
        + (a.cache_write_tokens - coalesce(a.cache_write_1h_tokens, 0)) * coalesce(b.cache_write_5m_pico, 0)
        + coalesce(a.cache_write_1h_tokens * b.cache_write_1h_pico, 0)
        + a.output_tokens * b.output_pico
        + coalesce(a.web_search_requests * r.web_search_pico, 0) as batch_cost_pico -- what it would have cost through the Batch API
from base.attempts as a
join base.rates as r
    on r.model_raw = a.model_raw
    and r.variant = a.variant
    and a.started_at >= r.valid_from
    and a.started_at < r.valid_until
    and a.prompt_tokens > r.prompt_tokens_over
    and a.prompt_tokens <= r.prompt_tokens_upto
left join base.rates as b
    on b.model_raw = a.model_raw
    and b.variant = a.variant + case when a.is_batch then 0 else 2 end
    and a.started_at >= b.valid_from
    and a.started_at < b.valid_until
    and a.prompt_tokens > b.prompt_tokens_over
    and a.prompt_tokens <= b.prompt_tokens_upto
left join base.stop_groups as g on g.stop_word = a.stop_reason
where a.iterations is null
    and not a.is_free
    and r.input_pico is not null
    and a.uncached_input_tokens is not null
    and a.output_tokens is not null
    and (r.cache_read_pico is not null or a.prompt_tokens = a.uncached_input_tokens)
