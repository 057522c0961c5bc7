-- The models that can be asked instead: the same for whatever the reader asked for.
-- grain: model, batch, us_geo, prompt_tokens_over
select * from facts.offers
