-- The models of the price list that have no end announced, with what one token costs at the newest listed price, in whole
-- pico-dollars: what the same work would cost elsewhere, or at a price that is to come.
-- grain: model, batch, us_geo, prompt_tokens_over
select
    r.model, -- name in the price list
    r.batch, -- 1 through the Batch API
    r.us_geo, -- 1 for inference kept in the US
    r.prompt_tokens_over, -- price holds for prompts longer than this
    r.prompt_tokens_upto, -- and no longer than this
    r.valid_from, -- since when that is the price
    t.relative_tokens, -- tokens made of a text, relative to the models before 4.7
    r.input_pico, -- price of a prompt token neither read nor written
    r.cache_read_pico, -- of one read from the cache; null where there is no cache
    r.cache_write_5m_pico, -- of one written for five minutes
    r.cache_write_1h_pico, -- of one written for an hour
    r.output_pico -- of one of the answer
from base.list_rates as r
join base.tokenizers as t on t.model = r.model
join (
    select distinct model from base.list_prices where retired_on_claude_api is null
) as p on p.model = r.model
where r.endpoint = 'global'
    and r.mode = 'standard'
    and r.valid_until = timestamp '9999-12-31'
    and r.input_pico is not null
