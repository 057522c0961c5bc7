-- The tries the reader asked for, added up where they agree in all that filters, prices and outcomes go by. A filter on
-- users, or one that cuts an hour, is answered from focus.attempt_rows.
-- grain: attempt_id, begins_at, feature, team, environment, workspace_id, platform, model_raw, variant, prompt_tokens_over, is_free, is_counted, is_cached, is_user_known, is_error, error_type, http_status
select
    * exclude (local_at),
    'total' as total, -- the same for all: what a figure for everything is grouped by
    cast(local_at as date) as day, -- day on the reader's clock
    date_trunc('hour', local_at) as hour -- hour on the reader's clock
from (select *, local_time(begins_at) as local_at from facts.attempts_by_hour) as told
where in_period(begins_at) and in_slices(feature, model, null, team, environment)
