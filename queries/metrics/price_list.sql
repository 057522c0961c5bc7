-- The price list: every model, mode and tier with the days it holds and where it comes from.
-- unfiltered
-- grain: model, mode, prompt_tokens_over, effective_from
select
    model, -- name in the price list
    mode, -- standard or fast
    prompt_tokens_over, -- the row holds for prompts longer than this
    nullif(cast(valid_from as date), date '0001-01-01') as effective_from, -- first day, UTC; null since launch
    nullif(cast(valid_until as date), date '9999-12-31') as effective_until, -- first day it no longer holds; null while it does
    input_usd_mtok, -- USD per million uncached input tokens
    output_usd_mtok, -- USD per million output tokens
    cache_write_5m_usd_mtok, -- USD per million tokens written to the cache for five minutes
    cache_write_1h_usd_mtok, -- USD per million tokens written to the cache for an hour
    cache_read_usd_mtok, -- USD per million tokens read from the cache
    batch_multiplier, -- factor in batches; null when there is no batch price
    us_geo_multiplier, -- factor for inference kept in the US; null when there is none
    regional_multiplier, -- factor for regional endpoints of Bedrock and Vertex AI; null when there is none
    us_gov_multiplier, -- factor for the US government regions of Bedrock; null when there is none
    min_cacheable_tokens, -- prompts shorter than this are not cached; null when not verified
    released_on, -- launch; null when not verified
    retired_on_claude_api, -- end on the Claude API; null while it is offered
    evidence, -- verified, single-source or disputed
    source, -- where the prices were read
    notes -- what to know about the row
from base.list_prices
order by model, mode, prompt_tokens_over, effective_from
