-- What each feature paid in all for answers that could be wasted, for the share that was: the base of the figures of
-- advice_waste_attempts. Growing conversations are here too: what was paid to send again what the call before in the same
-- conversation had sent already, neither read from the cache nor written to it.
-- grain: feature
with
turns as (
    select
        feature,
        user_id,
        session_id,
        uncached_input_tokens,
        input_tokens,
        input_pico,
        cost_pico,
        lag(input_tokens) over (partition by feature, session_id order by started_at) as before_tokens
    from focus.rated_attempts
)
select
    feature, -- what the calls were for
    count(*) as calls, -- billed calls at a known price
    count(distinct session_id) as sessions, -- conversations that the log names
    sum(case when before_tokens <= input_tokens and session_id is not null then 1 else 0 end) as growing_calls, -- calls on a prompt no shorter than the one before in the conversation
    coalesce(cast(sum(case when before_tokens <= input_tokens and session_id is not null
        then least(before_tokens, uncached_input_tokens) end) as bigint), 0) as resent_tokens, -- uncached tokens that repeat the prompt before
    coalesce(usd(sum(case when before_tokens <= input_tokens and session_id is not null
        then least(before_tokens, uncached_input_tokens) * input_pico end)), 0) as resent_cost_usd, -- what they cost
    usd(sum(cost_pico)) as cost_usd -- what these calls cost
from turns
group by feature
order by resent_cost_usd desc, feature
