-- Billed against logged by slice, with the difference by its causes.
-- each slice: model, workspace
-- grain: slice
select
    slice, -- the slice; (web searches) for those, (all) where no log names a workspace that was billed
    sum(billed_usd) as billed_usd, -- on the bill
    sum(logged_usd) as logged_usd, -- list price of the logged tries
    sum(difference_usd) as difference_usd, -- billed less logged
    sum(missing_logs_usd) as missing_logs_usd, -- more tokens were billed than logged
    sum(unlogged_workspace_usd) as unlogged_workspace_usd, -- in workspaces that no log names
    sum(unpriced_model_usd) as unpriced_model_usd, -- logged, without a price
    sum(refusals_usd) as refusals_usd, -- refused answers, counted as free, that were billed
    sum(tiers_usd) as tiers_usd, -- billed as another tier than logged, or a tier that the bill leaves out
    sum(discounts_usd) as discounts_usd, -- off the list price
    sum(credits_usd) as credits_usd, -- credits on the bill
    sum(other_charges_usd) as other_charges_usd, -- code execution, sessions: nothing that request logs price
    sum(cloud_usd) as cloud_usd, -- logged, and billed by Amazon, Google or Microsoft
    sum(not_on_this_bill_usd) as not_on_this_bill_usd, -- logged, and not billed to this organisation
    sum(late_data_usd) as late_data_usd, -- logged, and not yet on a bill from before the day was closed
    sum(rounding_usd) as rounding_usd, -- less than the digits of the bill can show
    sum(not_explained_usd) as not_explained_usd -- no named cause applies
from focus.reconciled_cells
group by slice
order by sum(billed_usd) desc, slice
