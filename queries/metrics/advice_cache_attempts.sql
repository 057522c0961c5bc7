-- The calls that could share a prompt prefix, and whether they would have found it in the cache.
-- grain: attempt_id
select
    attempt_id, -- id of the try
    feature, -- what it was for
    model, -- name in the price list
    day, -- day on the reader's clock
    uncached_input_tokens, -- prompt tokens neither read nor written as it is
    input_pico, -- price of one of these, in pico-dollars
    cache_read_pico, -- of one read from the cache
    cache_write_5m_pico, -- of one written for five minutes
    cache_write_1h_pico, -- of one written for an hour
    is_hit_5m, -- a cache of five minutes would have had it
    is_hit_1h -- one of an hour would have had it
from focus.rated_prefix_uses
order by started_at, attempt_id
