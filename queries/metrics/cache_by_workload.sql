-- How caching does for each feature and model that caches: what it saved net of the write premium, against the share of
-- hits at which it begins to pay, what was written and never read, and whether the other lifetime would have done better.
-- Money, reads and writes are exact; unread writes and the other lifetime are estimates from the times of calls.
-- grain: feature, model
with
sums as (
    select
        feature,
        model,
        sum(uses) as uses,
        sum(cache_read_tokens) as cache_read_tokens,
        sum(cache_write_5m_tokens) as cache_write_5m_tokens,
        sum(cache_write_1h_tokens) as cache_write_1h_tokens,
        sum(unread_5m_tokens) as unread_5m_tokens,
        sum(unread_1h_tokens) as unread_1h_tokens,
        sum(pico(unread_5m_tokens, cache_write_5m_pico - input_pico)
            + pico(unread_1h_tokens, cache_write_1h_pico - input_pico)) as unread_premium_pico,
        sum(pico(cache_read_tokens, input_pico - cache_read_pico)) as gross_pico,
        sum(pico(cache_write_5m_tokens, cache_write_5m_pico - input_pico)
            + pico(cache_write_1h_tokens, cache_write_1h_pico - input_pico)) as premium_pico,
        sum(pico(cache_write_5m_tokens, cache_write_5m_pico - cache_read_pico)
            + pico(cache_write_1h_tokens, cache_write_1h_pico - cache_read_pico)) as premium_on_read_pico,
        sum(pico(rewritten_tokens, cache_write_5m_pico - cache_read_pico)
            - pico(cache_write_5m_tokens - rewritten_tokens, cache_write_1h_pico - cache_write_5m_pico)) as to_1h_pico,
        sum(pico(cache_write_1h_tokens, cache_write_1h_pico - cache_write_5m_pico)
            - pico(reread_tokens, cache_write_5m_pico - cache_read_pico)) as to_5m_pico,
        sum(pico(use_uncached_input_tokens, input_pico) + pico(cache_read_tokens, cache_read_pico)
            + pico(cache_write_5m_tokens, cache_write_5m_pico) + pico(cache_write_1h_tokens, cache_write_1h_pico)
            + pico(use_output_tokens, output_pico) + pico(use_web_search_requests, web_search_pico)) as cost_pico
    from focus.cache_uses_by_hour
    group by feature, model
    having sum(uses) > 0
)
select
    feature, -- what the calls were for
    model, -- name in the price list
    cast(uses as bigint) as calls, -- calls that read from the cache or wrote to it
    cast(cache_read_tokens as double) / nullif(cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens, 0)
        as cached_hit_rate, -- tokens read, of all that were read or written
    cast(premium_pico as double) / nullif(cast(premium_on_read_pico as double), 0) as break_even_rate, -- the share at which caching begins to pay, at the prices and lifetimes of these writes
    cast(cache_read_tokens as bigint) as cache_read_tokens, -- prompt tokens read from the cache
    cast(cache_write_5m_tokens + cache_write_1h_tokens as bigint) as cache_write_tokens, -- prompt tokens written to the cache
    cast(unread_5m_tokens + unread_1h_tokens as bigint) as unread_write_tokens, -- of these, not read by the next use in time; an estimate
    usd_sum(unread_premium_pico) as unread_premium_usd, -- what these cost above uncached input; an estimate
    usd_sum(gross_pico) as gross_saving_usd, -- what reads saved against uncached input
    usd_sum(premium_pico) as write_premium_usd, -- what writes cost above uncached input
    usd_sum(gross_pico - premium_pico) as net_saving_usd, -- what caching saved in all; negative when it lost
    case when cache_write_1h_tokens > cache_write_5m_tokens then '1 hour' else '5 minutes' end as lifetime, -- what most was written for
    case when cache_write_1h_tokens > cache_write_5m_tokens then '5 minutes' else '1 hour' end as other_lifetime, -- the other one
    usd_sum(case when cache_write_1h_tokens > cache_write_5m_tokens then to_5m_pico else to_1h_pico end)
        as other_lifetime_saving_usd, -- what the other one would have saved; negative when it would have cost; an estimate
    usd_sum(cost_pico) as cost_usd -- what these calls cost
from sums
order by cost_usd desc, feature, model
