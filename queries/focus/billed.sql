-- What was billed in the period.
-- grain: report_id, line_no
select * from facts.billed where in_period(cast(day as timestamp))
