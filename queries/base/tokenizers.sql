-- How many tokens each model makes of a text, relative to the models before 4.7.
-- grain: model
select model_id as model, cast(relative_tokens as decimal(4, 2)) as relative_tokens from lists.tokenizers
