-- What the difference between bill and logs is made of; the causes add up to it.
-- grain: cause
select
    cause, -- why; not_explained where no named cause applies
    sum(amount_usd) as amount_usd, -- what it adds to the logged amount on the way to the billed one
    count(distinct day) as days, -- on how many UTC days
    min(day) as first_day, -- first of them
    max(day) as last_day -- last of them
from focus.reconciled_differences
group by cause
order by max(place)
