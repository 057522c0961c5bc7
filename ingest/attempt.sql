-- Text becomes an attempt, or the reason why it cannot be one. Reads `told`, what the formats said, all as text, and
-- the one row of `settings`.
with numbers as (
    select
        *,
        case when started_at is null then default_instant else instant(started_at) end as instant,
        try_cast(latency_ms as double) as latency,
        try_cast(ttft_ms as double) as ttft,
        try_cast(wait_ms as double) as wait,
        whole(cache_prefix_chars) as prefix_chars,
        whole(uncached_input_tokens) as uncached_input,
        whole(cache_read_tokens) as cache_read,
        whole(cache_write_tokens) as cache_write,
        whole(cache_write_5m_tokens) as cache_write_5m,
        whole(cache_write_1h_tokens) as cache_write_1h,
        whole(output_tokens) as output,
        whole(thinking_tokens) as thinking,
        whole(web_search_requests) as searches,
        whole(max_tokens) as ceiling,
        whole(retry_count) as retries,
        try_cast(http_status as integer) as status,
        without_secret(trim(user_id)) as person,
        case when starts_with(iterations, '[{') then try(json_transform(iterations, iteration_shape())) end as parts
    from told
    cross join settings
),

-- What is written without a lifetime is what the total says beyond the two piles that the log splits off it.
piles as (
    select
        *,
        case
            when cache_write is not null then cache_write - coalesce(cache_write_5m, 0) - coalesce(cache_write_1h, 0)
        end as cache_write_unknown_ttl,
        looks_like_a_person(person) as is_a_person,
        least(uncached_input, cache_read, cache_write, cache_write_5m, cache_write_1h, output, thinking, searches,
            ceiling, retries) as smallest,
        greatest(uncached_input, cache_read, cache_write, cache_write_5m, cache_write_1h, output, thinking, searches,
            ceiling, retries) as largest
    from numbers
)

select
    line,
    source_format,
    coalesce(no_request, 'false') = 'true' as no_request,
    numbered,
    case
        when no_request = 'true' then null
        when told_refusal is not null then told_refusal
        when instant is null and started_at is not null then
            'the time is not one this reader understands; write ISO 8601 or epoch seconds'
        when instant is null then 'no time, in the record or around it; say which day it belongs to with --default-date'
        when instant > read_at + interval 1 day then 'the time lies in the future'
        when instant < timestamp '2023-01-01' then 'the time lies before the Claude API existed'
        when uncached_input is null and uncached_input_tokens is not null then 'input_tokens is not a whole number'
        when output is null and output_tokens is not null then 'output_tokens is not a whole number'
        when cache_read is null and cache_read_tokens is not null then 'cache_read_input_tokens is not a whole number'
        when cache_write is null and cache_write_tokens is not null
            or cache_write_5m is null and cache_write_5m_tokens is not null
            or cache_write_1h is null and cache_write_1h_tokens is not null then
            'a count of cache creation tokens is not a whole number'
        when thinking is null and thinking_tokens is not null or searches is null and web_search_requests is not null
            or ceiling is null and max_tokens is not null or retries is null and retry_count is not null then
            'thinking tokens, web searches, max_tokens or retries is not a whole number'
        when uncached_input < 0 then 'input_tokens is negative'
        when output < 0 then 'output_tokens is negative'
        when smallest < 0 then 'a count is negative'
        when cache_write_unknown_ttl < 0 then 'cache_creation_input_tokens is less than its own parts'
        when searches > 1000000 then 'web_search_requests is over 1,000,000: no request is that large'
        when list_min(list_transform(parts, lambda p: least(p.input_tokens, p.output_tokens,
                p.cache_read_input_tokens, p.cache_creation_input_tokens))) < 0
            or list_max(list_transform(parts, lambda p: greatest(p.input_tokens, p.output_tokens,
                p.cache_read_input_tokens, p.cache_creation_input_tokens))) > 100000000
            or len(parts) > 1000 then
            'usage.iterations holds a count that no request can have'
        when largest > 100000000 then 'a count is over 100,000,000: no request is that large'
        when latency_ms is not null and coalesce(not isfinite(latency) or latency < 0, true) then
            'latency_ms is not a duration'
        when ttft_ms is not null and coalesce(not isfinite(ttft) or ttft < 0, true) then 'ttft_ms is not a duration'
        when wait_ms is not null and coalesce(not isfinite(wait) or wait < 0, true) then 'wait_ms is not a duration'
        when cache_prefix_chars is not null and coalesce(prefix_chars < 0, true) then
            'cache_prefix_chars is not a length'
        when id(model_raw) is null and error_type is null and status is null then 'no model'
    end as refusal,
    started_at is not null and is_zoneless(started_at) as zone_assumed,
    started_at is null and instant is not null as date_assumed,
    instant as started_at,
    try_cast(is_end_time as boolean) as is_end_time,
    tidy(call_id) as call_id,
    whole(attempt_no) as attempt_no,
    latency as latency_ms,
    ttft as ttft_ms,
    wait as wait_ms,
    tidy(model_raw) as model_raw,
    lower(word(platform)) as platform,
    uncached_input as uncached_input_tokens,
    cache_read as cache_read_tokens,
    -- Written nothing at all: then it is known that nothing was written for either lifetime.
    coalesce(cache_write_5m, case when cache_write = 0 then 0 end) as cache_write_5m_tokens,
    coalesce(cache_write_1h, case when cache_write = 0 then 0 end) as cache_write_1h_tokens,
    cache_write_unknown_ttl as cache_write_unknown_ttl_tokens,
    output as output_tokens,
    thinking as thinking_tokens,
    searches as web_search_requests,
    list_transform(parts, lambda p: {
        model_raw: p.model,
        uncached_input_tokens: p.input_tokens,
        cache_read_tokens: p.cache_read_input_tokens,
        cache_write_5m_tokens: p.cache_creation.ephemeral_5m_input_tokens,
        cache_write_1h_tokens: p.cache_creation.ephemeral_1h_input_tokens,
        cache_write_unknown_ttl_tokens: greatest(p.cache_creation_input_tokens
            - coalesce(p.cache_creation.ephemeral_5m_input_tokens, 0)
            - coalesce(p.cache_creation.ephemeral_1h_input_tokens, 0), 0),
        output_tokens: p.output_tokens
    }) as iterations,
    lower(word(service_tier)) as service_tier,
    lower(word(speed)) as speed,
    lower(word(inference_geo)) as inference_geo,
    ceiling as max_tokens,
    try_cast(is_streamed as boolean) as is_streamed,
    tidy(cache_prefix_id) as cache_prefix_id,
    prefix_chars as cache_prefix_chars,
    kept(id(stop_reason), 64) as stop_reason,
    status as http_status,
    coalesce(error_name(word(error_type)), error_of_status(status)) as error_type,
    kept(word(error_code), 64) as error_code,
    share(requests_headroom) as requests_headroom,
    share(input_tokens_headroom) as input_tokens_headroom,
    share(output_tokens_headroom) as output_tokens_headroom,
    tidy(request_id) as request_id,
    tidy(message_id) as message_id,
    tidy(event_id) as event_id,
    kept(word(feature), 200) as feature,
    left(case
        when user_ids = 'drop' then null
        when user_ids = 'pseudonymise' and is_a_person then pseudonym(person, inner_key, outer_key)
        else id(person)
    end, 200) as user_id,
    kept(word(team), 200) as team,
    kept(word(environment), 200) as environment,
    tidy(workspace_id) as workspace_id,
    tidy(session_id) as session_id,
    tidy(trace_id) as trace_id,
    case when starts_with(tags, '{') then kept(tags, 2000) end as tags,
    kept(word(client_version), 64) as client_version,
    try_cast(is_sidechain as boolean) as is_sidechain,
    try_cast(cost_reported_usd as decimal(18, 12)) as cost_reported_usd,
    retries as retry_count
from piles
