-- What one token of an attempt costs, in whole pico-dollars: as it was sent, and had it been sent through the Batch API.
-- Attempts made in several iterations have rates of their own for each part and are not here.
-- grain: attempt_id
select
    a.attempt_id, -- id of the try
    a.variant, -- the way it was asked: 1 fast, 2 batch, 4 in the US, added up
    r.model, -- name in the price list
    r.input_pico, -- a prompt token neither read nor written; null when its price is not known
    r.cache_read_pico, -- a prompt token read from the cache
    r.cache_write_5m_pico, -- a prompt token written to the cache for five minutes
    r.cache_write_1h_pico, -- a prompt token written to the cache for an hour
    r.output_pico, -- a token of the answer
    b.input_pico as batch_input_pico, -- the same through the Batch API; null where it has no price
    b.cache_read_pico as batch_cache_read_pico, -- the same through the Batch API
    b.cache_write_5m_pico as batch_cache_write_5m_pico, -- the same through the Batch API
    b.cache_write_1h_pico as batch_cache_write_1h_pico, -- the same through the Batch API
    b.output_pico as batch_output_pico -- the same through the Batch API
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
where a.iterations is null
