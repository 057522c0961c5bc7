-- What the newest report says of each day: the amounts of cost reports, the tokens of usage reports.
-- grain: report_id, line_no
select
    b.report_id,
    b.line_no,
    d.kind,
    b.day,
    b.model_raw,
    b.workspace_id,
    -- The way to ask, as for attempts: 1 for fast mode, 2 for a batch, 4 for inference kept in the US.
    case when b.speed = 'fast' then 1 else 0 end + case when b.service_tier = 'batch' then 2 else 0 end
        + case when b.inference_geo = 'us' then 4 else 0 end as variant,
    coalesce(b.service_tier like 'priority%', false) as is_priority,
    b.cost_type,
    b.token_class,
    b.tokens,
    b.amount_usd,
    b.list_usd
from store.billed as b
join base.bill_days as d on d.report_id = b.report_id and d.day = b.day
