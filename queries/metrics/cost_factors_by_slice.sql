-- What the cost of each slice is made of, model by model: requests, billed tries, tokens, and what each pile cost.
-- Two periods' rows are what a change of cost is explained by.
-- each slice: feature, model, user, team
-- grain: slice, answered_by
with
calls as (
    select slice, model as answered_by, cast(sum(calls) as bigint) as calls from focus.calls_by_hour group by slice, model
),
tries as (
    select
        slice,
        model as answered_by,
        sum(billed_attempts) as billed_attempts,
        coalesce(sum(case when billed_attempts > 0 then uncached_input_tokens end), 0) as uncached_input_tokens,
        coalesce(sum(case when billed_attempts > 0 then cache_read_tokens end), 0) as cache_read_tokens,
        coalesce(sum(case when billed_attempts > 0 then cache_write_tokens end), 0) as cache_write_tokens,
        coalesce(sum(case when billed_attempts > 0 then output_tokens end), 0) as output_tokens,
        coalesce(sum(case when billed_attempts > 0 then truncated_output_tokens end), 0) as truncated_tokens,
        sum(truncated_billed_attempts) as truncated_attempts,
        coalesce(sum(cost_usd), 0) as cost_usd,
        coalesce(sum(input_cost_usd), 0) as input_cost_usd,
        coalesce(sum(cache_read_cost_usd), 0) as cache_read_cost_usd,
        coalesce(sum(cache_write_cost_usd), 0) as cache_write_cost_usd,
        coalesce(sum(output_cost_usd), 0) as output_cost_usd,
        coalesce(sum(web_search_cost_usd), 0) as web_search_cost_usd
    from focus.attempts_by_hour
    group by slice, model
)
select
    coalesce(t.slice, c.slice) as slice, -- the slice; (unattributed) when the log does not say
    coalesce(t.answered_by, c.answered_by) as answered_by, -- the model
    coalesce(c.calls, 0) as calls, -- logical requests that this model answered
    coalesce(t.billed_attempts, 0) as billed_attempts, -- tries that cost something
    coalesce(t.uncached_input_tokens, 0) as uncached_input_tokens, -- their prompt tokens neither read from nor written to the cache
    coalesce(t.cache_read_tokens, 0) as cache_read_tokens, -- their prompt tokens read from the cache
    coalesce(t.cache_write_tokens, 0) as cache_write_tokens, -- their prompt tokens written to the cache
    coalesce(t.output_tokens, 0) as output_tokens, -- tokens of their answers
    coalesce(t.truncated_tokens, 0) as truncated_tokens, -- the part of them in answers that were cut off
    coalesce(t.truncated_attempts, 0) as truncated_attempts, -- billed tries whose answer was cut off
    coalesce(t.cost_usd, 0) as cost_usd, -- list price of all tries that have one
    coalesce(t.input_cost_usd, 0) as input_cost_usd, -- for uncached input
    coalesce(t.cache_read_cost_usd, 0) as cache_read_cost_usd, -- for cache reads
    coalesce(t.cache_write_cost_usd, 0) as cache_write_cost_usd, -- for cache writes
    coalesce(t.output_cost_usd, 0) as output_cost_usd, -- for the answers
    coalesce(t.web_search_cost_usd, 0) as web_search_cost_usd -- for web searches
from tries as t
full outer join calls as c on c.slice = t.slice and c.answered_by = t.answered_by
order by slice, answered_by
