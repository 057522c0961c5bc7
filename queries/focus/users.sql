-- Who made the calls the reader asked for: of whole days (UTC) by day, of the days that the period cuts try by try.
-- grain: attempt_id, day_at, feature, team, environment, model_raw, user_id
select * from facts.users_by_day
where in_whole_days(day_at) and in_slices(feature, model, user_id, team, environment)
union all by name
select * exclude (started_at), 1 as attempts from facts.callers
where in_period(started_at) and in_slices(feature, model, user_id, team, environment) and started_at < first_whole_day()
union all by name
select * exclude (started_at), 1 as attempts from facts.callers
where in_period(started_at) and in_slices(feature, model, user_id, team, environment)
    and started_at >= greatest(first_whole_day(), last_whole_day())
