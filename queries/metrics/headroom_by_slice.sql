-- How near to the rate limits traffic came, by slice, where the log kept the response's rate-limit headers.
-- each slice: total, feature, model, day, hour
-- grain: slice
with
told as (
    select
        slice,
        count(*) as headroom_known_attempts,
        min(requests_headroom) as requests_headroom_rate,
        min(input_tokens_headroom) as input_tokens_headroom_rate,
        min(output_tokens_headroom) as output_tokens_headroom_rate,
        sum(case when least(coalesce(requests_headroom, 1), coalesce(input_tokens_headroom, 1),
            coalesce(output_tokens_headroom, 1)) < 0.1 then 1 else 0 end) as tight_attempts
    from focus.headroom
    group by slice
),
counted as (
    select
        slice,
        cast(sum(attempts) as bigint) as attempts,
        cast(sum(case when http_status = 429 or error_type = 'rate_limit_error' then attempts else 0 end) as bigint)
            as rate_limited_attempts
    from focus.attempts_by_hour
    group by slice
)
select
    t.slice, -- the slice; (unattributed) when the log does not say
    c.attempts, -- tries
    t.headroom_known_attempts, -- those whose log tells what was left of a limit
    t.requests_headroom_rate, -- least that was left of the requests' limit
    t.input_tokens_headroom_rate, -- least that was left of the input tokens' limit
    t.output_tokens_headroom_rate, -- least that was left of the output tokens' limit
    t.tight_attempts, -- tries that left less than a tenth of some limit
    c.rate_limited_attempts -- tries that were turned away
from told as t
join counted as c on c.slice = t.slice
order by in_time(t.slice), t.tight_attempts desc, t.slice
