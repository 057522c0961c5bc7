-- Every spelling by which the price list knows a model.
-- stored
-- grain: word
select alias as word, model_id as model from lists.model_aliases
union
select model_id as word, model_id as model from lists.prices
