-- The billed tries at a known price, with tokens and the price of each, as a plan of measures prices them step by step.
-- Prices through the Batch API are those of the try itself where it has none there.
-- grain: attempt_id
select
    attempt_id, -- id of the try
    started_at, -- its time as logged, UTC
    feature, -- what it was for
    model, -- name in the price list
    user_id, -- who it was for
    input_tokens, -- all prompt tokens, cached or not
    uncached_input_tokens, -- prompt tokens neither read from nor written to the cache
    output_tokens, -- tokens of the answer
    input_pico, -- price of a prompt token neither read nor written, in pico-dollars
    coalesce(cache_read_pico, input_pico) as cache_read_pico, -- of one read from the cache
    coalesce(cache_write_5m_pico, input_pico) as cache_write_5m_pico, -- of one written for five minutes
    coalesce(cache_write_1h_pico, input_pico) as cache_write_1h_pico, -- of one written for an hour
    coalesce(batch_input_pico, input_pico) as batch_input_pico, -- the same through the Batch API
    coalesce(batch_cache_read_pico, batch_input_pico, cache_read_pico, input_pico) as batch_cache_read_pico, -- the same through the Batch API
    coalesce(batch_cache_write_5m_pico, batch_input_pico, cache_write_5m_pico, input_pico) as batch_cache_write_5m_pico, -- the same through the Batch API
    coalesce(batch_cache_write_1h_pico, batch_input_pico, cache_write_1h_pico, input_pico) as batch_cache_write_1h_pico, -- the same through the Batch API
    cost_pico, -- what it cost
    coalesce(batch_cost_pico, cost_pico) as batch_cost_pico -- what it would have cost through the Batch API
from focus.rated_attempts
