-- Billed against logged, on the UTC days that a bill covers.
-- grain: total
select
    'total' as total, -- everything compared
    sum(billed_usd) as billed_usd, -- on the bill, credits and discounts taken off
    sum(logged_usd) as logged_usd, -- list price of the logged tries of these days
    sum(difference_usd) as difference_usd, -- billed less logged
    sum(difference_usd - not_explained_usd) as explained_usd, -- the part of the difference with a named cause
    sum(not_explained_usd) as not_explained_usd, -- the part without one, what is over and what is missing taken together
    sum(abs(not_explained_usd)) as not_explained_either_way_usd, -- the same, never set off against each other
    count(distinct day) as days, -- days compared
    count(distinct case when is_open then day end) as open_days, -- whose bill is from before the day was closed
    count(distinct case when is_usage_known then day end) as usage_known_days -- whose tokens a usage report tells
from focus.reconciled_cells
having count(*) > 0
