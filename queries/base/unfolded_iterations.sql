-- The parts of answers that were made in several iterations, as their attempts list them. The one view that unfolds a list:
-- an engine without unnest needs its own spelling of it.
-- grain: attempt_id, iteration_no
select
    attempt_id,
    model_raw,
    started_at,
    stop_reason,
    case when speed = 'fast' then 1 else 0 end + case when service_tier = 'batch' then 2 else 0 end
        + case when inference_geo = 'us' then 4 else 0 end
        + case platform when 'bedrock' then 8 when 'vertex' then 16 when 'azure' then 24 else 0 end as variant,
    len(iterations) as iterations,
    unnest(range(1, len(iterations) + 1)) as iteration_no,
    unnest(iterations) as part
from store.attempts
where iterations is not null
