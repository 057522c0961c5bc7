-- The charges of the tries the reader asked for, with what they were for.
-- grain: attempt_id, iteration_no, token_class
select
    c.*,
    a.started_at, -- time of the try, UTC
    a.feature, -- what the call was for
    a.team, -- who pays
    a.workspace_id, -- workspace of the API key
    a.platform, -- anthropic, bedrock, vertex, azure or gateway, when the source says so
    a.mode, -- standard or fast, as billed
    a.is_batch, -- sent through the Batch API
    a.inference_geo -- as logged
from facts.charges as c
join facts.attempts as a on a.attempt_id = c.attempt_id
where in_period(a.started_at) and in_slices(a.feature, a.model, a.user_id, a.team, a.environment)
