-- The tries of the period, whatever they were for, as a bill would know them: by UTC day, model and workspace.
-- A bill knows nothing of features, users or teams; filters of these do not apply.
-- grain: attempt_id
select
    a.attempt_id,
    cast(a.started_at as date) as day, -- UTC day
    a.model, -- name in the price list
    a.workspace_id, -- workspace of the API key; null when not logged
    coalesce(a.platform in ('bedrock', 'vertex', 'azure'), false)
        or coalesce(a.model_raw like '%anthropic.%' or a.model_raw like 'arn:%' or a.model_raw like '%@%', false)
        as is_elsewhere, -- billed by a cloud, not by Anthropic: its platform or the spelling of its model says so
    coalesce(a.service_tier = 'priority', false) as is_priority, -- of the priority tier
    case when a.mode = 'fast' then 1 else 0 end + case when a.is_batch then 2 else 0 end
        + case when a.inference_geo = 'us' then 4 else 0 end as variant, -- the way it was asked
    a.is_priced, -- its cost is known
    a.cost_usd, -- list price on its day; null when not known
    f.prompt_cost_usd as refused_usd -- what the prompt of a free refusal would have cost
from facts.attempts as a
left join facts.free_refusals as f on f.attempt_id = a.attempt_id
where in_period(a.started_at) and not (a.is_error and a.is_priced and a.cost_usd = 0)
