-- The prompts of calls, longest first: what a limit on their length would have cut is worked out from these.
-- grain: attempt_id
select
    attempt_id, -- id of the try
    feature, -- what it was for
    user_id, -- who sent it
    day, -- day on the reader's clock
    input_tokens, -- all prompt tokens, cached or not
    uncached_input_tokens, -- those neither read from the cache nor written to it: a limit can save no others
    input_pico, -- price of one of these, in pico-dollars
    cost_pico -- what the call cost
from focus.rated_attempts
order by input_tokens desc, attempt_id
