-- Each logged model name: which model of the price list it means, and what else the name tells.
-- A name that the price list does not know keeps its own words and has no price: never a guess from a neighbour.
-- grain: model_raw
with
names as (
    select
        model_raw,
        lower(trim(model_raw)) as logged,
        regexp_replace(replace(lower(trim(model_raw)), ' ', '-'), '^.*/', '') as name
    from store.model_names
    where model_raw is not null
),
placed as (
    select
        model_raw,
        logged,
        regexp_extract(name, '^(global|us-gov|us|eu|apac|jp|au)[.]', 1) as geo,
        regexp_replace(regexp_replace(name, '^(global|us-gov|us|eu|apac|jp|au)[.]', ''), '^anthropic[.]', '') as name
    from names
),
spelled as (
    select
        *,
        replace(
            regexp_replace(
                replace(replace(replace(name, '[1m]', ''), '@default', ''), '@', '-'), '-v[0-9]+(:[0-9]+)?$', ''
            ),
            '.', '-'
        ) as spelled
    from placed
),
dated as (
    select
        *,
        spelled like '%-fast' as is_fast,
        regexp_replace(spelled, '-fast$', '') as dated,
        regexp_replace(regexp_replace(spelled, '-fast$', ''), '-[0-9]{8}$', '') as undated
    from spelled
),
found as (
    select
        d.model_raw,
        d.name,
        coalesce(with_date.model, without_date.model, as_placed.model) as listed,
        d.is_fast,
        case
            when d.geo = 'us-gov' or d.logged like 'arn:aws-us-gov:%' or d.logged like '%/us-gov-%' then 'us-gov'
            when d.geo = 'global' then 'global'
            when d.geo <> '' or d.logged like 'arn:%' or d.logged like '%anthropic.%' then 'regional'
            when d.logged like 'locations/%' and d.logged not like 'locations/global/%' then 'regional'
            else 'global'
        end as endpoint,
        case
            when d.logged like '%application-inference-profile/%'
                then 'an application inference profile hides the model'
        end as unpriced_reason
    from dated as d
    left join base.model_words as with_date on with_date.word = d.dated
    left join base.model_words as without_date on without_date.word = d.undated
    left join base.model_words as as_placed on as_placed.word = d.name
)
-- Grouped so that a query engine sees that a name has one row, and skips the look-up where the model is not asked for.
select
    model_raw,
    max(coalesce(listed, name)) as model,
    max(coalesce(listed, '(unlisted)')) as priced_as,
    max(case when is_fast then 1 else 0 end) as fast,
    max(endpoint) as endpoint,
    max(unpriced_reason) as unpriced_reason
from found
group by model_raw
