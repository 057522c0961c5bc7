-- What prompt caching saves, by slice: the same traffic with and without it, at list price.
-- each slice: total, feature, model, user, team, environment, day, hour
-- grain: slice
with
sums as (
    select
        slice,
        coalesce(sum(cache_read_tokens), 0) as cache_read_tokens,
        coalesce(sum(cache_write_tokens), 0) as cache_write_tokens,
        coalesce(sum(cache_write_5m_tokens), 0) as cache_write_5m_tokens,
        coalesce(sum(cache_write_1h_tokens), 0) as cache_write_1h_tokens,
        coalesce(sum(cache_write_unknown_ttl_tokens), 0) as cache_write_unknown_ttl_tokens,
        coalesce(sum(uncached_input_tokens), 0) as uncached_input_tokens,
        coalesce(sum(input_tokens), 0) as input_tokens,
        coalesce(sum(cache_gross_saving_usd), 0) as gross_saving_usd,
        coalesce(sum(cache_write_premium_usd), 0) as write_premium_usd,
        coalesce(sum(cost_usd), 0) as cost_usd,
        sum(write_ttl_assumed_attempts) as write_ttl_assumed_attempts
    from focus.attempts_by_hour
    group by slice
)
select
    slice, -- the slice; (unattributed) when the log does not say
    cache_read_tokens, -- prompt tokens read from the cache
    cache_write_tokens, -- prompt tokens written to the cache
    cache_write_5m_tokens, -- of these, for five minutes
    cache_write_1h_tokens, -- of these, for an hour
    cache_write_unknown_ttl_tokens, -- of these, lifetime not logged
    uncached_input_tokens, -- prompt tokens neither read nor written
    cast(cache_read_tokens as double) / nullif(input_tokens, 0) as cache_hit_rate, -- tokens read over all prompt tokens
    cast(cache_read_tokens as double) / nullif(cache_write_tokens, 0) as read_per_write, -- tokens read per token written
    gross_saving_usd, -- what reads saved against uncached input
    write_premium_usd, -- what writes cost above uncached input
    gross_saving_usd - write_premium_usd as net_saving_usd, -- what caching saved in all; negative when it lost
    cost_usd + gross_saving_usd - write_premium_usd as uncached_cost_usd, -- what the same traffic would have cost with no caching
    cost_usd, -- list price of the tries that have one
    write_ttl_assumed_attempts -- tries whose cache writes were priced as five minutes for want of their lifetime
from sums
order by in_time(slice), cost_usd desc, slice
