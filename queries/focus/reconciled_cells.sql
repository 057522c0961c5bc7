-- Billed against logged, by UTC day, model and workspace, on the days that a cost report covers; and the difference,
-- taken apart in a fixed order. First what is told outright: credits, discounts, other charges, what a cloud bills,
-- the priority tier, which cost reports leave out. Of the rest, what no digit of the bill can show is rounding; a
-- workspace or a day without any log, missing logs. Where a usage report tells the tokens, those billed in another way
-- (batch, fast, US) than logged are tiers. More billed than that: calls without a price, then refusals, up to their
-- list price, then, where more tokens were billed than logged, missing logs. Less billed: late data while the bill's
-- day was open, else calls that are not on this bill, where fewer tokens were billed than logged. What is left is not
-- explained. The parts add up to the difference, to the last digit.
-- grain: day, model, workspace
with
days as (
    select
        c.day,
        c.step_usd,
        c.is_open or coalesce(u.is_open, false) as is_open,
        u.day is not null as is_usage_known,
        t.day is not null as is_type_told
    from focus.bill_days as c
    left join (select distinct day from focus.billed where cost_type is not null) as t on t.day = c.day
    left join focus.bill_days as u on u.kind = 'usage' and u.day = c.day
    where c.kind = 'cost'
),
-- Workspaces are told apart where the logs name one that was billed; in both, no name then means the default one.
attempts as (select * from focus.logged_attempts),
bills as (select * from focus.billed),
told as (
    select count(*) > 0 as are_workspaces_told
    from (select distinct workspace_id from bills) as b
    join (select distinct workspace_id from attempts) as a on a.workspace_id = b.workspace_id
),
bill_rows as (
    select
        b.* exclude (model),
        -- Web searches are billed by no model, where the kinds of costs are told apart.
        case when d.is_type_told and b.token_class = 'web_search' then '(web searches)' else b.model end as model,
        case when t.are_workspaces_told then coalesce(b.workspace_id, '(default)') else '(all)' end as workspace,
        coalesce(b.amount_usd < 0 or b.cost_type like '%credit%', false) as is_credit,
        coalesce(b.cost_type not in ('tokens', 'token', 'web_search'), false) as is_other
    from bills as b
    join days as d on d.day = b.day
    cross join told as t
),
log_rows as (
    select
        a.*,
        case when t.are_workspaces_told then coalesce(a.workspace_id, '(default)') else '(all)' end as workspace
    from attempts as a
    join days as d on d.day = a.day
    cross join told as t
),
charge_rows as (
    select
        a.attempt_id,
        a.day,
        a.workspace,
        case when d.is_type_told and c.token_class = 'web_search' then '(web searches)' else c.model end as model,
        a.variant,
        a.is_elsewhere,
        a.is_priority,
        case when c.token_class = 'cache_write_unknown_ttl' then 'cache_write_5m' else c.token_class end as token_class,
        c.tokens,
        c.token_price_usd,
        c.cost_usd
    from facts.charges as c
    join log_rows as a on a.attempt_id = c.attempt_id
    join days as d on d.day = a.day
),
-- Tokens by the way they were asked for, billed and logged.
piles as (
    select day, model, workspace, token_class, variant, tokens, cast(0 as bigint) as logged, token_price_usd as price
    from bill_rows
    where kind = 'usage' and not is_priority
    union all
    select day, model, workspace, token_class, variant, cast(0 as bigint) as tokens, tokens as logged, token_price_usd
    from charge_rows
    where not is_elsewhere and not is_priority
),
ways as (
    select
        p.day, p.model, p.workspace, p.token_class, p.variant,
        cast(sum(p.tokens) as decimal(18, 0)) - cast(sum(p.logged) as decimal(18, 0)) as more_tokens,
        min(p.price) as price
    from piles as p
    join days as d on d.day = p.day and d.is_usage_known
    group by p.day, p.model, p.workspace, p.token_class, p.variant
),
classes as (
    select
        day, model, workspace, token_class,
        cast(sum(more_tokens) as decimal(18, 0)) as more_tokens,
        min(more_tokens) < 0 and max(more_tokens) > 0 as is_moved,
        sum(cast(more_tokens * price as decimal(38, 12))) as worth_usd,
        case
            when sum(more_tokens) >= 0 then max_by(price, more_tokens)
            else min_by(price, more_tokens)
        end as price
    from ways
    group by day, model, workspace, token_class
),
tokens as (
    select
        day, model, workspace,
        bool_or(more_tokens > 0) as is_more_billed,
        bool_or(more_tokens < 0) as is_less_billed,
        sum(case when is_moved then worth_usd - cast(more_tokens * price as decimal(38, 12)) end) as tiers_usd
    from classes
    group by day, model, workspace
),
cells as (
    select
        day,
        model,
        workspace,
        sum(billed_usd) as billed_usd,
        sum(logged_usd) as logged_usd,
        sum(credits_usd) as credits_usd,
        sum(discounts_usd) as discounts_usd,
        sum(other_charges_usd) as other_charges_usd,
        sum(elsewhere_usd) as elsewhere_usd,
        sum(priority_usd) as priority_usd,
        sum(refused_usd) as refused_usd,
        max(priority_rows) as priority_rows,
        sum(amounts) as amounts,
        sum(attempts) as attempts,
        sum(unpriced_attempts) as unpriced_attempts
    from (
        select
            day, model, workspace,
            amount_usd as billed_usd,
            0 as logged_usd,
            case when is_credit then amount_usd else 0 end as credits_usd,
            case when is_credit or is_other then 0 else coalesce(amount_usd - list_usd, 0) end as discounts_usd,
            case when is_other and not is_credit then amount_usd else 0 end as other_charges_usd,
            0 as elsewhere_usd,
            0 as priority_usd,
            0 as refused_usd,
            case when is_priority then 1 else 0 end as priority_rows,
            1 as amounts,
            0 as attempts,
            0 as unpriced_attempts
        from bill_rows
        where kind = 'cost'
        union all
        select
            day, model, workspace, 0, cost_usd, 0, 0, 0,
            case when is_elsewhere then cost_usd else 0 end,
            case when is_priority and not is_elsewhere then cost_usd else 0 end,
            0, 0, 0, 1, 0
        from charge_rows
        union all
        select
            day, model, workspace, 0, 0, 0, 0, 0, 0, 0, coalesce(refused_usd, 0), 0, 0, 1,
            case when is_priced then 0 else 1 end
        from log_rows
        where not is_elsewhere
    ) as parts
    group by day, model, workspace
),
outright as (
    select
        c.*,
        d.is_open,
        d.is_usage_known,
        d.step_usd * c.amounts / 2 as rounding_usd,
        case when c.priority_rows = 0 then -c.priority_usd else 0 end as unbilled_priority_usd,
        -c.elsewhere_usd as cloud_usd,
        coalesce(t.is_more_billed, false) as is_more_billed,
        coalesce(t.is_less_billed, false) as is_less_billed,
        coalesce(t.tiers_usd, 0) as moved_usd,
        w.workspace is not null as is_workspace_logged
    from cells as c
    join days as d on d.day = c.day
    left join tokens as t on t.day = c.day and t.model = c.model and t.workspace = c.workspace
    left join (select distinct workspace from log_rows) as w on w.workspace = c.workspace
),
rest as (
    select
        *,
        billed_usd - logged_usd - credits_usd - discounts_usd - other_charges_usd - cloud_usd - unbilled_priority_usd
            as rest_usd
    from outright
),
whole as (
    select
        *,
        case
            when rest_usd = 0 then null
            when not is_workspace_logged and rest_usd > 0 then 'unlogged_workspace'
            when attempts = 0 and rest_usd > 0 then 'missing_logs'
            when abs(rest_usd) <= rounding_usd then 'rounding'
        end as whole_cause
    from rest
),
tiered as (
    select
        *,
        case when whole_cause is null and rest_usd <> 0 then moved_usd else 0 end as tiers_usd,
        case
            when whole_cause is not null then 0
            when rest_usd = 0 then 0
            else rest_usd - moved_usd
        end as after_tiers_usd
    from whole
),
refused as (
    select
        *,
        case
            when abs(after_tiers_usd) <= rounding_usd or unpriced_attempts > 0 then 0
            else greatest(0, least(after_tiers_usd, refused_usd))
        end as refusals_usd
    from tiered
),
last as (
    select
        *,
        after_tiers_usd - refusals_usd as last_usd,
        case
            when after_tiers_usd - refusals_usd = 0 then null
            when abs(after_tiers_usd - refusals_usd) <= rounding_usd then 'rounding'
            when after_tiers_usd > 0 and unpriced_attempts > 0 then 'unpriced_model'
            when after_tiers_usd > 0 and is_more_billed then 'missing_logs'
            when after_tiers_usd < 0 and is_open then 'late_data'
            when after_tiers_usd < 0 and (amounts = 0 or is_less_billed) then 'not_on_this_bill'
            else 'not_explained'
        end as last_cause
    from refused
)
select
    day, -- UTC day
    model, -- name in the price list; (web searches) for those
    workspace, -- workspace; (all) where the logs name none that was billed
    billed_usd, -- on the bill
    logged_usd, -- list price of the logged tries
    billed_usd - logged_usd as difference_usd, -- billed less logged
    is_open, -- the bill is from before the day was closed
    is_usage_known, -- a usage report tells the tokens of the day
    attempts > 0 as is_logged, -- the logs have tries here
    credits_usd,
    discounts_usd,
    other_charges_usd,
    cloud_usd,
    tiers_usd + unbilled_priority_usd as tiers_usd,
    refusals_usd,
    case when whole_cause = 'unlogged_workspace' then rest_usd else 0 end as unlogged_workspace_usd,
    case when whole_cause = 'missing_logs' then rest_usd else 0 end
        + case when last_cause = 'missing_logs' then last_usd else 0 end as missing_logs_usd,
    case when whole_cause = 'rounding' then rest_usd else 0 end
        + case when last_cause = 'rounding' then last_usd else 0 end as rounding_usd,
    case when last_cause = 'unpriced_model' then last_usd else 0 end as unpriced_model_usd,
    case when last_cause = 'late_data' then last_usd else 0 end as late_data_usd,
    case when last_cause = 'not_on_this_bill' then last_usd else 0 end as not_on_this_bill_usd,
    case when last_cause = 'not_explained' then last_usd else 0 end as not_explained_usd
from last
