-- base.unfolded_iterations as Spark spells it.
select
    attempt_id,
    model_raw,
    started_at,
    stop_reason,
    case when speed = 'fast' then 1 else 0 end + case when service_tier = 'batch' then 2 else 0 end
        + case when inference_geo = 'us' then 4 else 0 end
        + case platform when 'bedrock' then 8 when 'vertex' then 16 when 'azure' then 24 else 0 end as variant,
    size(iterations) as iterations,
    place + 1 as iteration_no,
    part
from store.attempts
lateral view posexplode(iterations) unfolded as place, part
