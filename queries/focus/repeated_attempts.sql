-- The billed tries that ask again what a good answer had just said: the same model, feature, user and prompt length
-- within a minute after that answer was there. Told from coincidence by length: no other user of the feature may have
-- sent a prompt of this length in the period. Where no user is logged nothing is paired.
-- grain: attempt_id
with
named as (
    select
        attempt_id,
        feature,
        model,
        user_id,
        input_tokens,
        started_at,
        ended_at,
        stop_group,
        is_error,
        cost_pico,
        cast(local_time(started_at) as date) as day
    from facts.rated_attempts
    where user_id <> '(unattributed)'
        and in_period(started_at)
        and in_slices(feature, model, user_id, team, environment)
),
-- Sizes that one user alone has sent, and more than once.
own_sizes as (
    select feature, model, input_tokens
    from named
    group by feature, model, input_tokens
    having count(*) > 1 and min(user_id) = max(user_id)
),
followed as (
    select
        n.*,
        lag(n.ended_at) over (partition by n.feature, n.model, n.user_id, n.input_tokens order by n.started_at, n.attempt_id)
            as before_ended_at,
        lag(not n.is_error and n.stop_group = 'complete')
            over (partition by n.feature, n.model, n.user_id, n.input_tokens order by n.started_at, n.attempt_id) as before_was_good
    from named as n
    join own_sizes as o on o.feature = n.feature and o.model = n.model and o.input_tokens = n.input_tokens
)
select
    attempt_id,
    day,
    feature,
    model,
    user_id,
    cost_pico
from followed
where before_was_good and started_at <= before_ended_at + interval 1 minute
