"""What caching would save: arithmetic on the calls, and near the truth of caches whose truth is known."""

from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

import pytest
from attempts import an_attempt, fill

from benchmarks.prefix_caches import ARRIVALS, conversation, errors_of_conversations, errors_of_shared, shared
from queries import Filters, read
from queries.advice import caching
from queries.advice.measure import Advised
from queries.advice.plan import ground

AT = datetime(2026, 10, 20, 9)
# Sonnet 5, a million tokens: $2 in, $2.50 written for five minutes, $4 for an hour, $0.20 read.
SONNET: dict[str, Any] = {"model_raw": "claude-sonnet-5", "feature": "chat"}


@pytest.fixture
def find(con):
    def ask(calls: list[dict[str, Any]], days: int = 1, **more: Any) -> Advised:
        fill(con, calls)
        return caching.find(lambda view, filters: read(con, view, filters), Filters(), days, **more)

    return ask


def call(minute: float, **what: Any) -> dict[str, Any]:
    return an_attempt(**(SONNET | {"started_at": AT + timedelta(minutes=minute)} | what))


def every(minutes: float, calls: int) -> list[dict[str, Any]]:
    """So many prompts of 10,000 tokens, so far apart."""
    return [call(minutes * number, uncached_input_tokens=10_000) for number in range(calls)]


def test_a_prefix_of_known_length_is_read_whenever_its_last_use_is_recent(find):
    """Twelve calls four minutes apart, 4,000 of 10,000 tokens shared: one write, eleven reads.

    Reads save 11 x 4,000 x $1.80 a million, the write costs 4,000 x $0.50 more: $0.0792 - $0.002.
    """
    found = find(every(4, 12), prefixes={"chat": 4_000})
    [measure] = found.measures

    assert (measure.kind, measure.level, measure.settings) == ("cache_prefix", "B", {"lifetime": "5m"})
    assert measure.saving_usd == Decimal("0.0772")
    assert found.changes["read_tokens"].to_pylist() == [0, *[4_000] * 11]
    assert found.changes["write_5m_tokens"].to_pylist() == [4_000, *[0] * 11]


def test_calls_half_an_hour_apart_need_an_hour(find):
    """Eleven reads save $0.0792; the write for an hour costs 4,000 x $2 more: $0.008."""
    [measure] = find(
        [call(30 * number, uncached_input_tokens=10_000) for number in range(12)], prefixes={"chat": 4_000}
    ).measures
    assert (measure.settings, measure.saving_usd) == ({"lifetime": "1h"}, Decimal("0.0712"))


def test_nothing_is_advised_that_would_have_cost_more(find):
    """Two hours apart every call would write and none would read."""
    assert (
        find(
            [call(120 * number, uncached_input_tokens=10_000) for number in range(12)], prefixes={"chat": 4_000}
        ).measures
        == ()
    )


def test_a_prefix_that_the_model_does_not_cache_saves_nothing(find):
    """Sonnet 5 caches from 1,024 tokens on."""
    assert find(every(1, 50), prefixes={"chat": 1_023}).measures == ()


def test_of_unknown_length_it_is_at_most_the_shortest_prompt_and_only_up_to(find):
    sizes = [5_000, 9_000, 3_000, 8_000]
    [measure] = find([call(number, uncached_input_tokens=size) for number, size in enumerate(sizes)]).measures
    assert (measure.level, measure.saving_low_usd) == ("C", 0)
    assert measure.evidence["prefix_tokens"] == 3_000


def test_calls_within_two_seconds_of_a_write_come_too_early_to_read(find):
    calls = [call(second / 60, uncached_input_tokens=10_000) for second in (0, 1, 1.9, 3, 60)]
    found = find(calls, prefixes={"chat": 4_000})
    assert found.changes["read_tokens"].to_pylist() == [0, 0, 0, 4_000, 4_000]


def test_a_conversation_reads_what_the_turn_before_sent(find):
    """Prompts of 2,000, 5,000 and 9,000: written 2,000, 3,000 and 4,000, read 2,000 and 5,000.

    7,000 x $1.80 - 9,000 x $0.50 a million.
    """
    calls = [
        call(number, uncached_input_tokens=size, session_id="s") for number, size in enumerate([2_000, 5_000, 9_000])
    ]
    found = find(calls)
    [measure] = found.measures
    assert (measure.kind, measure.level) == ("cache_conversation", "A")
    assert measure.saving_usd == Decimal("0.0081")
    assert found.changes["read_tokens"].to_pylist() == [0, 2_000, 5_000]


def test_writes_that_run_out_before_they_are_read_want_an_hour(find, con):
    """Ten calls ten minutes apart that each write 10,000 tokens for five minutes.

    With an hour nine would read: 9 x 10,000 x $2.30 saved, one write x 10,000 x $1.50 more.
    """
    calls = [call(10 * number, uncached_input_tokens=0, cache_write_5m_tokens=10_000) for number in range(10)]
    found = find(calls)
    [measure] = found.measures
    assert (measure.kind, measure.settings, measure.saving_usd) == (
        "cache_lifetime",
        {"lifetime": "1h"},
        Decimal("0.192"),
    )
    assert sum(found.changes["read_tokens"].to_pylist()) == 90_000
    assert sum(found.changes["write_5m_tokens"].to_pylist()) == -100_000
    assert sum(found.changes["write_1h_tokens"].to_pylist()) == 10_000

    [row] = read(con, "cache_by_workload", Filters()).to_pylist()
    assert row["unread_write_tokens"] == 100_000
    assert row["net_saving_usd"] == Decimal("-0.05")  # 100,000 x $0.50 a million
    assert row["break_even_rate"] == pytest.approx(0.25 / 1.15)  # (w - 1) / (w - r)


def test_what_others_read_was_not_written_in_vain(find, con):
    """Two people take turns every three minutes; who looks at one of them alone sees that the other read his writes.

    Ada's two calls write 1,000 tokens each; the call after each, Bo's, reads 1,000. Bo's last call is the last of all.
    """
    turns = [
        call(3 * number, uncached_input_tokens=0, cache_write_5m_tokens=1_000, cache_read_tokens=1_000, user_id=user)
        for number, user in enumerate(["ada", "bo", "ada", "bo"])
    ]
    find(turns)
    unread = {
        user: read(con, "cache_by_workload", Filters(users=users)).to_pylist()[0]["unread_write_tokens"]
        for user, users in {"all": (), "ada": ("ada",), "bo": ("bo",)}.items()
    }
    assert unread == {"all": 1_000, "ada": 0, "bo": 1_000}


def test_against_caches_of_known_truth():
    """The bounds that the whole benchmark holds to, on a part of it."""
    found = [of for arrival in ARRIVALS for of in errors_of_shared([shared(arrival, seed) for seed in range(500, 505)])]
    assert len(found) >= 15
    assert sorted(abs(error) for error, _, _ in found)[int(0.95 * len(found))] <= 0.08
    assert not any(would_cost for _, _, would_cost in found)

    for errors in errors_of_conversations([conversation(seed) for seed in range(500, 560)]).values():
        assert median(abs(error) for error in errors) <= 0.001
        assert sum(abs(error) <= 0.05 for error in errors) >= 57


def test_a_plan_prices_every_measure_alone_as_its_finder_does(find, con):
    """Tokens that only move between piles of the cache need no uncached prompt to come out of."""

    def reader(view: str, filters: Filters) -> Any:
        return read(con, view, filters)

    rewritten = [call(10 * number, uncached_input_tokens=0, cache_write_5m_tokens=10_000) for number in range(10)]
    shared_prefix = [of | {"feature": "search"} for of in every(4, 12)]
    talk = [call(n, feature="talk", uncached_input_tokens=2_000 * (n + 1), session_id="s") for n in range(5)]
    found = find([*rewritten, *shared_prefix, *talk], prefixes={"search": 4_000})
    assert {measure.kind for measure in found.measures} == {"cache_lifetime", "cache_prefix", "cache_conversation"}
    whole = ground(reader, Filters(), found)
    for measure in found.measures:
        assert whole.plan([measure.measure_id]).saving_usd == measure.saving_usd
