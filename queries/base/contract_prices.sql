-- The prices that were agreed upon, typed; the days are as in the file, the moments as rates need them. The higher the
-- rank, the more a row says about what it is for: of several rows that hold, the highest rank wins.
-- stored
-- grain: line, problem
select
    cast(line as bigint) as line,
    model,
    platform,
    mode,
    cast(valid_from as timestamp) as valid_from,
    coalesce(cast(valid_until as timestamp) + interval 1 day, timestamp '9999-12-31') as valid_until,
    cast(discount_percent as decimal(9, 6)) as discount_percent,
    cast(input_usd_mtok as decimal(12, 6)) as input_usd_mtok,
    cast(output_usd_mtok as decimal(12, 6)) as output_usd_mtok,
    cast(cache_write_5m_usd_mtok as decimal(12, 6)) as cache_write_5m_usd_mtok,
    cast(cache_write_1h_usd_mtok as decimal(12, 6)) as cache_write_1h_usd_mtok,
    cast(cache_read_usd_mtok as decimal(12, 6)) as cache_read_usd_mtok,
    source,
    case when model is null then 0 else 4 end + case when platform is null then 0 else 2 end
        + case when mode is null then 0 else 1 end as rank,
    problem
from lists.contract_prices
