-- What became of every logical request: its tries taken together, from the first one sent to the one that answered.
-- A try that its source does not link to others is a call by itself. Without money: see facts.calls.
-- grain: call_id
select
    k.call_id, -- id of the call; that of its one try when the source links none
    k.started_at, -- when its first try was sent, UTC
    k.source_format, -- the log format it was read from
    k.feature, -- what the call was for
    k.user_id, -- who it was for
    k.team, -- who pays
    k.environment, -- where the application ran
    k.workspace_id, -- workspace of the API key
    k.session_id, -- conversation it belongs to
    k.trace_id, -- trace it belongs to
    coalesce(m.model, k.model_raw, '(no model)') as model, -- model that answered, or was tried last
    k.is_batch, -- sent through the Batch API
    k.logged_attempts, -- tries that are rows of facts.attempts
    k.attempts, -- tries, the known hidden ones included
    k.failed_attempts, -- failed tries, the known hidden ones included
    k.is_retry_known, -- the log tells how many tries there were
    k.is_failed, -- no try succeeded
    k.is_first_attempt_failed, -- the first try failed; null when unknown
    k.is_masked, -- the first try failed and a later one succeeded; null when unknown
    k.first_error_type, -- why the first try failed; null when it did not or was not logged
    k.first_http_status, -- HTTP status of the first try if it failed; null when not logged
    k.error_type, -- why the call failed
    k.http_status, -- HTTP status of the call that failed
    k.duration_ms, -- what the caller waited, retries and their pauses included
    k.attempt_latency_ms, -- latency of the try that answered; null unless it is known to hide no retry
    k.ttft_ms, -- what the caller waited for the first token
    k.wasted_ms, -- from the first try to the one that answered; null when tries are hidden
    k.max_tokens, -- ceiling on the answer
    stop_group(k.is_failed, k.stop_reason, k.max_tokens, g.stop_word_group) as stop_group, -- truncated, complete, continuing, refused or other; null without an answer
    coalesce(stop_group(k.is_failed, k.stop_reason, k.max_tokens, g.stop_word_group) = 'truncated', false) as is_truncated, -- the answer was cut off
    k.answer_tokens -- output tokens of the try that answered
from base.calls as k
left join base.models as m on m.model_raw = k.model_raw
left join base.stop_groups as g on g.stop_word = k.stop_reason
