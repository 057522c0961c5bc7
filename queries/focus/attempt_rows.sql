-- The tries the reader asked for, one by one, in the shape of focus.attempts_by_hour: for questions that sums do not answer.
-- grain: attempt_id
select
    attempt_id, -- the try
    started_at, -- its time, UTC
    total, -- the same for all: what a figure for everything is grouped by
    feature, -- what the call was for
    user_id, -- who it was for
    team, -- who pays
    environment, -- where the application ran
    workspace_id, -- workspace of the API key
    model_raw, -- model name as logged
    model, -- name in the price list, else the logged name without its path
    user_id <> '(unattributed)' as is_user_known, -- the log says who it was for
    is_error, -- the try failed
    error_type, -- why; http_ and the status when the log has no word for it
    case when is_error then http_status end as http_status, -- the status of one that failed
    1 as attempts, -- tries
    retry_count as hidden_attempts, -- earlier tries that are known to be hidden inside it
    case when cost_usd > 0 then 1 else 0 end as billed_attempts, -- those that cost something
    uncached_input_tokens, -- prompt tokens neither read from nor written to the cache
    cache_read_tokens, -- prompt tokens read from the cache
    cache_write_5m_tokens, -- prompt tokens written to the cache for five minutes
    cache_write_1h_tokens, -- prompt tokens written to the cache for an hour
    cache_write_unknown_ttl_tokens, -- prompt tokens written to the cache, lifetime not logged
    cache_write_tokens, -- prompt tokens written to the cache, for however long
    input_tokens, -- all prompt tokens, cached or not
    output_tokens, -- tokens of the answer, thinking included
    web_search_requests, -- web searches made by the server
    case when stop_group is not null then 1 else 0 end as answered_attempts, -- tries that were answered and say why the answer ended
    case when stop_group is not null and max_tokens > 0 then 1 else 0 end as ceiling_known_attempts, -- those of them whose ceiling on the answer was logged
    case when stop_group is not null and max_tokens > 0 and output_tokens = max_tokens then 1 else 0 end as ceiling_hits, -- those whose answer is exactly as long
    case when is_truncated then 1 else 0 end as truncated_attempts, -- answers that were cut off
    case when is_truncated and cost_usd > 0 then 1 else 0 end as truncated_billed_attempts, -- those of them that cost something
    case when is_truncated then output_tokens end as truncated_output_tokens, -- their tokens
    case when is_truncated then cost_usd end as truncated_cost_usd, -- what these tries cost, prompts included; null when not known
    case when input_tokens > 0 and output_tokens > 0 then 1 else 0 end as sized_attempts, -- tries with tokens in and out
    case when input_tokens > 0 and output_tokens > 0 then cast(cast(round(1000000 * ln(input_tokens + output_tokens)) as bigint) * 0.000001 as decimal(18, 12)) end
        as log_tokens, -- the logarithm of its tokens
    case when input_tokens > 0 and output_tokens > 0
        then cast(cast(round(1000000 * ln(input_tokens + output_tokens) * ln(input_tokens + output_tokens)) as bigint) * 0.000001 as decimal(18, 12)) end
        as log_tokens_squares, -- the same, squared
    started_at as first_started_at, -- first of the tries, UTC
    started_at as last_started_at, -- last of them, UTC
    cost_reported_usd, -- cost as the log itself states it; null when it does not
    case when is_priced then 1 else 0 end as priced_attempts, -- tries whose cost is known
    unpriced_reason, -- why its cost is not known; null when it is
    cost_usd, -- what it cost at the price of its day; null when not known
    input_cost_usd, -- the part for uncached input
    cache_read_cost_usd, -- the part for cache reads
    cache_write_5m_cost_usd, -- the part for cache writes of five minutes
    cache_write_1h_cost_usd, -- the part for cache writes of an hour
    cache_write_unknown_ttl_cost_usd, -- the part for cache writes of unknown lifetime, priced as five minutes
    cache_write_cost_usd, -- the part for all cache writes
    output_cost_usd, -- the part for the answer
    web_search_cost_usd, -- the part for web searches
    cache_gross_saving_usd, -- what cache reads saved against uncached input
    cache_write_premium_usd, -- what cache writes cost above uncached input
    case when write_ttl_assumed then 1 else 0 end as write_ttl_assumed_attempts, -- tries whose cache writes were priced as five minutes for want of their lifetime
    day, -- day on the reader's clock
    hour -- hour on the reader's clock
from focus.attempts
