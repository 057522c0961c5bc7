-- The parts of answers that were made in several iterations (compaction, server-side fallback), each billed for itself.
-- The one view that unfolds a list: an engine without unnest needs its own spelling of it.
-- grain: attempt_id, iteration_no
with
unfolded as (
    select
        attempt_id,
        model_raw,
        started_at,
        stop_reason,
        case when speed = 'fast' then 1 else 0 end + case when service_tier = 'batch' then 2 else 0 end
            + case when inference_geo = 'us' then 4 else 0 end
            + case platform when 'bedrock' then 8 when 'vertex' then 16 when 'azure' then 24 else 0 end as variant,
        len(iterations) as iterations,
        unnest(range(1, len(iterations) + 1)) as iteration_no,
        unnest(iterations) as part
    from store.attempts
    where iterations is not null
)
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
from unfolded
