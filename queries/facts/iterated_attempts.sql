-- The tries that were billed in several iterations, with the sums of their iterations: amounts are whole pico-dollars.
-- grain: attempt_id
with
summed as (
    select
        attempt_id,
        cast(sum(uncached_input_tokens) as bigint) as billed_input_tokens,
        cast(sum(cache_read_tokens) as bigint) as billed_read_tokens,
        cast(sum(cache_write_5m_tokens) as bigint) as billed_write_5m_tokens,
        cast(sum(cache_write_1h_tokens) as bigint) as billed_write_1h_tokens,
        cast(sum(cache_write_unknown_ttl_tokens) as bigint) as billed_write_unknown_ttl_tokens,
        cast(sum(prompt_tokens) as bigint) as billed_prompt_tokens,
        cast(sum(output_tokens) as bigint) as billed_output_tokens,
        cast(sum(input_pico) as bigint) as input_pico,
        cast(sum(cache_read_pico) as bigint) as cache_read_pico,
        cast(sum(cache_write_5m_pico) as bigint) as cache_write_5m_pico,
        cast(sum(cache_write_1h_pico) as bigint) as cache_write_1h_pico,
        cast(sum(cache_write_unknown_ttl_pico) as bigint) as cache_write_unknown_ttl_pico,
        cast(sum(output_pico) as bigint) as output_pico,
        cast(sum(uncached_read_pico) as bigint) as uncached_read_pico,
        cast(sum(uncached_write_pico) as bigint) as uncached_write_pico,
        max(web_search_pico) as web_search_pico,
        cast(sum(list_pico) as bigint) as list_pico,
        max(unpriced_reason) as reason
    from facts.attempt_parts
    group by attempt_id
)
select
    a.*,
    m.model,
    case when a.is_fast or m.fast = 1 then 'fast' else 'standard' end as mode,
    s.billed_input_tokens,
    s.billed_read_tokens,
    s.billed_write_5m_tokens,
    s.billed_write_1h_tokens,
    s.billed_write_unknown_ttl_tokens,
    coalesce(s.billed_prompt_tokens, 0) as billed_prompt_tokens,
    s.billed_output_tokens,
    coalesce(s.input_pico, 0) as input_pico,
    coalesce(s.cache_read_pico, 0) as cache_read_pico,
    coalesce(s.cache_write_5m_pico, 0) as cache_write_5m_pico,
    coalesce(s.cache_write_1h_pico, 0) as cache_write_1h_pico,
    coalesce(s.cache_write_unknown_ttl_pico, 0) as cache_write_unknown_ttl_pico,
    coalesce(s.output_pico, 0) as output_pico,
    coalesce(s.uncached_read_pico, 0) as uncached_read_pico,
    coalesce(s.uncached_write_pico, 0) as uncached_write_pico,
    coalesce(a.web_search_requests * s.web_search_pico, 0) as web_search_pico,
    coalesce(s.list_pico, 0) + coalesce(a.web_search_requests * s.web_search_pico, 0) as list_pico,
    s.reason,
    case when a.is_http_error then 0 when s.reason is null then 1 end as billed
from base.attempts as a
left join base.models as m on m.model_raw = a.model_raw
left join summed as s on s.attempt_id = a.attempt_id
where a.iterations is not null
