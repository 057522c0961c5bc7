-- What one token of a listed model costs on each platform, in whole pico-dollars: at the price that was agreed upon while
-- one holds, else at list price, which stands beside it. One row for each moment and prompt length.
-- stored
-- grain: model, endpoint, fast, batch, us_geo, platform_no, valid_from, prompt_tokens_over
with
platforms as (
    -- A log that names none, or a gateway, counts as anthropic.
    select 'anthropic' as platform, 0 as platform_no
    union all
    select 'bedrock' as platform, 1 as platform_no
    union all
    select 'vertex' as platform, 2 as platform_no
    union all
    select 'azure' as platform, 3 as platform_no
),
listed as (
    select
        row_number() over (
            order by r.model, r.endpoint, r.fast, r.batch, r.us_geo, r.valid_from, r.prompt_tokens_over, p.platform_no
        ) as rate_no,
        r.*,
        p.platform,
        p.platform_no
    from base.list_rates as r
    cross join platforms as p
),
agreed as (
    select
        l.rate_no,
        c.line,
        c.rank,
        greatest(c.valid_from, l.valid_from) as begins_at,
        least(c.valid_until, l.valid_until) as ends_at,
        c.discount_percent,
        c.input_usd_mtok,
        c.output_usd_mtok,
        c.cache_write_5m_usd_mtok,
        c.cache_write_1h_usd_mtok,
        c.cache_read_usd_mtok
    from listed as l
    join base.contract_prices as c
        on c.problem is null
        and (c.model is null or c.model = l.model)
        and (c.platform is null or c.platform = l.platform)
        and (c.mode is null or c.mode = l.mode)
        and c.valid_from < l.valid_until
        and c.valid_until > l.valid_from
    where l.input_pico is not null
),
edges as (
    select rate_no, valid_from as begins_at from listed
    union
    select rate_no, begins_at from agreed
    union
    select a.rate_no, a.ends_at as begins_at
    from agreed as a
    join listed as l on l.rate_no = a.rate_no
    where a.ends_at < l.valid_until
),
spans as (
    select
        e.rate_no,
        e.begins_at,
        lead(e.begins_at, 1, l.valid_until) over (partition by e.rate_no order by e.begins_at) as ends_at
    from edges as e
    join listed as l on l.rate_no = e.rate_no
),
chosen as (
    select
        s.rate_no,
        s.begins_at,
        s.ends_at,
        a.line,
        a.discount_percent,
        a.input_usd_mtok,
        a.output_usd_mtok,
        a.cache_write_5m_usd_mtok,
        a.cache_write_1h_usd_mtok,
        a.cache_read_usd_mtok,
        row_number() over (partition by s.rate_no, s.begins_at order by a.rank desc) as place
    from spans as s
    left join agreed as a on a.rate_no = s.rate_no and a.begins_at <= s.begins_at and a.ends_at >= s.ends_at
)
select
    l.model,
    l.endpoint,
    l.mode,
    l.fast,
    l.batch,
    l.us_geo,
    l.platform_no,
    c.begins_at as valid_from,
    c.ends_at as valid_until,
    l.prompt_tokens_over,
    l.prompt_tokens_upto,
    l.unpriced_reason,
    l.min_cacheable_tokens,
    c.line as contract_line,
    agreed_pico(l.input_pico, c.input_usd_mtok, l.multiplier, c.discount_percent) as input_pico,
    agreed_pico(l.cache_read_pico, c.cache_read_usd_mtok, l.multiplier, c.discount_percent) as cache_read_pico,
    agreed_pico(l.cache_write_5m_pico, c.cache_write_5m_usd_mtok, l.multiplier, c.discount_percent) as cache_write_5m_pico,
    agreed_pico(l.cache_write_1h_pico, c.cache_write_1h_usd_mtok, l.multiplier, c.discount_percent) as cache_write_1h_pico,
    agreed_pico(l.output_pico, c.output_usd_mtok, l.multiplier, c.discount_percent) as output_pico,
    l.web_search_pico,
    l.input_pico as list_input_pico,
    l.cache_read_pico as list_cache_read_pico,
    l.cache_write_5m_pico as list_cache_write_5m_pico,
    l.cache_write_1h_pico as list_cache_write_1h_pico,
    l.output_pico as list_output_pico
from chosen as c
join listed as l on l.rate_no = c.rate_no
where c.place = 1
