-- The answers refused before any output, which cost nothing, and what their prompts would have cost.
-- grain: attempt_id
select
    a.attempt_id, -- the try
    usd(coalesce(a.uncached_input_tokens * r.input_pico, 0) + coalesce(a.cache_read_tokens * r.cache_read_pico, 0)
        + (coalesce(a.cache_write_5m_tokens, 0) + coalesce(a.cache_write_unknown_ttl_tokens, 0))
            * coalesce(r.cache_write_5m_pico, 0)
        + coalesce(a.cache_write_1h_tokens * r.cache_write_1h_pico, 0)) as prompt_cost_usd -- list price of its prompt
from base.attempts as a
join base.rates as r
    on r.model_raw = a.model_raw
    and r.variant = a.variant
    and a.started_at >= r.valid_from
    and a.started_at < r.valid_until
    and a.prompt_tokens > r.prompt_tokens_over
    and a.prompt_tokens <= r.prompt_tokens_upto
where a.is_free and a.stop_reason = 'refusal' and a.iterations is null and r.input_pico is not null
