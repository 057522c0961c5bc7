-- What the Batch API would have saved on each feature's calls outside it, by day. Cache hits are not sure in a batch: the
-- last figure is for 30 % of them (30 to 98 % are reported).
-- grain: feature, day
select
    feature, -- what the calls were for
    day, -- day on the reader's clock
    cast(sum(cost_pico) as bigint) as cost_pico, -- what they cost, in pico-dollars
    cast(sum(cost_pico - batch_cost_pico) as bigint) as saving_pico, -- what the Batch API would have saved
    cast(sum(cost_pico - batch_cost_pico
        - floor(cache_read_tokens * (batch_input_pico - coalesce(batch_cache_read_pico, 0)) * 7 / 10)) as bigint)
        as least_saving_pico -- the same with 30 % of the cache hits
from focus.rated_attempts
where not is_batch and mode = 'standard' and batch_cost_pico is not null
group by feature, day
order by feature, day
