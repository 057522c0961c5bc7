"""Every view: documented, in its layer, unique in its grain, and working on a store with nothing in it."""

import json
import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from attempts import a_failure, an_attempt, an_iteration, empty_store, fill

from queries import Filters, catalogue, create_views, generation, options, read, span
from queries.__main__ import docs
from queries.catalog import FOLDER, LAYERS
from queries.contract import parse

VIEWS = catalogue()
METRICS = [view for view in VIEWS if view.layer == "metrics"]
NEW = timedelta(seconds=1)


def name(view) -> str:
    return view.path


@pytest.fixture(scope="module")
def busy():
    """A few weeks with something of everything."""
    con = empty_store()
    create_views(con, parse("model,valid_from,discount_percent\nclaude-haiku-4-5,2026-11-01,10"))
    monday = datetime(2026, 9, 7, 9)
    log = []
    for number in range(120):
        moment = monday + timedelta(hours=7 * number)
        feature = ["search", "chat", None][number % 3]
        log += [
            an_attempt(
                started_at=moment,
                feature=feature,
                user_id=f"u{number % 5}",
                team="ads",
                cache_write_unknown_ttl_tokens=100,
                cache_read_tokens=500,
                max_tokens=100,
                stop_reason="max_tokens" if number % 4 == 0 else "end_turn",
                retry_count=number % 2,
                latency_ms=1_000.0 + number,
                output_tokens=100 if number != 119 else 10_000_000,
                requests_headroom=0.5,
            ),
            an_attempt(started_at=moment, model_raw="unheard-of", feature=feature),
            a_failure(started_at=moment, call_id=f"c{number}", attempt_no=1, retry_count=0, feature=feature),
            an_attempt(started_at=moment + NEW, call_id=f"c{number}", attempt_no=2, retry_count=0, ttft_ms=300.0),
        ]
    # What advice looks for: the traffic of a machine, and a long prompt that is sent twice.
    sonnet: dict[str, Any] = {"model_raw": "claude-sonnet-5", "uncached_input_tokens": 150_000}
    log += [an_attempt(started_at=monday + number * NEW, feature="nightly", **sonnet) for number in range(30)]
    log += [
        an_attempt(started_at=monday + number * NEW, feature="chat", user_id="u0", session_id="s", **sonnet)
        for number in range(2)
    ]
    # An answer that is cut off and asked for again.
    log += [
        an_attempt(started_at=monday, feature="chat", user_id="u9", stop_reason="max_tokens", max_tokens=100),
        an_attempt(started_at=monday + NEW, feature="chat", user_id="u9", max_tokens=200),
    ]
    # A cache that stops working on its fifth day.
    for number in range(100):
        piles = {"cache_read_tokens": 9_000} if number < 80 else {"cache_write_5m_tokens": 9_000}
        moment = monday + timedelta(days=number // 20, minutes=number % 20)
        log.append(an_attempt(started_at=moment, feature="cached", model_raw="claude-sonnet-5", **piles))
    log += [an_attempt(iterations=[an_iteration(), an_iteration()]), a_failure(model_raw=None, error_type=None)]
    fill(con, log)
    con.execute(
        "insert into store.loads by name "
        "select 'load-1' as load_id, 'a.jsonl' as source_name, 9 as refused_records, "
        "timestamp '2026-11-21' as folded_at"
    )
    con.execute("""
        insert into store.loads by name
        select '0123456789ab-' || taken as load_id, 'b.csv' as source_name, 700 as bytes, 9 as lines,
            8 as read_records, 8 - taken as refused_records, timestamp '2026-11-21' as landed_at
        from (values (0), (8)) as t(taken)
    """)
    fill(con, [an_attempt(started_at=monday, model_raw="claude-sonnet-5", stop_reason="refusal", output_tokens=0)])
    con.execute("""
        insert into store.bill_reports by name
        select kind as report_id, kind, kind || '.json' as source_name, timestamp '2026-11-21' as made_at,
            timestamp '2026-11-21' as imported_at, 0.0001 as step_usd
        from (values ('cost'), ('usage')) as t(kind)
    """)
    con.execute(
        "insert into store.bill_days "
        "select report_id, date '2026-09-07', timestamp '2026-09-08' from store.bill_reports"
    )
    con.execute("""
        insert into store.billed by name
        select 'cost' as report_id, 1 as line_no, date '2026-09-07' as day, 'claude-opus-5-5' as model_raw,
            'tokens' as cost_type, null as token_class, null as tokens, 5 as amount_usd
        union all by name
        select 'usage' as report_id, 1 as line_no, date '2026-09-07' as day, 'claude-opus-5-5' as model_raw,
            'input' as token_class, 5000 as tokens
    """)
    con.execute("insert into store.retained values (timestamp '2025-01-01')")
    con.execute("insert into store.set_aside values ('load-2', 'no Parquet file', timestamp '2026-11-21')")
    con.execute("insert into store.refusals values ('load-1', 1, 'no model', '{…}'), ('load-1', 2, 'no model', '{…}')")
    return con


@pytest.mark.parametrize("view", VIEWS, ids=name)
def test_a_view_says_what_it_shows_and_what_one_row_is(view):
    assert view.summary.endswith(".")
    assert view.grain or view.name in {"totals", "freshness"}


@pytest.mark.parametrize("view", VIEWS, ids=name)
def test_a_view_explains_its_columns(view, con):
    columns = [column for column, *_ in con.execute(f"describe {view.path}").fetchall()]
    assert set(view.notes) <= set(columns)
    assert set(view.grain) <= set(columns)
    if view.layer in {"facts", "metrics"} and ".*" not in view.sql.split("select")[-1]:
        assert list(view.notes) == columns


@pytest.mark.parametrize("view", VIEWS, ids=name)
def test_a_view_reads_only_what_comes_before_it(view, con):
    """Only base knows the store and the lists; metrics read what is in focus, unless marked as unfiltered."""
    may_read = {
        "base": {"store", "lists", "base"},
        "rollups": {"base", "rollups"},
        "facts": {"base", "rollups", "facts"},
        "focus": {"facts", "focus"},
        "metrics": {"base", "facts"} if view.is_unfiltered else {"focus"},
    }[view.layer]
    ((tree,),) = con.execute("select json_serialize_sql($sql)", {"sql": view.sql}).fetchall()
    sources = {
        (table["catalog_name"] or table["schema_name"]) for table in _tables(json.loads(tree)) if table["schema_name"]
    }
    assert sources
    assert sources <= may_read


def _tables(node):
    if isinstance(node, dict):
        if node.get("type") == "BASE_TABLE":
            yield node
        for child in node.values():
            yield from _tables(child)
    elif isinstance(node, list):
        for child in node:
            yield from _tables(child)


@pytest.mark.parametrize("view", [view for view in VIEWS if view not in METRICS], ids=name)
def test_the_grain_of_a_view_is_unique(view, busy):
    grain = f"count(distinct ({', '.join(view.grain)},))"
    ((total, distinct),) = busy.execute(f"select count(*), {grain} from {view.path}").fetchall()
    assert total == distinct > 0


@pytest.mark.parametrize("view", METRICS, ids=name)
def test_a_metric_works_on_a_store_with_nothing_in_it(view, con):
    filters = Filters(since=date(2026, 11, 1), until=date(2026, 11, 7), zone="Asia/Kolkata", features=("search",))
    rows = read(con, view.name, filters).num_rows
    if view.name != "price_list":
        assert rows == {"totals": 1, "freshness": 1, "spend_by_token_class": 7}.get(view.name, 0)


@pytest.mark.parametrize("view", METRICS, ids=name)
def test_a_metric_is_unique_in_its_grain_and_its_figures_are_what_their_names_say(view, busy):
    rows = read(busy, view.name).to_pylist()
    assert rows
    assert len({tuple(row[column] for column in view.grain) for row in rows}) == len(rows)
    for row in rows:
        for column, value in row.items():
            if column.endswith("_usd") and value is not None:
                assert isinstance(value, Decimal), column
            if re.search(r"_rate(_low|_high)?$", column) and value is not None:
                assert 0 <= value <= 1, column


def test_comments_reach_duckdb(con):
    ((comment,),) = con.execute(
        "select comment from duckdb_views() where schema_name = 'facts' and view_name = 'calls'"
    ).fetchall()
    assert comment.startswith("Every logical request")
    ((note,),) = con.execute(
        "select comment from duckdb_columns() where schema_name = 'facts' "
        "and table_name = 'call_outcomes' and column_name = 'is_masked'"
    ).fetchall()
    assert note.startswith("the first try failed")


def test_the_catalogue_page_is_current():
    assert (FOLDER / "README.md").read_text() == docs()


def test_layers_are_folders():
    assert [folder for folder in LAYERS if not (FOLDER / folder).is_dir()] == []


def test_an_unknown_metric_is_refused_by_name(con):
    with pytest.raises(KeyError, match="no metric 'totals; drop'"):
        read(con, "totals; drop")


def test_views_can_be_used_while_the_configuration_is_locked():
    con = empty_store()
    create_views(con)
    con.execute("set lock_configuration = true")
    assert read(con, "totals", Filters(features=("search",))).num_rows == 1


def test_a_failure_leaves_no_half_made_views():
    con = duckdb.connect()
    with pytest.raises(duckdb.Error):
        create_views(con)
    assert con.execute("select count(*) from duckdb_views() where schema_name = 'metrics'").fetchall() == [(0,)]


def test_the_generation_changes_with_the_data(con):
    before = generation(con)
    assert generation(con) == before
    con.execute("insert into store.loads by name select 'load-2' as load_id")
    assert generation(con) != before


def test_span_and_options_tell_what_there_is(con, given):
    assert span(con) == (None, None)
    given(
        an_attempt(started_at=datetime(2026, 11, 1), feature="search"),
        an_attempt(started_at=datetime(2026, 11, 3), model_raw=None),
    )
    assert span(con) == (datetime(2026, 11, 1), datetime(2026, 11, 3))
    assert options(con) == {
        "feature": ["(unattributed)", "search"],
        "model": ["(no model)", "claude-opus-5-5"],
        "user": ["(unattributed)"],
        "team": ["(unattributed)"],
        "environment": ["(unattributed)"],
    }
