-- What caching every prompt would have saved within conversations, by feature, model and day: calls that cache nothing.
-- grain: feature, model, day
select
    feature, -- what the calls were for
    model, -- name in the price list
    day, -- day on the reader's clock
    count(*) as calls, -- calls of conversations outside the Batch API
    count(turn_before_at) as later_turns, -- those that follow another
    cast(sum(read_5m_tokens) as bigint) as read_5m_tokens, -- prompt tokens that a cache of five minutes would have had
    cast(sum(read_1h_tokens) as bigint) as read_1h_tokens, -- the same for an hour
    cast(sum(read_5m_tokens * (input_pico - cache_read_pico) - written_5m_tokens * (cache_write_5m_pico - input_pico)) as bigint)
        as saving_5m_pico, -- saved by reads less the premium of writes, in pico-dollars
    cast(sum(read_1h_tokens * (input_pico - cache_read_pico) - written_1h_tokens * (cache_write_1h_pico - input_pico)) as bigint)
        as saving_1h_pico -- the same for an hour
from focus.rated_session_uses
where uncached_input_tokens = input_tokens
group by feature, model, day
order by feature, model, day
