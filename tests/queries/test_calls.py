"""How attempts become calls, and what is known about their retries."""

from datetime import datetime, timedelta

import pytest
from attempts import a_failure, an_attempt

NOON = datetime(2026, 11, 20, 12)


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
def calls(given, rows):
    """calls(attempt, ...): the calls they make up."""

    def calls(*attempts):
        given(*attempts)
        return rows("from facts.calls order by started_at, call_id")

    return calls


def retried_once(**what):
    """A call whose source logs each try as a row: overloaded at first, answered six seconds later."""
    return [
        a_failure(call_id="c", attempt_no=1, retry_count=0, started_at=NOON, latency_ms=1_000.0),
        an_attempt(
            **{"call_id": "c", "attempt_no": 2, "retry_count": 0, "started_at": later(6), "latency_ms": 2_000.0, **what}
        ),
    ]


def test_attempts_that_nothing_links_are_calls_by_themselves(calls):
    made = calls(an_attempt(attempt_id="a"), an_attempt(attempt_id="b"))
    assert [(call["call_id"], call["attempts"]) for call in made] == [("a", 1), ("b", 1)]


def test_linked_attempts_are_one_call(calls):
    (call,) = calls(*retried_once(ttft_ms=300.0, max_tokens=500))
    assert (call["call_id"], call["logged_attempts"], call["attempts"], call["failed_attempts"]) == ("c", 2, 2, 1)
    assert (call["started_at"], call["duration_ms"], call["ttft_ms"]) == (NOON, 8_000, 6_300)
    assert (call["attempt_latency_ms"], call["wasted_ms"], call["max_tokens"]) == (2_000, 6_000, 500)
    assert (call["is_retry_known"], call["is_first_attempt_failed"], call["is_masked"], call["is_failed"]) == (
        True,
        True,
        True,
        False,
    )
    assert (call["first_error_type"], call["first_http_status"]) == ("overloaded_error", 529)
    assert call["cost_usd"] > 0


def test_a_linked_call_with_one_attempt_is_a_call_too(calls):
    (call,) = calls(an_attempt(call_id="c", attempt_no=1, retry_count=0))
    assert (call["call_id"], call["attempts"], call["is_masked"]) == ("c", 1, False)


def test_attempts_are_put_in_order_by_their_number_then_by_time(calls):
    attempts = retried_once()
    (call,) = calls(*reversed(attempts))
    assert call["is_first_attempt_failed"]


def test_linked_attempts_without_numbers_are_ordered_by_time(calls):
    attempts = [attempt | {"attempt_no": None} for attempt in retried_once()]
    (call,) = calls(*reversed(attempts))
    assert (call["attempts"], call["is_masked"], call["duration_ms"]) == (2, True, 8_000)


def test_a_call_belongs_to_the_feature_that_asked_and_the_model_that_answered(calls):
    (call,) = calls(
        a_failure(call_id="c", attempt_no=1, feature="search", model_raw="claude-opus-5-5"),
        an_attempt(call_id="c", attempt_no=2, feature=None, model_raw="claude-sonnet-5-5", started_at=later(1)),
    )
    assert (call["feature"], call["model"]) == ("search", "claude-sonnet-5-5")


def test_a_call_whose_every_attempt_failed_has_failed(calls):
    (call,) = calls(
        a_failure(call_id="c", attempt_no=1, retry_count=0),
        a_failure(call_id="c", attempt_no=2, retry_count=0, started_at=later(1), http_status=400, error_type="invalid"),
    )
    assert (call["is_failed"], call["is_masked"], call["is_first_attempt_failed"]) == (True, False, True)
    assert (call["error_type"], call["http_status"]) == ("invalid", 400)
    assert (call["stop_group"], call["failed_attempts"]) == (None, 2)


def test_hidden_retries_count_as_failed_attempts(calls):
    (call,) = calls(an_attempt(retry_count=2))
    assert (call["attempts"], call["failed_attempts"], call["logged_attempts"]) == (3, 2, 1)
    assert (call["is_first_attempt_failed"], call["is_masked"]) == (True, True)
    assert (call["first_error_type"], call["attempt_latency_ms"], call["wasted_ms"]) == (None, None, None)


def test_unknown_retries_are_unknown_rather_than_none(calls):
    (call,) = calls(an_attempt(latency_ms=100.0))
    assert (call["is_retry_known"], call["is_first_attempt_failed"], call["is_masked"]) == (False, None, None)
    assert (call["duration_ms"], call["attempt_latency_ms"]) == (100, None)


def test_a_failure_at_the_end_of_known_retries_failed_at_first_too(calls):
    (call,) = calls(a_failure(retry_count=2))
    assert (call["is_failed"], call["is_first_attempt_failed"], call["is_masked"], call["failed_attempts"]) == (
        True,
        True,
        False,
        3,
    )


def test_a_call_is_known_only_if_all_its_attempts_are(calls):
    attempts = retried_once()
    attempts[0]["retry_count"] = None
    (call,) = calls(*attempts)
    assert not call["is_retry_known"]


def test_a_call_costs_what_all_its_attempts_cost(calls, rows):
    (call,) = calls(
        an_attempt(call_id="c", attempt_no=1, http_status=200, error_type="stream_broken"),
        an_attempt(call_id="c", attempt_no=2, started_at=later(1)),
        a_failure(call_id="c", attempt_no=3, started_at=later(2), http_status=None, uncached_input_tokens=9),
    )
    (sums,) = rows("select sum(cost_usd) as cost_usd, sum(output_tokens) as output_tokens from facts.attempts")
    assert (call["cost_usd"], call["output_tokens"]) == (sums["cost_usd"], sums["output_tokens"])
    assert (call["unpriced_attempts"], call["answer_tokens"]) == (1, 100)


@pytest.mark.parametrize(
    ("what", "group"),
    [
        ({"stop_reason": "end_turn"}, "complete"),
        ({"stop_reason": "tool_calls"}, "complete"),
        ({"stop_reason": "max_tokens"}, "truncated"),
        ({"stop_reason": "length"}, "truncated"),
        ({"stop_reason": "model_context_window_exceeded"}, "truncated"),
        ({"stop_reason": "max_tokens", "max_tokens": 0}, "complete"),
        ({"stop_reason": "pause_turn"}, "continuing"),
        ({"stop_reason": "refusal"}, "refused"),
        ({"stop_reason": "a word of tomorrow"}, "other"),
        ({"stop_reason": None}, None),
        ({"stop_reason": "end_turn", "http_status": 500}, None),
    ],
)
def test_stop_reasons_fall_into_groups(calls, what, group):
    (call,) = calls(an_attempt(**what))
    assert (call["stop_group"], call["is_truncated"]) == (group, group == "truncated")


def test_an_error_without_a_word_is_named_by_its_status(calls):
    (call,) = calls(a_failure(error_type=None, http_status=503))
    assert call["error_type"] == "http_503"


def test_times_written_at_the_end_of_each_try_give_the_same_wait(given, rows):
    """Tries from 0 to 400 ms and, after a pause of 600 ms, from 1,000 to 3,000 ms: the caller waited 3 s."""
    ends = {"is_end_time": True, "call_id": "c", "retry_count": 0}
    given(
        a_failure(**ends, attempt_no=1, started_at=datetime(2026, 11, 20, 12, 0, 0, 400_000), latency_ms=400.0),
        an_attempt(**ends, attempt_no=2, started_at=datetime(2026, 11, 20, 12, 0, 3), latency_ms=2000.0, ttft_ms=500.0),
    )
    [call] = rows("select duration_ms, wasted_ms, ttft_ms from facts.calls")
    assert call == {"duration_ms": 3000.0, "wasted_ms": 1000.0, "ttft_ms": 1500.0}


def test_two_tries_that_both_call_themselves_the_first_are_one_call_and_cost_once(given, rows):
    given(an_attempt(call_id="c", attempt_no=1), an_attempt(call_id="c", attempt_no=1))
    [calls] = rows("select count(*) as calls, sum(cost_usd) as cost_usd from facts.calls")
    [attempts] = rows("select sum(cost_usd) as cost_usd from facts.attempts")
    assert calls == {"calls": 1, "cost_usd": attempts["cost_usd"]}
