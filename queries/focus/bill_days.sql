-- The UTC days of the period that a bill covers.
-- grain: kind, day
select * from facts.bill_days where in_period(cast(day as timestamp))
