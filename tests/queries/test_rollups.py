"""What a store keeps added up is what its rows say: by every question, under every filter, after every change."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from attempts import an_attempt, clear, empty_store, fill
from hypothesis import given, settings
from hypothesis import strategies as st
from test_filters import scans
from test_totals_agree import attempts, numbered

from queries import Changes, Filters, agree, catalogue, create_views, keep, read
from queries.catalog import by_row, exactly
from queries.contract import parse
from queries.rollups import rollups, table

METRICS = [view for view in catalogue() if view.layer == "metrics"]
SUMMED = [view.name for view in METRICS if by_row(view.sql) != view.sql == exactly(view.sql)]
STEPPED = [view.name for view in METRICS if exactly(view.sql) != view.sql]
moments = st.integers(0, 5 * 24).map(lambda n: datetime(2026, 10, 5, tzinfo=UTC) + n * timedelta(hours=1))
filters = st.builds(
    Filters,
    since=st.none() | st.just(date(2026, 10, 6)) | moments,
    until=st.none() | st.just(date(2026, 10, 8)) | moments,
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
    features=st.sampled_from([(), ("a",), ("b", "(unattributed)")]),
    models=st.sampled_from([(), ("claude-opus-5-5", "claude-sonnet-5-5")]),
    teams=st.sampled_from([(), ("o'c",)]),
)


@pytest.fixture(scope="module")
def kept():
    """A store that keeps its rollups, and views that read them."""
    con = empty_store()
    create_views(con)
    keep(con)
    return con


def refill(con, log):
    """These attempts and no others, added up anew."""
    clear(con)
    fill(con, log)
    con.execute("delete from store.rollups")
    keep(con)


def asked(con, sql, wanted):
    """The rows of a question, in an order of their own."""
    with con.cursor() as cursor:
        for name, value in wanted.variables().items():
            if value is not None:
                cursor.execute(f"set variable {name} = $value", {"value": value})
        rows = cursor.execute(sql).to_arrow_table().to_pylist()
    return sorted(({name: plain(value) for name, value in row.items()} for row in rows), key=repr)


def plain(value):
    """Rates and milliseconds up to the last bits; money, counts and times as they are."""
    return round(value, 9) if isinstance(value, float) else value


@settings(max_examples=8)
@given(log=attempts, wanted=filters, metrics=st.sets(st.sampled_from(SUMMED), min_size=15, max_size=15))
def test_sums_answer_every_question_as_rows_do(kept, log, wanted, metrics):
    refill(kept, numbered(log))
    for metric in sorted(metrics):
        question = next(view.sql for view in catalogue() if view.path == f"metrics.{metric}")
        if not wanted.cuts_hours():
            assert asked(kept, question, wanted) == asked(kept, by_row(question), wanted), metric


@settings(max_examples=8)
@given(log=attempts, wanted=filters, metrics=st.sets(st.sampled_from(STEPPED), min_size=4, max_size=4))
def test_percentiles_from_sums_are_within_one_percent(kept, log, wanted, metrics):
    refill(kept, numbered(log))
    for metric in sorted(metrics):
        question = next(view.sql for view in METRICS if view.name == metric)
        if wanted.cuts_hours():
            continue
        stepped, exact = asked(kept, question, wanted), asked(kept, by_row(question), wanted)
        assert len(stepped) == len(exact)
        for told, logged in zip(stepped, exact, strict=True):
            timed = told["timed_calls"] + told["timed_attempts"] + told["ttft_known_calls"]
            assert (logged.pop("is_exact"), told.pop("is_exact")) == (True, timed == 0)
            for name, value in logged.items():
                # Told to one percent, then rounded to hundredths: both may be off at once.
                off = 0.01 * abs(value) + 0.01 if isinstance(value, float) else 0
                assert told[name] == (pytest.approx(value, rel=0, abs=off) if off else value), (metric, name)


def test_percentiles_are_exact_until_a_store_is_large(kept, monkeypatch):
    """Of 100 waits of 1,000 to 1,099 ms the 50th is 1,049 ms; its step begins at 1.02^351 = 1,043.9 ms."""
    refill(kept, [an_attempt(latency_ms=1_000.0 + number) for number in range(100)])
    exact = read(kept, "latency").to_pylist()[0]
    monkeypatch.setattr("queries.warehouse.EXACT_UP_TO", 99)
    stepped = read(kept, "latency").to_pylist()[0]
    assert (exact["p50_ms"], exact["is_exact"]) == (1_049.0, True)
    assert (stepped["p50_ms"], stepped["is_exact"]) == (pytest.approx(1.02**351.5, abs=0.001), False)


@pytest.mark.parametrize(
    ("wanted", "cuts"),
    [
        (Filters(), False),
        (Filters(since=date(2026, 10, 6), until=date(2026, 11, 8), zone="America/New_York"), False),
        (Filters(since=date(2026, 10, 6), until=date(2026, 10, 8), zone="Asia/Kolkata"), True),
        (Filters(since=datetime(2026, 10, 6, 12, tzinfo=UTC)), False),
        (Filters(until=datetime(2026, 10, 6, 12, 0, 1, tzinfo=UTC)), True),
        (Filters(users=("u_1",)), True),
    ],
)
def test_rows_are_asked_where_hours_are_cut(wanted, cuts):
    assert wanted.cuts_hours() == cuts


def test_the_questions_of_every_page_about_spend_are_answered_from_sums():
    assert {"totals", "spend_by_day", "spend_by_token_class", "cache", "reliability", "truncation"} <= set(SUMMED)
    assert "spend_by_user" not in SUMMED  # sums know no users


@settings(max_examples=20)
@given(log=attempts, steps=st.lists(st.tuples(st.booleans(), st.integers(0, 59)), max_size=8))
def test_what_changes_is_added_and_taken_off(kept, log, steps):
    """Whole calls come and go, some of them more than once."""
    log = numbered(log)
    refill(kept, log)
    calls = sorted({attempt["call_id"] or attempt["attempt_id"] for attempt in log})
    gone: dict[str, list] = {}
    for _, number in steps:
        if len(gone) == len(calls):
            return
        call = calls[number % len(calls)]
        kept.execute("create or replace temp table moving as from store.attempts limit 0")
        kept.execute("begin")
        changes = Changes(kept, 0)
        assert changes.wants_rows
        if call in gone:
            fill(kept, gone.pop(call))
            times = 1
        else:
            gone[call] = [attempt for attempt in log if call in (attempt["call_id"], attempt["attempt_id"])]
            times = -1
        kept.execute(
            "insert into moving by name from store.attempts where coalesce(call_id, attempt_id) = $call", {"call": call}
        )
        changes.take("moving", times)
        if times < 0:
            kept.execute("delete from store.attempts where coalesce(call_id, attempt_id) = $call", {"call": call})
        changes.settle()
        kept.execute("commit")
    before = {view.path: contents(kept, view) for view in catalogue() if view.is_kept}
    kept.execute("delete from store.rollups")
    keep(kept)
    assert before == {view.path: contents(kept, view) for view in catalogue() if view.is_kept}


def contents(con, view):
    """What is kept of a view, without what is not unseen when it goes, and without sums of nothing."""
    rows = con.execute(f"from {table(view)}").to_arrow_table().to_pylist()
    return sorted(
        (
            [(name, value or 0) for name, value in row.items() if not name.startswith(("first_", "last_"))]
            for row in rows
        ),
        key=repr,
    )


def test_a_period_reaches_the_scan_of_sums(kept):
    refill(kept, [an_attempt(started_at=datetime(2026, 1, 1)), an_attempt(started_at=datetime(2026, 12, 1))])
    with kept.cursor() as cursor:
        cursor.execute("set variable since = timestamp '2026-11-01'")
        cursor.execute("set variable until = timestamp '2026-11-08'")
        for metric in ("spend_by_feature", "cache", "totals", "reliability", "latency_by_day", "latency"):
            ((_, plan),) = cursor.execute(f"explain (format json) from metrics.{metric}").fetchall()
            tables = ("kept_attempts_by_hour", "rolled_latencies_by_hour", "rolled_calls_by_hour")
            found = [scan for table in tables for scan in scans(json.loads(plan)[0], table)]
            assert any("begins_at" in str(scan.get("Filters")) for scan in found), metric


def test_sums_are_priced_anew_when_prices_change(kept):
    """Thrice 1,000 tokens in and 100 out at $3 and $15 a million, then at half of it."""
    refill(kept, [an_attempt(model_raw="claude-sonnet-4-5") for _ in range(3)])
    agreed = parse("model,valid_from,discount_percent\nclaude-sonnet-4-5,2026-01-01,50")
    assert cost(kept) == Decimal("0.0135")
    agree(kept, agreed)
    before_it_is_kept = cost(kept)
    keep(kept)
    assert before_it_is_kept == cost(kept) == Decimal("0.00675")
    assert kept.execute("select sum(cost_usd) from store.kept_attempts_by_hour").fetchall() == [(cost(kept),)]
    agree(kept, [])
    keep(kept)
    assert cost(kept) == Decimal("0.0135")


def cost(con):
    return read(con, "totals").to_pylist()[0]["cost_usd"]


def test_the_words_for_an_answer_that_was_cut_off_are_those_of_the_list(kept):
    cut = {
        word
        for (word,) in kept.execute(
            "select stop_word from base.stop_groups where stop_word_group = 'truncated'"
        ).fetchall()
    }
    rollup = next(view.sql for view in rollups() if view.name == "attempts_by_hour")
    assert {
        word for (word,) in kept.execute("select stop_word from base.stop_groups").fetchall() if f"'{word}'" in rollup
    } == cut


def test_every_price_begins_and_ends_with_an_hour(kept):
    assert kept.execute("""
        select count(*) from base.list_prices
        where valid_from <> time_bucket(interval 1 hour, valid_from)
            or (valid_until < timestamp '9999-01-01' and valid_until <> time_bucket(interval 1 hour, valid_until))
    """).fetchall() == [(0,)]


def test_prompts_are_kept_apart_wherever_the_price_list_tells_them_apart(kept):
    """A prompt of exactly so many tokens is on one side of the price, one of a token more on the other."""
    lengths = [
        length
        for (length,) in kept.execute(
            "select distinct prompt_tokens_over from base.list_prices where prompt_tokens_over > 0"
        ).fetchall()
    ]
    log = [
        an_attempt(model_raw=model, started_at=moment, uncached_input_tokens=length + more)
        for length in lengths
        for more in (-1, 0, 1)
        for model, moment in (("claude-haiku-5-5", datetime(2026, 11, 1)), ("claude-opus-4-6", datetime(2026, 2, 20)))
    ]
    refill(kept, log)
    sums = "select sum(cost_usd) from facts."
    assert lengths
    assert kept.execute(sums + "attempts_by_hour").fetchall() == kept.execute(sums + "attempts").fetchall()
    kept_apart = kept.execute("select distinct prompt_tokens_over from rollups.attempts_by_hour").fetchall()
    assert {length for (length,) in kept_apart} == {0, *lengths}
