"""SQL by a stranger: what it may read, and where it is stopped."""

import re
import time
from pathlib import Path

import pytest

from dashboard.ask import sql as ask_sql
from dashboard.ask.prompts import sql_system
from dashboard.owner import Owner
from tests.dashboard import traffic
from tests.ingest.loading import load


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory):
    home = tmp_path_factory.mktemp("home")
    load(home, traffic.lines(days=3), name="app.jsonl")
    opened = Owner(home)
    yield opened
    opened.close()


def test_every_documented_view_can_be_asked(owner):
    for path in ask_sql.documented():
        assert owner.ask(f"select * from {path}").table.num_columns > 3


@pytest.mark.parametrize(
    "sql",
    [
        "select feature, sum(cost_usd) from facts.calls where started_at >= date '2026-11-01' group by all order by 2;",
        "with days as (select date_trunc('day', started_at) as day, sum(cost_usd) as c from facts.attempts group by 1) "
        "select day, c, lag(c) over (order by day) from days -- the day before",
        "select model, quantile_cont(duration_ms, 0.95), count(*) filter (where is_failed) from facts.calls group by 1",
        "select c.feature, a.model from facts.calls c join facts.attempts a using (call_id) where a.model ilike 'c%'",
        "select i from range(3) t(i) union all select max(output_tokens) from facts.attempts",
        "from facts.calls select distinct on (feature) feature, model order by feature, started_at desc",
        "select extract(hour from started_at) as hour, wilson_low(sum(is_failed::int), count(*)) from facts.calls "
        "group by 1",
        "select case when team is null then 'none' else team end, coalesce(round(avg(ttft_ms), 1), 0) from facts.calls "
        "group by 1",
    ],
)
def test_what_a_question_needs_is_answered(owner, sql):
    assert owner.ask(sql).table.num_rows


def test_days_are_cut_on_the_clock_of_a_zone_as_the_instructions_say(owner):
    """Six calls a day from 8 to 14 o'clock UTC, for three days: half of each are on the next day in Auckland."""
    [told] = re.findall(r"cut them from (timezone\(.*\)\)),", sql_system())
    local = told.replace("Europe/Berlin", "Pacific/Auckland")
    sql = f"select date_trunc('day', {local}) as day, count(*) as calls from facts.calls group by 1 order by 1"
    assert owner.ask(sql).table.column("calls").to_pylist() == [3, 6, 6, 3]


@pytest.mark.parametrize(
    "sql",
    [
        "attach '/tmp/x.duckdb'",
        "attach 'https://evil.invalid/x'",
        "copy (from facts.calls) to '/tmp/out.csv'",
        "copy facts.calls from '/tmp/in.csv'",
        "install httpfs",
        "load httpfs",
        "pragma database_list",
        "set threads = 99",
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/passwd')",
        "from '/etc/passwd'",
        "from read_parquet('archive/**/*.parquet')",
        "select * from glob('/**')",
        "from sniff_csv('/etc/passwd')",
        "from 'https://evil.invalid/x.csv'",
        "select * from store.attempts",
        "from store.refusals",
        "from lists.prices",
        "from base.attempts",
        "from metrics.refusals",
        "from facts.attempt_parts",
        "select (select max(seq) from store.loads)",
        "select * from facts.calls where team in (select reason from store.refusals)",
        "from memory.facts.calls",
        "select 1; drop view facts.calls",
        "select 1; select 2",
        "drop view facts.calls",
        "create table t as select 1",
        "insert into facts.calls values (1)",
        "update facts.calls set team = 'x'",
        "delete from facts.calls",
        "with gone as (delete from store.attempts returning *) select * from gone",
        "checkpoint",
        "export database '/tmp/x'",
        "select 1) union (select 2",
        "select current_setting('home_directory')",
        "select getvariable('features')",
        "select getenv('ANTHROPIC_API_KEY')",
        "select nextval('x')",
        "select sleep_ms(100000)",
        "select write_log('x')",
        "from duckdb_settings()",
        "from duckdb_secrets()",
        "from duckdb_tables",
        "from information_schema.tables",
        "show tables",
        "from pragma_table_info('facts.calls')",
        "describe facts.calls",
        "summarize facts.calls",
        "explain analyze select 1",
        "with duckdb_tables as (select 1) from duckdb_tables",
        "from query('from store.attempts')",
        "from query_table('store.loads')",
        "from json_execute_serialized_sql('{}')",
        "call pragma_version()",
        "prepare p as select 1",
        "execute p",
        "select list_transform([1], lambda x: x)",
        "select range(1000000000)",
        "select repeat('x', 1000000000)",
        "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n",
        "",
        "selec 1",
        f"select {'||'.join(['feature'] * 40)} from facts.calls",
        "select " + "1 + " * 5000 + "1",
    ],
)
def test_everything_else_is_refused_before_it_runs(owner, sql):
    begun = time.monotonic()
    with pytest.raises(ask_sql.Refused):
        owner.ask(sql)
    assert time.monotonic() - begun < ask_sql.MOST_SECONDS / 2


@pytest.mark.parametrize(
    "sql",
    [
        "select count(*) from range(10000000) a, range(10000000) b where a.range * b.range = 7",
        "select max(hash(a.range, b.range)) from range(10000000) a, range(10000000) b",
        "select a.attempt_id from facts.attempts a, facts.attempts b, facts.attempts c, facts.attempts d, "
        "facts.attempts e, facts.attempts f order by hash(a.attempt_id, f.attempt_id)",
    ],
)
def test_what_would_run_for_ever_is_cut_in_time(owner, sql, monkeypatch):
    monkeypatch.setattr(ask_sql, "MOST_SECONDS", 0.5)
    begun = time.monotonic()
    with pytest.raises(ask_sql.Refused, match=r"stopped after 0.5 seconds"):
        owner.ask(sql)
    assert time.monotonic() - begun < 10


def test_what_takes_too_much_memory_is_stopped(owner, monkeypatch):
    monkeypatch.setattr(ask_sql, "MOST_BYTES", 50 << 20)
    with pytest.raises(ask_sql.Refused, match="more than 50 MB of memory"):
        owner.ask("select list(a.range) from range(1000000000) a")


def test_rows_have_a_limit_and_keep_their_order(owner):
    selected = owner.ask("select range as n from range(5000) order by n desc")
    assert selected.is_cut and selected.table.column("n").to_pylist() == list(range(4999, 3999, -1))


def test_another_reader_is_not_disturbed(owner, monkeypatch):
    """The interrupt ends the stranger's query alone."""
    monkeypatch.setattr(ask_sql, "MOST_SECONDS", 0.3)
    with owner.cursor() as other, pytest.raises(ask_sql.Refused):
        other.execute("select count(*) from facts.calls")
        owner.ask("select count(*) from range(10000000) a, range(10000000) b where a.range * b.range = 7")
    assert Path(owner.home).exists() and owner.query("select 1 as one").num_rows == 1
