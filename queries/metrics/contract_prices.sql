-- The prices that were agreed upon, from the home's own file, with the days they hold. A file with mistakes is not in
-- force: then each row is a mistake.
-- unfiltered
-- grain: line, problem
select
    line, -- its line in the file
    model, -- name in the price list; null for all
    platform, -- anthropic, bedrock, vertex or azure; null for all
    mode, -- standard or fast; null for both
    cast(valid_from as date) as effective_from, -- first day, UTC
    nullif(cast(valid_until as date), date '9999-12-31') as effective_until, -- first day it no longer holds; null until further notice
    discount_percent, -- off the list price of every class of tokens; null where there are prices of their own
    input_usd_mtok, -- USD per million uncached input tokens; null where that is the list price
    output_usd_mtok, -- USD per million output tokens
    cache_write_5m_usd_mtok, -- USD per million tokens written to the cache for five minutes
    cache_write_1h_usd_mtok, -- USD per million tokens written to the cache for an hour
    cache_read_usd_mtok, -- USD per million tokens read from the cache
    source, -- where it is written
    problem -- what is wrong with the line; null in a file that is in force
from base.contract_prices
order by line, problem
