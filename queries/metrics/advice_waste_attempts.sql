-- Paid calls that gave nothing that was used, as focus.wasted_attempts tells them.
-- grain: attempt_id
select
    attempt_id, -- id of the try
    waste, -- failed, refused, asked_again or repeated
    feature -- what it was for
from focus.wasted_attempts
order by attempt_id
