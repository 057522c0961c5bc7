"""Limits on prompts, paid calls that gave nothing, other models: each saving is arithmetic on the calls of the log."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from attempts import a_failure, an_attempt, clear, fill
from hypothesis import HealthCheck, settings
from hypothesis import given as drawn
from hypothesis import strategies as st

from queries import Filters, read
from queries.advice import caps, waste
from queries.advice.measure import Advised

AT = datetime(2026, 10, 20, 9)
SONNET: dict[str, Any] = {
    "model_raw": "claude-sonnet-5",
    "feature": "chat",
    "user_id": "u1",
}  # $2 in, $10 out a million


@pytest.fixture
def find(con):
    def ask(finder: Any, calls: list[dict[str, Any]], **more: Any) -> Advised:
        fill(con, calls)
        return finder.find(lambda view, filters: read(con, view, filters), Filters(), 30, **more)

    return ask


def call(minute: float = 0, **what: Any) -> dict[str, Any]:
    return an_attempt(**(SONNET | {"started_at": AT + timedelta(minutes=minute)} | what))


# --- limits on prompts ---


def test_a_limit_saves_what_lies_beyond_it_and_names_who_sent_it(find):
    """Prompts of 50,000, 50,000 and 20,000 over a limit of 10,000: 90,000 tokens at $2 a million."""
    prompts = [50_000, 50_000, 20_000, *[9_000] * 300]
    calls = [
        call(number, uncached_input_tokens=size, user_id=f"u{min(number, 5)}") for number, size in enumerate(prompts)
    ]
    [measure] = find(caps, calls, limits={"chat": 10_000}).measures

    assert (measure.level, measure.saving_usd) == ("B", Decimal("0.18"))
    assert measure.evidence["calls"] == 3
    assert [of["user_id"] for of in measure.evidence["users"]] == ["u0", "u1", "u2"]


def test_what_came_from_the_cache_is_not_saved_again(find):
    """60,000 tokens, of which 58,000 were read: a limit of 10,000 can only save the 2,000 that were not."""
    found = find(caps, [call(uncached_input_tokens=2_000, cache_read_tokens=58_000)], limits={"chat": 10_000})
    assert found.measures[0].saving_usd == Decimal("0.004")
    assert found.changes["cut_tokens"].to_pylist() == [2_000]


def test_only_a_long_tail_is_worth_a_word_and_it_is_never_more_than_up_to(find):
    usual = [call(number, uncached_input_tokens=1_000) for number in range(400)]
    assert find(caps, usual).measures == ()
    tail = [call(500 + number, uncached_input_tokens=200_000) for number in range(3)]
    [measure] = find(caps, tail).measures
    assert (measure.level, measure.saving_low_usd) == ("C", 0)


# --- paid calls that gave nothing ---


def test_each_wasted_call_is_counted_once_under_its_kind(find):
    """A billed failure, a refusal, an answer cut off and asked again, and the same request sent twice."""
    calls = [
        call(0, error_type="api_error", stop_reason=None, uncached_input_tokens=3_000, output_tokens=0, feature="a"),
        call(1, stop_reason="refusal", uncached_input_tokens=5_000, output_tokens=10, feature="b"),
        call(2, stop_reason="max_tokens", max_tokens=100, uncached_input_tokens=7_000, feature="c", latency_ms=1_000.0),
        call(3, uncached_input_tokens=7_000, max_tokens=4_000, feature="c"),
        call(4, uncached_input_tokens=11_000, feature="d"),
        call(4.5, uncached_input_tokens=11_000, feature="d"),
        call(9, uncached_input_tokens=11_000, feature="d"),  # minutes later: another matter
        a_failure(started_at=AT, feature="e"),  # not billed
    ]
    found = find(waste, calls)
    told = {measure.kind: (measure.feature, measure.saving_usd, measure.level) for measure in found.measures}
    assert told == {
        "stop_failures": ("a", Decimal("0.006"), "A"),  # 3,000 at $2 a million
        "avoid_refusals": ("b", Decimal("0.0101"), "C"),  # and 10 at $10
        "raise_ceiling": ("c", Decimal("0.015"), "A"),  # 7,000 and 100
        "stop_repeats": ("d", Decimal("0.023"), "C"),  # 11,000 and 100
    }
    assert found.changes["is_dropped"].to_pylist() == [True] * 4


def test_a_length_that_others_send_too_is_coincidence(find):
    pair = [call(0), call(0.5)]
    assert find(waste, [*pair, call(30, user_id="u2")]).measures == ()


# --- other models ---


def test_the_same_traffic_on_another_model(given, ask):
    """Haiku 4.5 ($1, $5) to Sonnet 5 ($2, $10) with 30 % more tokens: 1,000 and 100 cost $0.0015, then $0.0039."""
    given(an_attempt(model_raw="claude-haiku-4-5", feature="chat", started_at=AT))
    rows = {row["other_model"]: row for row in ask("advice_models_by_feature")}
    assert rows["claude-haiku-4-5"]["other_cost_usd"] == rows["claude-haiku-4-5"]["cost_usd"] == Decimal("0.0015")
    assert rows["claude-sonnet-5"]["other_cost_usd"] == Decimal("0.0039")
    assert rows["claude-sonnet-5"]["token_factor"] == pytest.approx(1.3)


def test_traffic_at_the_newest_price_of_its_own_model(given, ask):
    """Sonnet 5.5 read from its cache at $0.20 a million before 7 October 2026 and at $0.10 since."""
    old = datetime(2026, 10, 1)
    given(an_attempt(model_raw="claude-sonnet-5-5", started_at=old, uncached_input_tokens=0, output_tokens=0,
                     cache_read_tokens=1_000_000))  # fmt: skip
    [row] = [row for row in ask("advice_models_by_feature") if row["other_model"] == row["model"]]
    assert (row["cost_usd"], row["other_cost_usd"]) == (Decimal("0.2"), Decimal("0.1"))


# --- whatever the log ---

SIZES = st.integers(0, 300_000)
CALLS = st.fixed_dictionaries({
    "minute": st.integers(0, 20_000),
    "feature": st.sampled_from(["chat", "search", None]),
    "user_id": st.sampled_from(["u1", "u2", None]),
    "uncached_input_tokens": SIZES,
    "cache_read_tokens": SIZES,
    "output_tokens": st.integers(0, 5_000),
    "stop_reason": st.sampled_from(["end_turn", "max_tokens", "refusal"]),
    "error_type": st.sampled_from([None, None, "api_error"]),
    "max_tokens": st.sampled_from([None, 100]),
})  # fmt: skip


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@drawn(calls=st.lists(CALLS, min_size=1, max_size=30), limit=st.integers(0, 100_000))
def test_advice_is_about_calls_in_the_view_and_never_worth_more_than_they_cost(con, calls, limit):
    clear(con)
    fill(con, [call(**what) for what in calls])
    view = Filters(features=("chat",))
    inside = {row["attempt_id"]: row for row in read(con, "advice_cap_attempts", view).to_pylist()}

    def reader(name: str, filters: Filters) -> Any:
        return read(con, name, filters)

    for found in (waste.find(reader, view, 30), caps.find(reader, view, 30, {"chat": limit})):
        assert set(found.changes["attempt_id"].to_pylist()) <= set(inside)
        for measure in found.measures:
            assert measure.feature == "chat"
            assert 0 <= measure.saving_low_usd <= measure.saving_usd <= measure.saving_high_usd
            assert measure.saving_usd <= measure.spend_usd
            mine = [row for row in found.changes.to_pylist() if row["measure_id"] == measure.measure_id]
            pico = sum(
                (row["cut_tokens"] * inside[row["attempt_id"]]["input_pico"])
                if measure.step == "cap"
                else inside[row["attempt_id"]]["cost_pico"]
                for row in mine
            )
            assert measure.saving_usd == Decimal(pico).scaleb(-12)
