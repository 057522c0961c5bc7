-- Days on which a workload's cache stopped working as it had: its hit rate fell by 15 points or more below that of the
-- seven days with calls before, and had not done so the day before. Beside it what else was different from those days:
-- a longer or shorter prompt moves what can be cached, longer pauses let entries run out, another prefix, model or client
-- begins anew.
-- grain: feature, model, day
with
days as (
    select
        feature,
        model,
        day,
        sum(calls) as calls,
        sum(cache_read_tokens) as read_tokens,
        sum(cache_write_5m_tokens + cache_write_1h_tokens) as write_tokens,
        sum(input_tokens) as prompt_tokens,
        cast(sum(pico(input_tokens, input_pico - cache_read_pico)) as double) as could_save_pico
    from focus.cache_uses_by_hour
    group by feature, model, day
),
compared as (
    select
        *,
        count(*) over before as days_before,
        sum(calls) over before as calls_before,
        cast(sum(read_tokens) over before as double) / nullif(sum(prompt_tokens) over before, 0) as rate_before,
        cast(read_tokens as double) / nullif(prompt_tokens, 0) as rate
    from days
    window before as (partition by feature, model order by day rows between 7 preceding and 1 preceding)
),
fallen as (
    select
        *,
        days_before >= 3 and calls >= 20 and calls_before >= 60 and rate <= rate_before - 0.15 as has_fallen
    from compared
),
firsts as (
    select
        *,
        coalesce(lag(has_fallen) over (partition by feature, model order by day), false) as had_fallen
    from fallen
),
-- Why is only looked for where something fell: most workloads need not be read a second time.
workloads as (
    select distinct feature, model from firsts where has_fallen and not had_fallen
),
uses as (
    select
        a.feature,
        a.model,
        a.day,
        a.input_tokens,
        a.cache_prefix_id,
        a.client_version,
        date_diff('second', lag(a.started_at) over (partition by a.feature, a.model order by a.started_at), a.started_at)
            as pause_seconds
    from focus.rated_attempts as a
    join workloads as w on w.feature = a.feature and w.model = a.model
    where not a.is_batch and a.cache_read_pico is not null
),
looks as (
    select
        feature,
        model,
        day,
        percentile_disc(0.5) within group (order by input_tokens) as p50_tokens,
        percentile_disc(0.5) within group (order by pause_seconds) as p50_pause_seconds,
        max(cache_prefix_id) as prefix_id,
        max(client_version) as newest_client
    from uses
    group by feature, model, day
),
likened as (
    select
        *,
        avg(p50_tokens) over before as p50_tokens_before,
        avg(p50_pause_seconds) over before as p50_pause_before,
        max(prefix_id) over before as prefix_before,
        max(newest_client) over before as client_before
    from looks
    window before as (partition by feature, model order by day rows between 7 preceding and 1 preceding)
)
select
    f.feature, -- what the calls were for
    f.model, -- name in the price list
    f.day, -- day on the reader's clock
    cast(f.calls as bigint) as calls, -- calls of the day outside the Batch API
    f.rate as cache_hit_rate, -- prompt tokens read from the cache, of all
    f.rate_before as cache_hit_before_rate, -- the same for the seven days with calls before
    usd(round((f.rate_before - f.rate) * f.could_save_pico)) as lost_usd, -- what the day cost more than at the rate before; an estimate
    case
        when l.feature is null then 'not known: the single calls of that day were pruned'
        when l.prefix_id <> l.prefix_before then 'another prefix'
        when l.newest_client <> l.client_before then 'another client version'
        when l.p50_tokens > 1.1 * l.p50_tokens_before then 'longer prompts'
        when l.p50_tokens < 0.9 * l.p50_tokens_before then 'shorter prompts'
        when l.p50_pause_seconds > 2 * l.p50_pause_before and l.p50_pause_seconds > 300 then 'longer pauses between calls'
        when f.write_tokens = 0 then 'nothing is written to the cache any more'
        else 'written on every call and never read: something at the beginning of the prompt changes'
    end as reason, -- what else was different from those days, the likeliest cause first
    cast(l.p50_tokens as bigint) as p50_prompt_tokens, -- half of the day's prompts are this long or shorter
    cast(round(l.p50_tokens_before) as bigint) as p50_prompt_before_tokens, -- the same before, on average over days
    1000.0 * l.p50_pause_seconds as p50_pause_ms, -- half of the pauses between calls are this long or shorter
    1000.0 * l.p50_pause_before as p50_pause_before_ms -- the same before, on average over days
from firsts as f
left join likened as l on l.feature = f.feature and l.model = f.model and l.day = f.day
where f.has_fallen and not f.had_fallen
order by lost_usd desc, f.feature, f.model, f.day
