-- The calls of conversations that cache nothing, and what of each prompt would have been read from the cache and written to it.
-- grain: attempt_id
select
    attempt_id, -- id of the try
    feature, -- what it was for
    model, -- name in the price list
    read_5m_tokens, -- prompt tokens that a cache of five minutes would have had
    written_5m_tokens, -- those that would have been written to it
    read_1h_tokens, -- the same for an hour
    written_1h_tokens -- the same for an hour
from focus.rated_session_uses
where uncached_input_tokens = input_tokens
order by started_at, attempt_id
