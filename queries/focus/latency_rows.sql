-- How long the answers took that the reader asked for, one by one, in the shape of focus.latencies_by_hour.
-- grain: call_id, measure
with
measures as (
    select 'wait' as measure union all select 'attempt' as measure union all select 'first token' as measure
),
measured as (
    select
        c.*,
        m.measure,
        case m.measure when 'wait' then c.duration_ms when 'attempt' then c.attempt_latency_ms else c.ttft_ms end as ms
    from focus.calls as c
    cross join measures as m
    where not c.is_batch and not c.is_failed
)
select
    call_id, -- the call
    total, -- the same for all: what a figure for everything is grouped by
    feature, -- what the call was for
    user_id, -- who it was for
    team, -- who pays
    environment, -- where the application ran
    model, -- model that answered
    measure, -- wait (of the caller, retries included), attempt (that answered, by itself) or first token
    cast(ms * 1000 as bigint) as microseconds, -- how long it took
    1 as calls, -- one
    day, -- day on the reader's clock
    hour, -- hour on the reader's clock
    true as is_exact -- times are told as logged
from measured
where ms is not null
