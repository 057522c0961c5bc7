-- How near to the rate limits traffic came, by slice, where the log kept the response's rate-limit headers.
-- each slice: total, feature, model, day, hour
-- grain: slice
select
    slice, -- the slice; (unattributed) when the log does not say
    count(*) as attempts, -- tries
    sum(case when coalesce(requests_headroom, input_tokens_headroom, output_tokens_headroom) is not null then 1 else 0 end)
        as headroom_known_attempts, -- those whose log tells what was left of a limit
    min(requests_headroom) as requests_headroom_rate, -- least that was left of the requests' limit
    min(input_tokens_headroom) as input_tokens_headroom_rate, -- least that was left of the input tokens' limit
    min(output_tokens_headroom) as output_tokens_headroom_rate, -- least that was left of the output tokens' limit
    sum(case when least(coalesce(requests_headroom, 1), coalesce(input_tokens_headroom, 1),
        coalesce(output_tokens_headroom, 1)) < 0.1 then 1 else 0 end) as tight_attempts, -- tries that left less than a tenth of some limit
    sum(case when http_status = 429 or error_type = 'rate_limit_error' then 1 else 0 end) as rate_limited_attempts -- tries that were turned away
from focus.attempts
group by slice
having sum(case when coalesce(requests_headroom, input_tokens_headroom, output_tokens_headroom) is not null then 1 else 0 end) > 0
order by in_time(slice), tight_attempts desc, slice
