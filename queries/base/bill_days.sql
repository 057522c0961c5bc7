-- The days that reports of the bill cover, and which report speaks for each: the newest of its kind.
-- grain: kind, day
with
ranked as (
    select
        r.kind,
        d.day,
        d.report_id,
        r.source_name,
        r.made_at,
        r.step_usd,
        least(d.covered_until, r.made_at) as known_until,
        row_number() over (
            partition by r.kind, d.day order by r.made_at desc, r.imported_at desc, d.report_id
        ) as place
    from store.bill_days as d
    join store.bill_reports as r on r.report_id = d.report_id
)
select
    kind,
    day,
    report_id,
    source_name,
    made_at,
    step_usd,
    -- A day is closed once it has ended and its last requests have had an hour to be counted.
    known_until < cast(day + interval 1 day as timestamp)
        or made_at < cast(day + interval 25 hour as timestamp) as is_open
from ranked
where place = 1
