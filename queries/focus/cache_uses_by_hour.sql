-- What the reader asked for of the use of the prompt cache, by hour. A filter on users, or one that cuts an hour, is
-- answered from focus.cache_use_rows. What a use found is told from all traffic, whatever the reader asked for.
-- grain: begins_at, feature, team, environment, model_raw, variant, prompt_tokens_over
select
    * exclude (local_at),
    cast(local_at as date) as day -- day on the reader's clock
from (select *, local_time(begins_at) as local_at from facts.cache_uses_by_hour) as told
where in_period(begins_at) and in_slices(feature, model, null, team, environment)
