"""Why a period cost more: parts that a reader can work out, and that always add up."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from attempts import an_attempt, clear, fill
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from queries import Filters, read
from queries.signals import explain

FIRST, SECOND = datetime(2026, 10, 5, 12), datetime(2026, 10, 12, 12)
BEFORE, AFTER = Filters(date(2026, 10, 5), date(2026, 10, 11)), Filters(date(2026, 10, 12), date(2026, 10, 18))
# $5 a million tokens in, $25 out, $0.50 read from the cache.
OPUS = "claude-opus-4-5"
# A million tokens read from the cache: $0.20 until 6 October, $0.10 from the 7th, in the middle of the first period.
REPRICED = "claude-sonnet-5-5"
MIDDLE = datetime(2026, 10, 8, 12)


@pytest.fixture
def why(con):
    def answer(attempts, by="feature"):
        fill(con, attempts)
        return explain(lambda metric, filters: read(con, metric, filters), BEFORE, AFTER, by)

    return answer


def call(at, **what):
    return an_attempt(started_at=at, model_raw=OPUS, feature="chat", **what)


def parts(found):
    return {name: part for name, part in found.parts.items() if part}


def test_twice_the_requests(why):
    found = why([call(FIRST), call(SECOND), call(SECOND)])
    one = Decimal("0.0075")  # 1,000 in and 100 out
    assert (found.before_usd, found.after_usd) == (one, 2 * one)
    assert parts(found) == {"requests": one}
    assert found.explained_by == ("chat",)


def test_longer_prompts_and_answers(why):
    found = why([call(FIRST), call(SECOND, uncached_input_tokens=3_000, output_tokens=300)])
    assert parts(found) == {"input": Decimal("0.01"), "output": Decimal("0.005")}


def test_two_causes_share_what_they_do_together(why):
    """Twice the calls, each twice as long: 1 + 3 = 4 units. Alone each is worth 1; the third unit is shared."""
    one = {"output_tokens": 0}
    two = {"output_tokens": 0, "uncached_input_tokens": 2_000}
    found = why([call(FIRST, **one), call(SECOND, **two), call(SECOND, **two)])
    assert parts(found) == {"requests": Decimal("0.0075"), "input": Decimal("0.0075")}


def test_a_dearer_model_is_mix_and_not_price(why):
    found = why([
        an_attempt(started_at=FIRST, model_raw="claude-haiku-4-5", feature="chat"), call(SECOND),
    ])  # fmt: skip
    assert parts(found) == {"model_mix": Decimal("0.006")}, "0.0075 instead of a fifth of it"


def test_a_cold_cache(why):
    cached = {"uncached_input_tokens": 0, "output_tokens": 0}
    found = why([
        call(FIRST, cache_read_tokens=10_000, **cached), call(SECOND, cache_write_5m_tokens=10_000, **cached),
    ])  # fmt: skip
    assert parts(found) == {"cache_hit_rate": Decimal("0.0575")}, "10,000 at $6.25 instead of at $0.50"


def test_new_and_ended_slices_have_lines_of_their_own(why):
    found = why([call(FIRST) | {"feature": "old"}, call(SECOND) | {"feature": "new"}])
    assert parts(found) == {"new_slices": Decimal("0.0075"), "ended_slices": Decimal("-0.0075")}
    assert found.change_usd == 0


def test_a_new_list_price_is_not_mix(why):
    cached = {"uncached_input_tokens": 0, "cache_read_tokens": 10_000, "output_tokens": 0}
    found = why([call(at, **cached) | {"model_raw": REPRICED} for at in (FIRST, SECOND)])
    assert (found.before_usd, found.after_usd) == (Decimal("0.002"), Decimal("0.001"))
    assert parts(found) == {"list_price": Decimal("-0.001")}


FAILED = {
    "http_status": 529, "error_type": "overloaded_error", "stop_reason": None, "uncached_input_tokens": None,
    "cache_read_tokens": None, "cache_write_5m_tokens": None, "output_tokens": None, "web_search_requests": None,
}  # fmt: skip


def tries(call):
    """The tries of a call: the last succeeds; those before it failed, or were billed as well."""
    number, (what, before) = call
    linked = {"call_id": f"call-{number}"} if before else {}
    failures = [what | linked | (FAILED if is_failed else {}) for is_failed in before]
    return [an_attempt(**one, attempt_no=place) for place, one in enumerate([*failures, what | linked], 1)]


LOG = st.lists(
    st.fixed_dictionaries(
        {
            "started_at": st.sampled_from([FIRST, MIDDLE, SECOND]),
            "feature": st.sampled_from(["a", "b", None]),
            "model_raw": st.sampled_from([OPUS, "claude-haiku-4-5", REPRICED, "unheard-of"]),
            "uncached_input_tokens": st.integers(0, 100_000),
            "cache_read_tokens": st.integers(0, 50_000),
            "cache_write_5m_tokens": st.integers(0, 50_000),
            "output_tokens": st.integers(0, 9_999),
            "stop_reason": st.sampled_from(["end_turn", "max_tokens"]),
            "web_search_requests": st.integers(0, 2),
            "retry_count": st.sampled_from([None, 0, 2]),
        }
    ),
    max_size=12,
)
RETRIED = st.lists(st.booleans(), max_size=2)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), LOG, st.sampled_from(["feature", "model", "user", "team"]))
def test_the_parts_always_add_up_exactly(con, data, log, by):
    clear(con)
    calls = enumerate((what, data.draw(RETRIED)) for what in log)
    fill(con, [one for call in calls for one in tries(call)])
    found = explain(lambda metric, filters: read(con, metric, filters), BEFORE, AFTER, by)
    assert sum(found.parts.values(), Decimal(0)) == found.change_usd
    assert all(sum(of.parts.values(), Decimal(0)) == of.change_usd for of in found.slices)
    assert sum((of.change_usd for of in found.slices), Decimal(0)) == found.change_usd
