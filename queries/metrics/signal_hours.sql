-- Everything that signals are judged by, hour by hour, for the total and for each feature, model and team.
-- Sums and sums of squares only, so that hours add up to days and a spread can be told from them.
-- grain: hour, slice_kind, slice
with
tries as (
    select
        hour,
        feature,
        model,
        team,
        sum(attempts) as attempts,
        sum(case when is_error then attempts else 0 end) as failed_attempts,
        sum(billed_attempts) as billed_attempts,
        sum(cost_usd) as cost_usd,
        sum(uncached_input_tokens) as uncached_input_tokens,
        sum(cache_read_tokens) as cache_read_tokens,
        sum(cache_write_tokens) as cache_write_tokens,
        sum(output_tokens) as output_tokens,
        sum(truncated_output_tokens) as truncated_tokens,
        sum(input_cost_usd) as input_cost_usd,
        sum(cache_read_cost_usd) as cache_read_cost_usd,
        sum(cache_write_cost_usd) as cache_write_cost_usd,
        sum(output_cost_usd) as output_cost_usd,
        sum(sized_attempts) as sized_attempts,
        cast(sum(log_tokens) as double) as log_tokens,
        cast(sum(log_tokens_squares) as double) as log_tokens_squares,
        sum(answered_attempts) as responses,
        sum(truncated_attempts) as truncated_responses
    from focus.attempts_by_hour
    group by hour, feature, model, team
),
-- No sum tells how unequal its parts were, nor how long the typical try took.
timed as (
    select
        hour,
        feature,
        model,
        team,
        cast(cost_usd as double) as cost_usd,
        case when not is_error then ln(greatest(latency_ms, 1)) end as log_latency
    from focus.attempts
),
squares as (
    select
        hour,
        feature,
        model,
        team,
        sum(cost_usd * cost_usd) as cost_squares,
        count(log_latency) as timed_attempts,
        sum(log_latency) as log_latency,
        sum(log_latency * log_latency) as log_latency_squares
    from timed
    group by hour, feature, model, team
),
calls as (
    select
        hour,
        feature,
        model,
        team,
        sum(calls) as calls,
        sum(case when is_retry_known then calls else 0 end) as retry_known_calls,
        sum(case when is_retry_known then attempts else 0 end) as retry_known_attempts,
        sum(case when is_retry_known then attempts_squares else 0 end) as retry_known_squares,
        sum(case when is_retry_known then failed_attempts else 0 end) as known_failures,
        sum(case when is_masked then calls else 0 end) as masked_calls
    from focus.calls_by_hour
    group by hour, feature, model, team
),
cells as (
    select
        coalesce(t.hour, c.hour) as hour,
        coalesce(t.feature, c.feature) as feature,
        coalesce(t.model, c.model) as model,
        coalesce(t.team, c.team) as team,
        t.* exclude (hour, feature, model, team),
        s.* exclude (hour, feature, model, team),
        c.* exclude (hour, feature, model, team)
    from tries as t
    left join squares as s
        on s.hour = t.hour and s.feature = t.feature and s.model = t.model and s.team = t.team
    full outer join calls as c
        on c.hour = t.hour and c.feature = t.feature and c.model = t.model and c.team = t.team
),
sliced as (
    select 'total' as slice_kind, 'total' as slice, * exclude (feature, model, team) from cells
    union all
    select 'feature' as slice_kind, feature as slice, * exclude (feature, model, team) from cells
    union all
    select 'model' as slice_kind, model as slice, * exclude (feature, model, team) from cells
    union all
    select 'team' as slice_kind, team as slice, * exclude (feature, model, team) from cells
)
select
    hour, -- the hour on the reader's clock
    slice_kind, -- total, feature, model or team
    slice, -- the feature, model or team; total for everything
    coalesce(sum(calls), 0) as calls, -- logical requests
    coalesce(sum(attempts), 0) as attempts, -- logged HTTP tries
    coalesce(sum(billed_attempts), 0) as billed_attempts, -- tries that cost something
    coalesce(sum(failed_attempts), 0) as failed_attempts, -- logged tries that failed
    coalesce(sum(retry_known_calls), 0) as retry_known_calls, -- calls whose number of tries is known
    coalesce(sum(retry_known_attempts), 0) as retry_known_attempts, -- their tries
    coalesce(sum(retry_known_squares), 0) as retry_known_squares, -- their tries, squared and summed
    coalesce(sum(known_failures), 0) as known_failures, -- failed tries of those calls
    coalesce(sum(masked_calls), 0) as masked_calls, -- calls that failed at first and then succeeded
    coalesce(sum(cost_usd), 0) as cost_usd, -- list price of the tries that have one
    coalesce(sum(cost_squares), 0) as cost_squares, -- each try's cost, squared and summed
    coalesce(sum(uncached_input_tokens), 0) as uncached_input_tokens, -- prompt tokens neither read from nor written to the cache
    coalesce(sum(cache_read_tokens), 0) as cache_read_tokens, -- prompt tokens read from the cache
    coalesce(sum(cache_write_tokens), 0) as cache_write_tokens, -- prompt tokens written to the cache
    coalesce(sum(output_tokens), 0) as output_tokens, -- tokens of the answers
    coalesce(sum(truncated_tokens), 0) as truncated_tokens, -- the part of them in answers that were cut off
    coalesce(sum(input_cost_usd), 0) as input_cost_usd, -- for uncached input
    coalesce(sum(cache_read_cost_usd), 0) as cache_read_cost_usd, -- for cache reads
    coalesce(sum(cache_write_cost_usd), 0) as cache_write_cost_usd, -- for cache writes
    coalesce(sum(output_cost_usd), 0) as output_cost_usd, -- for the answers
    coalesce(sum(sized_attempts), 0) as sized_attempts, -- tries with tokens in and out
    coalesce(sum(log_tokens), 0) as log_tokens, -- the logarithms of their tokens, summed
    coalesce(sum(log_tokens_squares), 0) as log_tokens_squares, -- the same, squared first
    coalesce(sum(timed_attempts), 0) as timed_attempts, -- answered tries that say how long they took
    coalesce(sum(log_latency), 0) as log_latency, -- the logarithms of their milliseconds, summed
    coalesce(sum(log_latency_squares), 0) as log_latency_squares, -- the same, squared first
    coalesce(sum(responses), 0) as responses, -- tries that were answered and say why the answer ended
    coalesce(sum(truncated_responses), 0) as truncated_responses -- answers that were cut off
from sliced
group by hour, slice_kind, slice
order by slice_kind, slice, hour
