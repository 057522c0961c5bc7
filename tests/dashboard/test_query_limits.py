"""`outlay query`: what a person asks takes no more of the machine than it may, and disturbs nobody."""

import time

import pytest

from dashboard import owner as owners
from dashboard.owner import Owner, QueryRefused
from tests.dashboard import traffic
from tests.ingest.loading import load


@pytest.fixture(scope="module")
def owner(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    load(home, traffic.lines(days=3), name="app.jsonl")
    opened = Owner(home)
    opened.fold()
    yield opened
    opened.close()


def test_an_answer_within_its_limits_is_whole_and_in_order(owner, monkeypatch):
    monkeypatch.setattr(owners, "MOST_ROWS", 200_000)
    answer = owner.answer("select range as n from range(200000) order by n desc")
    assert answer.column("n").to_pylist() == list(range(199_999, -1, -1))
    assert owner.answer("select 1 as one where false").column_names == ["one"]
    assert owner.answer("explain select 1").num_rows and owner.answer("describe facts.calls").num_rows


def test_more_rows_than_a_million_are_not_collected(owner):
    begun = time.monotonic()
    with pytest.raises(QueryRefused, match="more than 1,000,000 rows"):
        owner.answer("select range from range(1000000000000)")
    assert time.monotonic() - begun < 20


def test_a_large_answer_is_not_collected_either(owner, monkeypatch):
    monkeypatch.setattr(owners, "MOST_BYTES", 50_000_000)
    with pytest.raises(QueryRefused, match=r"more than|stopped"):
        owner.answer("select repeat('x', 1000) from range(900000)")


def test_what_would_run_for_ever_is_stopped_and_nobody_else_is(owner, monkeypatch):
    monkeypatch.setattr(owners, "MOST_SECONDS", 0.5)
    begun = time.monotonic()
    with pytest.raises(QueryRefused, match=r"stopped after 0.5 seconds; ask for less"):
        owner.answer("select count(*) from range(10000000) a, range(10000000) b where a.range * b.range = 7")
    assert time.monotonic() - begun < 10
    assert owner.query("select count(*) as n from facts.calls")["n"].to_pylist() == [18]


def test_what_takes_too_much_memory_is_stopped(owner, monkeypatch):
    monkeypatch.setattr(owners, "MOST_BYTES", 50 << 20)
    with pytest.raises(QueryRefused, match="more than 50 MB of memory"):
        owner.answer("select len(list(a.range)) from range(1000000000) a")
