-- The FinOps FOCUS 1.2 cost and usage table: one charge per UTC day, feature, team, workspace, model, way of asking and
-- class of tokens. Costs are worked out from prices: an estimate of the bill. Tries without a price are not in it.
-- grain: ChargePeriodStart, SubAccountId, InvoiceIssuerName, SkuPriceId, Tags
with
charges as (
    select
        cast(started_at as date) as day,
        feature,
        team,
        workspace_id,
        case platform
            when 'bedrock' then 'Amazon Web Services'
            when 'vertex' then 'Google Cloud'
            when 'azure' then 'Microsoft'
            else 'Anthropic'
        end as issuer,
        model,
        token_class,
        concat(
            case when mode = 'fast' then 'fast' else 'standard' end,
            case when is_batch then ' batch' else '' end,
            case when inference_geo = 'us' then ' us' else '' end
        ) as way,
        case when inference_geo = 'us' then 'us' end as region,
        token_price_usd,
        list_token_price_usd,
        tokens,
        cost_usd,
        list_cost_usd,
        attempt_id
    from focus.charges
),
sums as (
    select
        day,
        feature,
        team,
        workspace_id,
        issuer,
        model,
        token_class,
        way,
        region,
        token_price_usd,
        list_token_price_usd,
        cast(sum(tokens) as decimal(28, 1)) as quantity,
        sum(cost_usd) as cost_usd,
        sum(list_cost_usd) as list_cost_usd,
        count(distinct attempt_id) as attempts
    from charges
    group by day, feature, team, workspace_id, issuer, model, token_class, way, region, token_price_usd, list_token_price_usd
)
select
    cast(null as varchar) as AvailabilityZone, -- none
    cost_usd as BilledCost, -- price of the charge: an estimate, not an invoice
    'claude-api' as BillingAccountId, -- logs do not name the account
    'Claude API' as BillingAccountName, -- the same in words
    'Organization' as BillingAccountType, -- what an account is
    'USD' as BillingCurrency, -- prices are in US dollars
    cast(date_trunc('month', day) + interval 1 month as timestamp) as BillingPeriodEnd, -- end of the UTC month, excluded
    cast(date_trunc('month', day) as timestamp) as BillingPeriodStart, -- begin of the UTC month
    cast(null as varchar) as CapacityReservationId, -- none
    cast(null as varchar) as CapacityReservationStatus, -- none
    'Usage' as ChargeCategory, -- all charges are for usage
    cast(null as varchar) as ChargeClass, -- no corrections
    concat(model, ', ', way, ', ', token_class) as ChargeDescription, -- what was used, in words
    'Usage-Based' as ChargeFrequency, -- as used
    cast(day + interval 1 day as timestamp) as ChargePeriodEnd, -- end of the UTC day, excluded
    cast(day as timestamp) as ChargePeriodStart, -- begin of the UTC day
    cast(null as varchar) as CommitmentDiscountCategory, -- none
    cast(null as varchar) as CommitmentDiscountId, -- none
    cast(null as varchar) as CommitmentDiscountName, -- none
    cast(null as decimal(28, 1)) as CommitmentDiscountQuantity, -- none
    cast(null as varchar) as CommitmentDiscountStatus, -- none
    cast(null as varchar) as CommitmentDiscountType, -- none
    cast(null as varchar) as CommitmentDiscountUnit, -- none
    quantity as ConsumedQuantity, -- tokens, or searches
    case when token_class = 'web_search' then 'Searches' else 'Tokens' end as ConsumedUnit, -- what is counted
    cost_usd as ContractedCost, -- at the price that was agreed upon; the list price where none was
    token_price_usd as ContractedUnitPrice, -- the same of one token or search
    cost_usd as EffectiveCost, -- the same as billed
    cast(null as varchar) as InvoiceId, -- not known from logs
    issuer as InvoiceIssuerName, -- Anthropic, or the cloud it was used through
    list_cost_usd as ListCost, -- list price; batch and cache prices are list prices
    list_token_price_usd as ListUnitPrice, -- list price of one token or search
    'Standard' as PricingCategory, -- no commitment or changing price; a discount that was agreed upon is no category of its own
    'USD' as PricingCurrency, -- list prices are in US dollars
    token_price_usd as PricingCurrencyContractedUnitPrice, -- as in US dollars
    cost_usd as PricingCurrencyEffectiveCost, -- as in US dollars
    list_token_price_usd as PricingCurrencyListUnitPrice, -- as in US dollars
    quantity as PricingQuantity, -- tokens, or searches
    case when token_class = 'web_search' then 'Searches' else 'Tokens' end as PricingUnit, -- what a price is for
    'Anthropic' as ProviderName, -- who provides it
    'Anthropic' as PublisherName, -- who made it
    region as RegionId, -- us where inference was kept in the US
    case when region = 'us' then 'United States' end as RegionName, -- the same in words
    model as ResourceId, -- the model that was used
    model as ResourceName, -- the same
    'Model' as ResourceType, -- what a resource is
    'AI and Machine Learning' as ServiceCategory, -- of the FOCUS list
    'Claude API' as ServiceName, -- what it is called
    'Generative AI' as ServiceSubcategory, -- of the FOCUS list
    concat(model, '/', token_class) as SkuId, -- the model and the class of tokens
    token_class as SkuMeter, -- the class of tokens
    cast(null as varchar) as SkuPriceDetails, -- none
    concat(model, '/', token_class, '/', way, '/', cast(list_token_price_usd as varchar),
        case when token_price_usd <> list_token_price_usd then concat('/', cast(token_price_usd as varchar)) else '' end) as SkuPriceId, -- and how it was asked for, at which price
    workspace_id as SubAccountId, -- workspace of the API key, where it is logged
    workspace_id as SubAccountName, -- the same
    case when workspace_id is not null then 'Workspace' end as SubAccountType, -- what a sub-account is
    concat('{"feature":', json_text(feature), ',"team":', json_text(team), ',"token_class":', json_text(token_class), '}') as Tags, -- a JSON object
    true as x_IsEstimate, -- from prices, not from an invoice
    attempts as x_RequestCount, -- different tries it is made of
    token_class as x_TokenClass, -- as in spend by token class
    feature as x_Feature, -- what the calls were for
    team as x_Team -- who pays
from sums
order by day, cost_usd desc, SkuPriceId, Tags
