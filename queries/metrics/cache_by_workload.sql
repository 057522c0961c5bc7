-- How caching does for each feature and model that caches: what it saved net of the write premium, against the share of
-- hits at which it begins to pay, what was written and never read, and whether the other lifetime would have done better.
-- Money, reads and writes are exact; unread writes and the other lifetime are estimates from the times of calls.
-- grain: feature, model
with
moved as (
    select
        *,
        case when is_late and cache_read_tokens = 0 then cache_write_5m_tokens else 0 end as rewritten_tokens,
        case when is_late and cache_write_1h_tokens = 0 then cache_read_tokens else 0 end as reread_tokens
    from focus.rated_cache_uses
),
sums as (
    select
        feature,
        model,
        count(*) as calls,
        sum(cache_read_tokens) as cache_read_tokens,
        sum(cache_write_5m_tokens) as cache_write_5m_tokens,
        sum(cache_write_1h_tokens) as cache_write_1h_tokens,
        sum(case when is_unread then cache_write_5m_tokens + cache_write_1h_tokens else 0 end) as unread_write_tokens,
        sum(case when is_unread then cache_write_5m_tokens * (cache_write_5m_pico - input_pico)
            + cache_write_1h_tokens * (cache_write_1h_pico - input_pico) else 0 end) as unread_premium_pico,
        sum(cache_read_tokens * (input_pico - cache_read_pico)) as gross_pico,
        sum(cache_write_5m_tokens * (cache_write_5m_pico - input_pico)
            + cache_write_1h_tokens * (cache_write_1h_pico - input_pico)) as premium_pico,
        sum(cast(cache_write_5m_pico - input_pico as double) * cache_write_5m_tokens
            + cast(cache_write_1h_pico - input_pico as double) * cache_write_1h_tokens)
            / nullif(sum(cast(cache_write_5m_pico - cache_read_pico as double) * cache_write_5m_tokens
                + cast(cache_write_1h_pico - cache_read_pico as double) * cache_write_1h_tokens), 0) as break_even_rate,
        sum(rewritten_tokens * (cache_write_5m_pico - cache_read_pico)
            - (cache_write_5m_tokens - rewritten_tokens) * (cache_write_1h_pico - cache_write_5m_pico)) as to_1h_pico,
        sum(cache_write_1h_tokens * (cache_write_1h_pico - cache_write_5m_pico)
            - reread_tokens * (cache_write_5m_pico - cache_read_pico)) as to_5m_pico,
        sum(cost_pico) as cost_pico
    from moved
    group by feature, model
)
select
    feature, -- what the calls were for
    model, -- name in the price list
    calls, -- calls that read from the cache or wrote to it
    cast(cache_read_tokens as double) / nullif(cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens, 0)
        as cached_hit_rate, -- tokens read, of all that were read or written
    break_even_rate, -- the share at which caching begins to pay, at the prices and lifetimes of these writes
    cast(cache_read_tokens as bigint) as cache_read_tokens, -- prompt tokens read from the cache
    cast(cache_write_5m_tokens + cache_write_1h_tokens as bigint) as cache_write_tokens, -- prompt tokens written to the cache
    cast(unread_write_tokens as bigint) as unread_write_tokens, -- of these, not read by the next use in time; an estimate
    usd(unread_premium_pico) as unread_premium_usd, -- what these cost above uncached input; an estimate
    usd(gross_pico) as gross_saving_usd, -- what reads saved against uncached input
    usd(premium_pico) as write_premium_usd, -- what writes cost above uncached input
    usd(gross_pico - premium_pico) as net_saving_usd, -- what caching saved in all; negative when it lost
    case when cache_write_1h_tokens > cache_write_5m_tokens then '1 hour' else '5 minutes' end as lifetime, -- what most was written for
    case when cache_write_1h_tokens > cache_write_5m_tokens then '5 minutes' else '1 hour' end as other_lifetime, -- the other one
    usd(case when cache_write_1h_tokens > cache_write_5m_tokens then to_5m_pico else to_1h_pico end)
        as other_lifetime_saving_usd, -- what the other one would have saved; negative when it would have cost; an estimate
    usd(cost_pico) as cost_usd -- what these calls cost
from sums
order by cost_usd desc, feature, model
