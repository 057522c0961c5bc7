-- Days whose cost is far from that of the same weekday before, for everything and for each feature.
-- Expected is the median of up to eight earlier same weekdays, at least three; far is more than four robust standard
-- deviations, at least half the expected cost and at least a twentieth of the usual total.
-- grain: day, slice_kind, slice
with
costs as (
    select day, feature, is_in_period, coalesce(sum(cost_usd), 0) as cost_usd
    from focus.history
    group by day, feature, is_in_period
),
days as (
    select day, max(case when is_in_period then 1 else 0 end) as is_in_period from costs group by day
),
slices as (
    select 'feature' as slice_kind, feature as slice, min(day) as first_day from costs group by feature
    union all
    select 'total' as slice_kind, 'total' as slice, min(day) as first_day from costs having count(*) > 0
),
daily as (
    select 'feature' as slice_kind, feature as slice, day, sum(cost_usd) as cost_usd from costs group by feature, day
    union all
    select 'total' as slice_kind, 'total' as slice, day, sum(cost_usd) as cost_usd from costs group by day
),
series as (
    select
        s.slice_kind,
        s.slice,
        d.day,
        d.is_in_period,
        cast(coalesce(c.cost_usd, 0) as decimal(24, 12)) as cost_usd
    from slices as s
    join days as d on d.day >= s.first_day
    left join daily as c on c.slice_kind = s.slice_kind and c.slice = s.slice and c.day = d.day
),
before as (
    select
        n.slice_kind,
        n.slice,
        n.day,
        n.cost_usd,
        b.cost_usd as earlier_usd
    from series as n
    join series as b
        on b.slice_kind = n.slice_kind and b.slice = n.slice and b.day < n.day
        and b.day >= n.day - interval 56 day and date_diff('day', b.day, n.day) % 7 = 0
    where n.is_in_period = 1
),
expected as (
    select
        slice_kind,
        slice,
        day,
        cost_usd,
        percentile_disc(0.5) within group (order by earlier_usd) as expected_usd
    from before
    group by slice_kind, slice, day, cost_usd
    having count(*) >= 3
),
spread as (
    select
        e.slice_kind,
        e.slice,
        e.day,
        e.cost_usd,
        e.expected_usd,
        percentile_disc(0.5) within group (order by abs(b.earlier_usd - e.expected_usd)) as mad_usd
    from expected as e
    join before as b on b.slice_kind = e.slice_kind and b.slice = e.slice and b.day = e.day
    group by e.slice_kind, e.slice, e.day, e.cost_usd, e.expected_usd
),
usual as (
    select percentile_disc(0.5) within group (order by cost_usd) as total_usd from daily where slice_kind = 'total'
),
latest as (
    select max(day) as day from days
),
ranges as (
    select
        s.*,
        l.day as latest_day,
        greatest(
            cast(6 * s.mad_usd as decimal(24, 12)),
            cast(s.expected_usd * 0.5 as decimal(24, 12)),
            cast(u.total_usd * 0.05 as decimal(24, 12))
        ) as reach_usd
    from spread as s
    cross join usual as u
    cross join latest as l
)
select
    day, -- day on the reader's clock
    slice_kind, -- total or feature
    slice, -- total, or the feature
    cost_usd, -- list price of the day
    expected_usd, -- median of the same weekdays before
    greatest(expected_usd - reach_usd, cast(0 as decimal(24, 12))) as low_usd, -- below this a day is flagged
    expected_usd + reach_usd as high_usd, -- above this a day is flagged
    cost_usd - expected_usd as excess_usd -- cost less what was expected; negative when it was lower
from ranges
where cost_usd > expected_usd + reach_usd or (cost_usd < expected_usd - reach_usd and day < latest_day)
order by day, slice_kind desc, abs(cost_usd - expected_usd) desc, slice
