-- The difference between bill and logs by its causes: one row for each cause that has an amount.
-- grain: day, model, workspace, cause
select day, model, workspace, cause, place, amount_usd
from (
    select
        c.day,
        c.model,
        c.workspace,
        k.cause,
        k.place, -- in the order in which people read them
        case k.cause
            when 'missing_logs' then c.missing_logs_usd
            when 'unlogged_workspace' then c.unlogged_workspace_usd
            when 'unpriced_model' then c.unpriced_model_usd
            when 'refusals' then c.refusals_usd
            when 'tiers' then c.tiers_usd
            when 'discounts' then c.discounts_usd
            when 'credits' then c.credits_usd
            when 'other_charges' then c.other_charges_usd
            when 'billed_by_a_cloud' then c.cloud_usd
            when 'not_on_this_bill' then c.not_on_this_bill_usd
            when 'late_data' then c.late_data_usd
            when 'rounding' then c.rounding_usd
            else c.not_explained_usd
        end as amount_usd -- adds to what was logged on the way to what was billed
    from focus.reconciled_cells as c
    cross join (
        select 'missing_logs' as cause, 1 as place
        union all select 'unlogged_workspace', 2
        union all select 'unpriced_model', 3
        union all select 'refusals', 4
        union all select 'tiers', 5
        union all select 'discounts', 6
        union all select 'credits', 7
        union all select 'other_charges', 8
        union all select 'billed_by_a_cloud', 9
        union all select 'not_on_this_bill', 10
        union all select 'late_data', 11
        union all select 'rounding', 12
        union all select 'not_explained', 13
    ) as k
) as named
where amount_usd <> 0
