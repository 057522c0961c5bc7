-- The parts of answers that were made in several iterations (compaction, server-side fallback), each billed for itself.
-- grain: attempt_id, iteration_no
select
    attempt_id,
    iteration_no,
    started_at,
    variant,
    coalesce(part.model_raw, model_raw) as model_raw,
    part.uncached_input_tokens as uncached_input_tokens,
    part.cache_read_tokens as cache_read_tokens,
    part.cache_write_5m_tokens as cache_write_5m_tokens,
    part.cache_write_1h_tokens as cache_write_1h_tokens,
    part.cache_write_unknown_ttl_tokens as cache_write_unknown_ttl_tokens,
    coalesce(part.cache_write_5m_tokens, 0) + coalesce(part.cache_write_1h_tokens, 0)
        + coalesce(part.cache_write_unknown_ttl_tokens, 0) as cache_write_tokens,
    coalesce(part.uncached_input_tokens, 0) + coalesce(part.cache_read_tokens, 0)
        + coalesce(part.cache_write_5m_tokens, 0) + coalesce(part.cache_write_1h_tokens, 0)
        + coalesce(part.cache_write_unknown_ttl_tokens, 0) as prompt_tokens,
    part.output_tokens as output_tokens,
    -- A model that hands over to the next one without a word has declined; so has a last one
    -- that ends in a refusal. Neither has been billed since this day.
    coalesce(part.output_tokens, 0) = 0
        and (iteration_no < iterations or coalesce(stop_reason = 'refusal', false))
        and started_at >= timestamp '2026-06-02' as is_declined
from base.unfolded_iterations
