-- The rates of every logged model name: exactly one row for each moment, prompt length and way to ask. They are those
-- that are billed; list prices stand beside them, and differ only where others were agreed upon.
-- grain: model_raw, variant, valid_from, prompt_tokens_over
select
    m.model_raw,
    m.model,
    r.mode,
    v.fast + 2 * r.batch + 4 * r.us_geo + 8 * r.platform_no as variant,
    r.valid_from,
    r.valid_until,
    r.prompt_tokens_over,
    r.prompt_tokens_upto,
    coalesce(m.unpriced_reason, r.unpriced_reason) as unpriced_reason,
    r.min_cacheable_tokens,
    r.input_pico,
    r.cache_read_pico,
    r.cache_write_5m_pico,
    r.cache_write_1h_pico,
    r.output_pico,
    r.web_search_pico,
    r.contract_line,
    r.list_input_pico,
    r.list_cache_read_pico,
    r.list_cache_write_5m_pico,
    r.list_cache_write_1h_pico,
    r.list_output_pico
from base.models as m
cross join (select 0 as fast union all select 1 as fast) as v
join base.platform_rates as r
    on r.model = m.priced_as and r.endpoint = m.endpoint and r.fast = greatest(m.fast, v.fast)
