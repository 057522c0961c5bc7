-- What Anthropic's newest reports say of each UTC day: amounts of money from cost reports, tokens from usage reports.
-- grain: report_id, line_no
select
    b.report_id, -- the report
    b.line_no, -- its row
    b.kind, -- cost or usage
    b.day, -- UTC day
    coalesce(m.model, b.model_raw, '(no model)') as model, -- name in the price list, else as the report has it
    b.workspace_id, -- workspace; null for the default one, or when the report does not say
    b.variant, -- the way it was asked: 1 fast, 2 batch, 4 in the US, added up
    b.is_priority, -- of the priority tier
    b.cost_type, -- what kind of cost, as the report has it
    b.token_class, -- as in facts.charges; null for costs that are not told by class
    b.tokens, -- tokens of the class; searches for web_search
    b.amount_usd, -- billed, before credits
    b.list_usd, -- the same before discounts; null when the report does not say
    usd(case b.token_class
        when 'input' then r.input_pico
        when 'cache_read' then r.cache_read_pico
        when 'cache_write_5m' then r.cache_write_5m_pico
        when 'cache_write_1h' then r.cache_write_1h_pico
        when 'output' then r.output_pico
        when 'web_search' then r.web_search_pico
    end) as token_price_usd -- list price of one token that day, at the shortest prompts
from base.billed as b
left join base.models as m on m.model_raw = b.model_raw
left join base.rates as r
    on r.model_raw = b.model_raw
    and r.variant = b.variant
    and r.prompt_tokens_over < 0
    and cast(b.day as timestamp) >= r.valid_from
    and cast(b.day as timestamp) < r.valid_until
