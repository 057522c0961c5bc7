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

from queries import Changes, Filters, catalogue, create_views, keep, read
from queries.catalog import by_row
from queries.rollups import rollups

SUMMED = [view.name for view in catalogue() if view.layer == "metrics" and by_row(view.sql) != view.sql]
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
    keep(con)
    create_views(con)
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
@given(log=attempts, wanted=filters)
def test_sums_answer_every_question_as_rows_do(kept, log, wanted):
    refill(kept, numbered(log))
    for metric in SUMMED:
        question = next(view.sql for view in catalogue() if view.path == f"metrics.{metric}")
        if not wanted.cuts_hours():
            assert asked(kept, question, wanted) == asked(kept, by_row(question), wanted), metric


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
        changes.settle()
        if times < 0:
            kept.execute("delete from store.attempts where coalesce(call_id, attempt_id) = $call", {"call": call})
        kept.execute("commit")
    before = {view.name: contents(kept, view) for view in rollups()}
    kept.execute("delete from store.rollups")
    keep(kept)
    assert before == {view.name: contents(kept, view) for view in rollups()}


def contents(con, view):
    """A rollup's rows, without what is not unseen when it goes, and without sums of nothing."""
    rows = con.execute(f"from store.rolled_{view.name}").to_arrow_table().to_pylist()
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
        for metric in ("spend_by_feature", "cache", "totals", "reliability"):
            ((_, plan),) = cursor.execute(f"explain (format json) from metrics.{metric}").fetchall()
            tables = ("rolled_attempts_by_hour", "rolled_calls_by_hour")
            found = [scan for table in tables for scan in scans(json.loads(plan)[0], table)]
            assert any("begins_at" in str(scan.get("Filters")) for scan in found), metric


def test_a_sum_is_priced_anew_when_the_price_list_changes(kept):
    """Tokens are kept, not money: thrice 1,000 tokens in and 100 out at $3 and $15 a million, then at half of it."""
    refill(kept, [an_attempt(model_raw="claude-sonnet-4-5") for _ in range(3)])
    assert read(kept, "totals").to_pylist()[0]["cost_usd"] == Decimal("0.0135")
    kept.execute("begin")
    kept.execute("update base.platform_rates set input_pico = input_pico // 2, output_pico = output_pico // 2")
    halved = kept.execute("select cost_usd from metrics.totals").fetchall()
    kept.execute("rollback")
    assert halved == [(Decimal("0.00675"),)]


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
