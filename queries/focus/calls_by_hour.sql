-- What became of the calls the reader asked for, added up where they agree in all that filters and outcomes go by. A filter
-- on users, or one that cuts an hour, is answered from focus.call_rows.
-- grain: begins_at, feature, team, environment, model_raw, is_batch, is_retry_known, is_failed, is_first_attempt_failed, is_masked, error_type, http_status, first_error_type, first_http_status
select
    * exclude (local_at),
    'total' as total, -- the same for all: what a figure for everything is grouped by
    cast(local_at as date) as day, -- day on the reader's clock
    date_trunc('hour', local_at) as hour -- hour on the reader's clock
from (select *, local_time(begins_at) as local_at from facts.calls_by_hour) as told
where in_period(begins_at) and in_slices(feature, model, null, team, environment)
