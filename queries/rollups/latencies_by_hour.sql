-- How long answers took, by the hour in which the first try was sent. Times that differ by less than 2 % are counted as
-- one, the middle of them: no time is told off by more than 1 %. Where caller and try waited equally long, as they do
-- without a retry, that is one row. Failures and batches are left out.
-- kept
-- grain: begins_at, feature, team, environment, model_raw, measure, microseconds
with
measures as (
    select 'wait' as measure union all select 'attempt' as measure union all select 'first token' as measure
),
measured as (
    select
        c.started_at,
        c.feature,
        c.team,
        c.environment,
        c.model_raw,
        case
            when m.measure = 'wait' and c.duration_ms = c.attempt_latency_ms then 'wait and attempt' else m.measure
        end as measure,
        case m.measure
            when 'wait' then c.duration_ms
            when 'first token' then c.ttft_ms
            else case when c.duration_ms = c.attempt_latency_ms then null else c.attempt_latency_ms end
        end as ms
    from base.calls as c
    cross join measures as m
    where not c.is_batch and not c.is_failed
)
select
    date_trunc('hour', started_at) as begins_at,
    feature,
    team,
    environment,
    model_raw,
    measure,
    cast(round(1000 * power(1.02, floor(ln(greatest(ms, 0.01)) / ln(1.02)) + 0.5)) as bigint) as microseconds,
    count(*) as calls
from measured
where ms is not null
group by all
