-- How long answered tries took, day by day, as a histogram whose steps grow by an eighth of a doubling (9 %).
-- grain: day, slice_kind, slice, step
with
cells as (
    select
        day,
        feature,
        model,
        team,
        cast(floor(8 * ln(greatest(latency_ms, 1)) / ln(2)) as integer) as step,
        count(*) as attempts
    from focus.attempts
    where latency_ms is not null and not is_error
    group by day, feature, model, team, cast(floor(8 * ln(greatest(latency_ms, 1)) / ln(2)) as integer)
),
sliced as (
    select 'total' as slice_kind, 'total' as slice, day, step, attempts from cells
    union all
    select 'feature' as slice_kind, feature as slice, day, step, attempts from cells
    union all
    select 'model' as slice_kind, model as slice, day, step, attempts from cells
    union all
    select 'team' as slice_kind, team as slice, day, step, attempts from cells
)
select
    day, -- the day on the reader's clock
    slice_kind, -- total, feature, model or team
    slice, -- the feature, model or team; total for everything
    step, -- eight times the binary logarithm of the milliseconds, rounded down
    cast(sum(attempts) as bigint) as attempts -- answered tries that took this long
from sliced
group by day, slice_kind, slice, step
order by slice_kind, slice, day, step
