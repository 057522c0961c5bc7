-- Condenses attempts and what measures change on them into sums that any choice of measures is priced from.
-- Reads `attempts` (metrics.advice_attempts), `changes` (queries.advice.measure), `measures` (measure_id, place, step,
-- feature, model) and `limits` (limit_tokens: the positions of the slider). All sums are whole pico-dollars.

-- Which measures touch an attempt, by place in the plan, caps left out: attempts with the same list are one group.
create temp table touched as
select c.attempt_id, list(m.place order by m.place) as places
from changes as c
join measures as m on m.measure_id = c.measure_id and m.step <> 'cap'
group by c.attempt_id;

create temp table told as
select a.*, coalesce(t.places, []) as places
from attempts as a
left join touched as t on t.attempt_id = a.attempt_id;

create temp table groups as
select feature, model, places, sum(cost_pico) as cost_pico, sum(batch_cost_pico) as batch_cost_pico
from told
group by feature, model, places;

-- What a cut and a cache save together. The cut takes from the end of the uncached prompt, the cache from the front of
-- what is left: all it would, unless the cut has gone into it; then reads first, then writes. Tokens that only change
-- from one pile to another (another lifetime) are signed and take nothing.
create macro saved(input_pico, read_pico, write_5m_pico, write_1h_pico, left_over, cut, reads, writes_5m, writes_1h) as
    cut * input_pico
    + case when reads + writes_5m + writes_1h <= left_over then
        reads * (input_pico - read_pico)
        + writes_5m * (input_pico - write_5m_pico)
        + writes_1h * (input_pico - write_1h_pico)
    else
        least(reads, left_over) * (input_pico - read_pico)
        + least(writes_5m, greatest(left_over - reads, 0)) * (input_pico - write_5m_pico)
        + least(writes_1h, greatest(left_over - reads - writes_5m, 0)) * (input_pico - write_1h_pico)
    end;

create temp table cached as
select
    a.attempt_id,
    m.place as cache_place,
    coalesce(c.read_tokens, 0) as reads,
    coalesce(c.write_5m_tokens, 0) as writes_5m,
    coalesce(c.write_1h_tokens, 0) as writes_1h
from changes as c
join measures as m on m.measure_id = c.measure_id and m.step = 'cache'
join attempts as a on a.attempt_id = c.attempt_id;

create temp table cache_savings as
select
    a.feature, a.model, a.places, c.cache_place,
    sum(saved(a.input_pico, a.cache_read_pico, a.cache_write_5m_pico, a.cache_write_1h_pico,
        a.uncached_input_tokens, 0, c.reads, c.writes_5m, c.writes_1h)) as saved_pico,
    sum(saved(a.batch_input_pico, a.batch_cache_read_pico, a.batch_cache_write_5m_pico, a.batch_cache_write_1h_pico,
        a.uncached_input_tokens, 0, c.reads, c.writes_5m, c.writes_1h)) as batch_saved_pico
from cached as c
join told as a on a.attempt_id = c.attempt_id
group by a.feature, a.model, a.places, c.cache_place;

-- What caps cut: as advised (limit 0), and at every position of the slider.
create temp table cuts as
select c.attempt_id, m.place as cap_place, 0 as limit_tokens, least(c.cut_tokens, a.uncached_input_tokens) as cut
from changes as c
join measures as m on m.measure_id = c.measure_id and m.step = 'cap'
join attempts as a on a.attempt_id = c.attempt_id
where c.cut_tokens > 0
union all
select a.attempt_id, m.place, l.limit_tokens, least(a.uncached_input_tokens, a.input_tokens - l.limit_tokens) as cut
from measures as m
join attempts as a on (m.feature is null or m.feature = a.feature) and (m.model is null or m.model = a.model)
join limits as l on l.limit_tokens < a.input_tokens
where m.step = 'cap' and a.uncached_input_tokens > 0;

-- A cap saves less where a cache has made its tokens cheaper: without any cache (-1), and with each that the group has.
create temp table cap_savings as
select
    a.feature, a.model, a.places, x.cap_place, x.limit_tokens, coalesce(c.cache_place, -1) as cache_place,
    sum(saved(a.input_pico, a.cache_read_pico, a.cache_write_5m_pico, a.cache_write_1h_pico,
            a.uncached_input_tokens - x.cut, x.cut, c.reads, c.writes_5m, c.writes_1h)
        - saved(a.input_pico, a.cache_read_pico, a.cache_write_5m_pico, a.cache_write_1h_pico,
            a.uncached_input_tokens, 0, c.reads, c.writes_5m, c.writes_1h)) as saved_pico,
    sum(saved(a.batch_input_pico, a.batch_cache_read_pico, a.batch_cache_write_5m_pico, a.batch_cache_write_1h_pico,
            a.uncached_input_tokens - x.cut, x.cut, c.reads, c.writes_5m, c.writes_1h)
        - saved(a.batch_input_pico, a.batch_cache_read_pico, a.batch_cache_write_5m_pico, a.batch_cache_write_1h_pico,
            a.uncached_input_tokens, 0, c.reads, c.writes_5m, c.writes_1h)) as batch_saved_pico
from cuts as x
join told as a on a.attempt_id = x.attempt_id
join (
    from cached
    union all
    select distinct attempt_id, -1 as cache_place, 0 as reads, 0 as writes_5m, 0 as writes_1h from cuts
) as c on c.attempt_id = x.attempt_id
group by a.feature, a.model, a.places, x.cap_place, x.limit_tokens, c.cache_place;

-- The attempts on which each measure alone would have saved most: the rows that a person can open.
create temp table examples as
with
each as (
    select
        m.place, m.measure_id, a.attempt_id,
        case m.step
            when 'waste' then a.cost_pico
            when 'batch' then a.cost_pico - a.batch_cost_pico
            else saved(a.input_pico, a.cache_read_pico, a.cache_write_5m_pico, a.cache_write_1h_pico,
                a.uncached_input_tokens - coalesce(c.cut_tokens, 0), coalesce(c.cut_tokens, 0),
                coalesce(c.read_tokens, 0), coalesce(c.write_5m_tokens, 0), coalesce(c.write_1h_tokens, 0))
        end as saved_pico
    from changes as c
    join measures as m on m.measure_id = c.measure_id
    join attempts as a on a.attempt_id = c.attempt_id
),
most as (
    from each
    qualify row_number() over (partition by place order by saved_pico desc, attempt_id) <= 20
)
select
    m.measure_id, a.started_at, a.feature, a.model, a.user_id, a.input_tokens, a.output_tokens,
    cast(a.cost_pico as decimal(38, 0)) * 0.000000000001 as cost_usd,
    cast(m.saved_pico as decimal(38, 0)) * 0.000000000001 as saving_usd
from most as m
join attempts as a on a.attempt_id = m.attempt_id
order by m.place, m.saved_pico desc, m.attempt_id;
