-- Every logical request with its outcome and what all its tries cost together.
-- grain: call_id
with
money as (
    select
        coalesce(call_id, attempt_id) as money_id,
        cast(sum(input_tokens) as bigint) as input_tokens,
        cast(sum(output_tokens) as bigint) as output_tokens,
        cast(sum(cost_usd) as decimal(18, 12)) as cost_usd,
        cast(sum(case when is_priced then 0 else 1 end) as integer) as unpriced_attempts
    from facts.attempts
    group by coalesce(call_id, attempt_id)
)
select
    o.*,
    m.input_tokens, -- prompt tokens of all its tries
    m.output_tokens, -- output tokens of all its tries
    m.cost_usd, -- list price of all its tries; null when none is known
    m.unpriced_attempts -- tries whose cost is not known
from facts.call_outcomes as o
left join money as m on m.money_id = o.call_id
