-- How the traffic of features without people lies in time, to tell work that could wait: calls outside the Batch API
-- that have a price there, of features where at most 5 % of the calls name a user, or all the same one. A run is 20 calls
-- or more with less than ten seconds between them. People's hours are those of the features whose calls name several
-- users; where there are none, the ten hours of working days that fit best.
-- grain: feature
with
sent as (
    select feature, user_id, session_id, started_at, day, hour, minute, cost_pico
    from focus.rated_attempts
    where not is_batch and mode = 'standard' and batch_cost_pico is not null
),
tens as (
    select
        feature,
        day,
        hour,
        extract(hour from hour) as hour_of_day,
        24 * extract(dow from day) + extract(hour from hour) as hour_of_week,
        10 * floor(minute / 10) as ten,
        min(minute) as first_minute,
        count(*) as calls,
        sum(case when user_id = '(unattributed)' then 0 else 1 end) as named_calls,
        min(nullif(user_id, '(unattributed)')) as first_user,
        max(nullif(user_id, '(unattributed)')) as last_user,
        sum(cost_pico) as cost_pico
    from sent
    group by feature, day, hour, 10 * floor(minute / 10)
),
sizes as (
    select
        feature,
        sum(calls) as calls,
        sum(named_calls) as named_calls,
        min(first_user) <> max(last_user) as has_several_users,
        count(distinct day) as days,
        count(distinct hour) as hours_with_calls,
        1 + date_diff('hour', min(hour), max(hour)) as hours_in_all,
        sum(cost_pico) as cost_pico
    from tens
    group by feature
),
services as (
    select * from sizes where named_calls <= 0.05 * calls or named_calls = calls and not has_several_users
),
gaps as (
    select
        s.feature,
        s.started_at,
        case when s.started_at < lag(s.started_at) over (partition by s.feature order by s.started_at)
                + interval 10 second then 0 else 1 end as begins
    from sent as s
    join services as v on v.feature = s.feature
),
numbered as (
    select *, sum(begins) over (partition by feature order by started_at rows unbounded preceding) as run_no from gaps
),
runs as (
    select
        feature,
        run_no,
        count(*) as calls,
        date_diff('second', min(started_at), max(started_at)) as seconds
    from numbered
    group by feature, run_no
),
run_sums as (
    select
        feature,
        sum(case when calls >= 20 then calls else 0 end) as calls_in_runs,
        sum(case when calls >= 20 then 1 else 0 end) as run_count,
        sum(case when calls >= 20 then seconds else 0 end) as seconds_in_runs,
        max(calls) as longest_run_calls
    from runs
    group by feature
),
turns as (
    select s.feature, count(s.session_id) - count(distinct s.session_id) as later_turns
    from sent as s
    join services as v on v.feature = s.feature
    group by s.feature
),
slots as (
    select feature, ten, sum(calls) as calls from tens group by feature, ten
),
slot_sums as (
    select feature, max(calls) as calls_in_slot, max_by(ten, calls) as slot_minute from slots group by feature
),
hours as (
    select feature, hour_of_day, sum(calls) as calls from tens group by feature, hour_of_day
),
-- The shortest stretch of the day with most of the calls: four hours that follow one another, over midnight too.
windows as (
    select a.feature, a.hour_of_day as opens_at, sum(b.calls) as calls
    from hours as a
    join hours as b on b.feature = a.feature and (b.hour_of_day - a.hour_of_day + 24) % 24 < 4
    group by a.feature, a.hour_of_day
),
busiest as (
    select *, row_number() over (partition by feature order by calls desc, opens_at) as place from windows
),
starts as (
    select t.feature, t.day, min(60 * ((t.hour_of_day - w.opens_at + 24) % 24) + t.first_minute) as minutes_after
    from tens as t
    join busiest as w on w.feature = t.feature and w.place = 1 and (t.hour_of_day - w.opens_at + 24) % 24 < 4
    group by t.feature, t.day
),
start_sums as (
    select
        feature,
        count(*) as start_days,
        avg(minutes_after) as minutes_after,
        stddev_pop(minutes_after) as start_spread_minutes
    from starts
    group by feature
),
quietest as (
    select feature, case when count(*) = 24 then min(calls) else 0 end as calls from hours group by feature
),
weeks as (
    select feature, hour_of_week, cast(sum(calls) as double) as calls from tens group by feature, hour_of_week
),
people as (
    select w.hour_of_week, sum(w.calls) as calls
    from weeks as w
    join sizes as s on s.feature = w.feature and s.has_several_users and s.named_calls > 0.05 * s.calls
    group by w.hour_of_week
),
-- Correlation of two profiles over the 168 hours of a week; an hour without calls adds nothing to any of the sums.
people_sums as (
    select sum(calls) as y, sum(calls * calls) as yy from people
),
likeness_to_people as (
    select
        w.feature,
        (168 * sum(w.calls * coalesce(p.calls, 0)) - sum(w.calls) * max(s.y))
            / nullif(sqrt(168 * sum(w.calls * w.calls) - sum(w.calls) * sum(w.calls))
                * sqrt(168 * max(s.yy) - max(s.y) * max(s.y)), 0) as likeness
    from weeks as w
    cross join people_sums as s
    left join people as p on p.hour_of_week = w.hour_of_week
    group by w.feature
),
offices as (
    select
        w.feature,
        o.hour_of_day as opens_at,
        sum(case when w.hour_of_week >= 24 and w.hour_of_week < 144
            and (w.hour_of_week - o.hour_of_day + 168) % 24 < 10 then w.calls else 0 end) as calls_in_office,
        sum(w.calls) as calls,
        sum(w.calls * w.calls) as squares
    from weeks as w
    join hours as o on o.feature = w.feature
    group by w.feature, o.hour_of_day
),
likeness_to_offices as (
    select
        feature,
        max((168 * calls_in_office - 50 * calls)
            / nullif(sqrt(168 * squares - calls * calls) * sqrt(5900), 0)) as likeness
    from offices
    group by feature
)
select
    s.feature, -- what the calls were for
    s.calls, -- calls outside the Batch API that have a price there
    cast(s.named_calls as double) / s.calls as named_rate, -- share of these that name a user
    cast(n.later_turns as double) / s.calls as later_turn_rate, -- share that follow another call in their conversation: each needs the answer before it
    s.days, -- days with calls
    cast(r.calls_in_runs as double) / s.calls as run_rate, -- share in runs
    r.run_count as runs, -- runs
    r.longest_run_calls, -- calls of the longest run
    r.seconds_in_runs / (3600.0 * s.hours_in_all) as run_time_rate, -- share of the time that runs take
    cast(t.calls_in_slot as double) / s.calls as slot_rate, -- share in the ten minutes of the hour with the most calls
    cast(t.slot_minute as integer) as slot_minute, -- where these ten minutes begin
    cast(s.hours_with_calls as double) / s.hours_in_all as active_hour_rate, -- share of hours with a call
    cast(w.calls as double) / s.calls as window_rate, -- share in the four hours of the day with the most calls
    b.start_days, -- days with calls in these four hours
    60 * w.opens_at + b.minutes_after as usual_start_minute, -- minute of the day at which these begin on average
    b.start_spread_minutes, -- standard deviation of that over days
    24 * cast(q.calls as double) / s.calls as flat_rate, -- calls of the quietest hour of the day over those of an average hour
    p.likeness as people_likeness, -- correlation with people's hours of the week, -1 to 1; null where no feature has people
    o.likeness as office_likeness, -- the same with the ten hours of working days that fit best
    usd(s.cost_pico) as cost_usd -- what these calls cost
from services as s
join run_sums as r on r.feature = s.feature
join turns as n on n.feature = s.feature
join slot_sums as t on t.feature = s.feature
join busiest as w on w.feature = s.feature and w.place = 1
join start_sums as b on b.feature = s.feature
join quietest as q on q.feature = s.feature
join likeness_to_offices as o on o.feature = s.feature
left join likeness_to_people as p on p.feature = s.feature
order by cost_usd desc, s.feature
