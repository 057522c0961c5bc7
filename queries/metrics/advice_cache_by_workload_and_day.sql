-- What one token of a shared prompt prefix would have saved in the cache, by feature, model and day: times the prefix's
-- length it is the saving. Hits need nothing but times of calls; how long the prefix is, counts alone do not tell.
-- grain: feature, model, day
select
    feature, -- what the calls were for
    model, -- name in the price list
    day, -- day on the reader's clock
    count(*) as calls, -- calls outside the Batch API
    sum(case when is_hit_5m then 1 else 0 end) as hits_5m, -- that would have found the prefix in a cache of five minutes
    sum(case when is_hit_1h then 1 else 0 end) as hits_1h, -- the same for an hour
    cast(sum(case when is_hit_5m then input_pico - cache_read_pico else input_pico - cache_write_5m_pico end) as bigint)
        as saving_5m_pico, -- saved per token of the prefix, in pico-dollars, writes at their premium
    cast(sum(case when is_hit_1h then input_pico - cache_read_pico else input_pico - cache_write_1h_pico end) as bigint)
        as saving_1h_pico, -- the same for an hour
    min(input_tokens) as fewest_tokens, -- shortest prompt: no prefix that all share is longer
    max(min_cacheable_tokens) as min_cacheable_tokens, -- shortest prompt that the model caches; null where that is not known
    count(distinct cache_prefix_id) as prefixes, -- prefixes whose digest is logged
    min(cache_prefix_chars) as fewest_prefix_chars, -- length of the shortest of them, in characters
    cast(sum(cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens) as bigint) as cached_tokens, -- prompt tokens that were read or written as it is
    cast(sum(input_tokens) as bigint) as input_tokens, -- all prompt tokens
    cast(sum(cost_pico) as bigint) as cost_pico -- what the calls cost
from focus.rated_prefix_uses
group by feature, model, day
order by feature, model, day
