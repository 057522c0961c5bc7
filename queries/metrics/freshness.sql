-- How fresh and how complete the data is.
-- unfiltered
-- grain: one row
with
attempts as (
    select count(*) as attempts, max(started_at) as last_started_at from base.attempts
),
loads as (
    select
        count(*) as loads,
        max(folded_at) as last_load_at,
        coalesce(sum(refused_records), 0) as refused_records
    from base.loads
)
select
    a.last_started_at, -- latest try, UTC
    l.last_load_at, -- latest load, UTC
    l.loads, -- loads
    a.attempts, -- tries
    l.refused_records, -- records that were not taken
    r.before as attempts_kept_since -- from when on single tries are kept, UTC: of those before, only sums; null for all
from attempts as a
cross join loads as l
left join base.retained as r on true
