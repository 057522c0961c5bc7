-- What another lifetime would have changed on each call that uses the cache. With an hour, what a call wrote because five
-- minutes had just run out would have been read, and every other write would have cost more. With five minutes, writes
-- would have cost less, and what was read after a longer pause would have been written again. Signed: tokens moved.
-- grain: attempt_id
select
    attempt_id, -- id of the try
    feature, -- what it was for
    model, -- name in the price list
    day, -- day on the reader's clock
    rewritten_tokens as to_1h_read_tokens, -- with an hour: tokens more read
    -cache_write_5m_tokens as to_1h_write_5m_tokens, -- with an hour: tokens more written for five minutes
    cache_write_5m_tokens - rewritten_tokens as to_1h_write_1h_tokens, -- with an hour: tokens more written for one
    rewritten_tokens * (cache_write_5m_pico - cache_read_pico)
        - (cache_write_5m_tokens - rewritten_tokens) * (cache_write_1h_pico - cache_write_5m_pico) as to_1h_saving_pico, -- saved with an hour, in pico-dollars
    -reread_tokens as to_5m_read_tokens, -- with five minutes: tokens more read
    cache_write_1h_tokens + reread_tokens as to_5m_write_5m_tokens, -- with five minutes: tokens more written for five
    -cache_write_1h_tokens as to_5m_write_1h_tokens, -- with five minutes: tokens more written for an hour
    cache_write_1h_tokens * (cache_write_1h_pico - cache_write_5m_pico)
        - reread_tokens * (cache_write_5m_pico - cache_read_pico) as to_5m_saving_pico -- saved with five minutes
from focus.cache_use_rows
where uses = 1
order by started_at, attempt_id
