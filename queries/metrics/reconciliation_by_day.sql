-- Billed against logged by UTC day, and how far bill and logs reach; days with a bill or with logs.
-- grain: day
with
bills as (select * from focus.bill_days where kind = 'cost'),
logged as (
    select day, sum(cost_usd) as logged_usd
    from focus.logged_attempts
    group by day
),
cells as (
    select
        day,
        sum(billed_usd) as billed_usd,
        sum(logged_usd) as logged_usd,
        sum(difference_usd) as difference_usd,
        sum(not_explained_usd) as not_explained_usd
    from focus.reconciled_cells
    group by day
),
ends as (select max(day) as last_logged_day from logged),
shown as (select day from bills union select day from logged)
select
    s.day, -- UTC day
    case
        when b.day is null then 'No bill'
        when b.is_open then 'Bill from before its end'
        when l.day is null and s.day > e.last_logged_day then 'Newer than the logs'
        when l.day is null then 'No logs'
        when s.day = e.last_logged_day then 'Last day of the logs'
        else 'Compared'
    end as status, -- how far bill and logs reach
    case when b.day is not null then coalesce(c.billed_usd, 0) end as billed_usd, -- on the bill; null without one
    coalesce(c.logged_usd, l.logged_usd, 0) as logged_usd, -- list price of the logged tries
    case when b.day is not null then coalesce(c.difference_usd, 0) end as difference_usd, -- billed less logged
    case when b.day is not null then coalesce(c.not_explained_usd, 0) end as not_explained_usd, -- no named cause applies
    b.source_name, -- the report that speaks for the day: the newest
    b.made_at -- as of when it holds, UTC
from shown as s
cross join ends as e
left join bills as b on b.day = s.day
left join logged as l on l.day = s.day
left join cells as c on c.day = s.day
order by s.day desc
