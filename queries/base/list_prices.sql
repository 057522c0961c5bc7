-- The price list, typed: USD per million tokens. An empty end means the price still holds.
-- stored
-- grain: model, mode, prompt_tokens_over, valid_from
select
    model_id as model,
    mode,
    cast(prompt_tokens_over as bigint) as prompt_tokens_over,
    coalesce(cast(effective_from as timestamp), timestamp '0001-01-01') as valid_from,
    coalesce(cast(effective_to_exclusive as timestamp), timestamp '9999-12-31') as valid_until,
    cast(input_usd_mtok as decimal(12, 6)) as input_usd_mtok,
    cast(output_usd_mtok as decimal(12, 6)) as output_usd_mtok,
    cast(cache_write_5m_usd_mtok as decimal(12, 6)) as cache_write_5m_usd_mtok,
    cast(cache_write_1h_usd_mtok as decimal(12, 6)) as cache_write_1h_usd_mtok,
    cast(cache_read_usd_mtok as decimal(12, 6)) as cache_read_usd_mtok,
    cast(batch_multiplier as decimal(6, 4)) as batch_multiplier,
    cast(us_geo_multiplier as decimal(6, 4)) as us_geo_multiplier,
    cast(regional_multiplier as decimal(6, 4)) as regional_multiplier,
    cast(us_gov_multiplier as decimal(6, 4)) as us_gov_multiplier,
    cast(min_cacheable_tokens as bigint) as min_cacheable_tokens,
    cast(context_window as bigint) as context_window,
    cast(max_output_tokens as bigint) as max_output_tokens,
    released_on,
    retired_on_claude_api,
    evidence,
    source,
    notes
from lists.prices
