-- The UTC days that a bill covers, and which report speaks for each: the newest of its kind.
-- grain: kind, day
select
    kind, -- cost or usage
    day, -- UTC day
    report_id, -- the report
    source_name, -- the file it came from
    made_at, -- as of when it holds, UTC
    step_usd, -- one of the last digit that its amounts are written with
    is_open -- the day had not ended, or only just, when the report was made
from base.bill_days
