-- What paid calls that gave nothing that was used cost, by kind, feature and day: as focus.wasted_attempts tells them.
-- grain: waste, feature, day
select
    waste, -- failed, refused, asked_again or repeated
    feature, -- what they were for
    day, -- day on the reader's clock
    count(*) as calls, -- such calls
    count(distinct user_id) as users, -- users they were for
    cast(sum(cost_pico) as bigint) as saving_pico -- what they cost, in pico-dollars
from focus.wasted_attempts
group by waste, feature, day
order by waste, feature, day
