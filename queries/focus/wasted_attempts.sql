-- Paid calls that gave nothing that was used, each under the first of these that fits. failed: an error that was billed
-- all the same. refused: the model would not answer. asked_again: cut off at max_tokens and asked for again (an
-- estimate). repeated: the same request right after a good answer to it (told from lengths, so at most this many).
-- grain: attempt_id
with
told as (
    select attempt_id, 1 as place, 'failed' as waste from focus.rated_attempts where is_error
    union all
    select attempt_id, 2 as place, 'refused' as waste from focus.rated_attempts where stop_group = 'refused'
    union all
    select attempt_id, 3 as place, 'asked_again' as waste from focus.asked_again
    union all
    select attempt_id, 4 as place, 'repeated' as waste from focus.repeated_attempts
),
first_told as (
    select attempt_id, min(place) as place from told group by attempt_id
)
select
    r.attempt_id,
    t.waste,
    r.feature,
    r.model,
    r.user_id,
    r.day,
    r.cost_pico
from first_told as f
join told as t on t.attempt_id = f.attempt_id and t.place = f.place
join focus.rated_attempts as r on r.attempt_id = f.attempt_id
where r.cost_pico > 0
