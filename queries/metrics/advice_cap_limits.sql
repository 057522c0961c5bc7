-- What a limit on the length of prompts would have saved, by feature and limit: the tokens beyond it, at the price of
-- uncached input on their day. Limits are those that 95, 99 and 99.9 % of the feature's good answers keep (not failed, not
-- cut off, not refused), and round numbers. Nobody can tell from counts whether an answer needed what is cut.
-- grain: feature, limit_name
with
prompts as (
    select
        feature,
        user_id,
        input_tokens,
        uncached_input_tokens,
        input_pico,
        cost_pico,
        case when is_error or stop_group in ('truncated', 'refused') then null else input_tokens end as good_tokens
    from focus.rated_attempts
),
ranked as (
    select
        feature,
        good_tokens,
        row_number() over (partition by feature order by good_tokens) as place,
        count(*) over (partition by feature) as answers
    from prompts
    where good_tokens is not null
),
usual as (
    select
        feature,
        max(answers) as answers,
        min(case when place * 20 >= answers * 10 then good_tokens end) as p50_tokens,
        min(case when place * 100 >= answers * 95 then good_tokens end) as p95_tokens,
        min(case when place * 100 >= answers * 99 then good_tokens end) as p99_tokens,
        min(case when place * 1000 >= answers * 999 then good_tokens end) as p999_tokens
    from ranked
    group by feature
),
limits as (
    select feature, p50_tokens, answers, 'p95' as limit_name, p95_tokens as limit_tokens from usual
    union all
    select feature, p50_tokens, answers, 'p99' as limit_name, p99_tokens as limit_tokens from usual
    union all
    select feature, p50_tokens, answers, 'p99.9' as limit_name, p999_tokens as limit_tokens from usual
    union all
    select u.feature, u.p50_tokens, u.answers, r.limit_name, r.limit_tokens
    from usual as u
    cross join (
        select '4k' as limit_name, 4000 as limit_tokens
        union all select '8k', 8000
        union all select '16k', 16000
        union all select '32k', 32000
        union all select '64k', 64000
        union all select '128k', 128000
    ) as r
),
-- Only prompts beyond the lowest limit of their feature can be beyond any.
long_prompts as (
    select p.* from prompts as p
    join (select feature, min(limit_tokens) as lowest from limits group by feature) as l
        on l.feature = p.feature and p.input_tokens > l.lowest
)
select
    l.feature, -- what the calls were for
    l.limit_name, -- p95, p99 and p99.9: what so many of its good answers keep; 4k and so on: a round number
    l.limit_tokens, -- the limit on a prompt, in tokens
    max(l.p50_tokens) as p50_tokens, -- half of its good answers' prompts are this long or shorter
    max(l.answers) as good_answers, -- its good answers
    count(*) as long_calls, -- calls beyond the limit
    count(distinct p.user_id) as users, -- users who sent them
    cast(sum(case when p.good_tokens is null then 1 else 0 end) as bigint) as long_calls_gone_wrong, -- those of them that failed, were cut off or refused
    cast(sum(least(p.uncached_input_tokens, p.input_tokens - l.limit_tokens)) as bigint) as cut_tokens, -- uncached tokens beyond it
    usd(sum(least(p.uncached_input_tokens, p.input_tokens - l.limit_tokens) * p.input_pico)) as saving_usd, -- what they cost
    usd(sum(p.cost_pico)) as long_calls_cost_usd -- what those calls cost in all
from limits as l
join long_prompts as p on p.feature = l.feature and p.input_tokens > l.limit_tokens
group by l.feature, l.limit_name, l.limit_tokens
order by l.feature, l.limit_tokens desc, l.limit_name
