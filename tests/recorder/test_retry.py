"""What is tried again, how long it waits, and when it stops."""

import asyncio
import statistics
import time
from email.utils import formatdate
from typing import Any

import anthropic
import outlay_recorder
import pytest
from outlay_recorder import Budget, Retry
from outlay_recorder.retry import Failure

from tests.fake_messages_api import Turn
from tests.recorder.conftest import ASK, async_client, client, of, soon

QUICK: dict[str, Any] = {"base": 0.004, "cap": 0.01}
OVERLOADED = Failure(529, "529 overloaded_error")


def statuses(api) -> int:
    return len(api.requests)


# --- the decision ---


def test_the_wait_is_drawn_evenly_from_nothing_to_a_doubling_bound():
    """Full jitter: 0.5 * 2^n seconds at most, at most 8; the mean of 4,000 draws lies within 5 % of the middle."""
    retry = Retry(99, base=0.5, cap=8, budget=Budget(reserve=1e9))
    for taken, bound in ((0, 0.5), (1, 1.0), (2, 2.0), (4, 8.0), (20, 8.0)):
        waits = [float(retry.decide(OVERLOADED, taken, 99, 0)) for _ in range(4000)]
        assert 0 < min(waits) < 0.05 * bound and 0.95 * bound < max(waits) <= bound
        assert statistics.mean(waits) == pytest.approx(bound / 2, rel=0.05)


def test_the_servers_own_wait_comes_first_and_the_jitter_on_top():
    retry = Retry(base=0.5, budget=Budget(reserve=1e9))
    waits = [float(retry.decide(Failure(429, "429", retry_after=30.0), 0, 4, 0)) for _ in range(1000)]
    assert min(waits) >= 30.0 and max(waits) <= 30.5 and len(set(waits)) > 900


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 520, 522, 524, 529, None])
def test_what_may_pass_is_tried_again(status):
    assert isinstance(Retry().decide(Failure(status, ""), 0, 4, 0), float)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422, 501, 505])
def test_what_will_not_pass_is_never_tried_again(status):
    assert Retry().decide(Failure(status, ""), 0, 4, 0) == "trying again would not help"


def test_a_budget_lets_retries_be_a_share_of_calls():
    """10 in reserve; then each call pays a fifth of a retry in: 100 calls that fail are 10 + 100 / 5 retries."""
    budget = Budget(ratio=0.2, reserve=10)
    retry, retries = Retry(budget=budget), 0
    for _ in range(100):
        budget.deposit()
        retries += isinstance(retry.decide(OVERLOADED, 0, 4, 0), float)
    assert retries == pytest.approx(10 + 100 / 5, abs=1)


# --- through the SDK ---


def test_an_overload_that_passes_is_not_noticed(api, log, recorded):
    api.script = [Turn(529), Turn(500), Turn(drop=True), Turn(429), Turn()]
    recording = outlay_recorder.record(client(api), log, retry=Retry(4, **QUICK))
    assert recording.messages.create(**ASK).id == "msg_5"
    attempts = of(recorded(), "attempt")
    assert [line.get("http_status") for line in attempts] == [529, 500, None, 429, 200]
    assert all(line["wait_ms"] < 400 for line in attempts[1:])  # the SDK's own first wait is 375 ms at least


def test_a_retry_after_is_kept_to(api, log, recorded):
    api.script = [Turn(429, headers={"retry-after-ms": "300"}), Turn()]
    outlay_recorder.record(client(api), log, retry=Retry(**QUICK)).messages.create(**ASK)
    assert of(recorded(), "attempt")[1]["wait_ms"] >= 300


def test_a_retry_after_may_be_a_date(api, log, recorded):
    api.script = [Turn(429, headers={"retry-after": formatdate(time.time() + 3, usegmt=True)}), Turn()]
    outlay_recorder.record(client(api), log, retry=Retry(**QUICK)).messages.create(**ASK)
    assert 1000 <= of(recorded(), "attempt")[1]["wait_ms"] <= 4000


def test_the_final_error_says_what_was_tried(api, log):
    api.script = [Turn(529), Turn(500), Turn(529)]
    recording = outlay_recorder.record(client(api), log, retry=Retry(2, **QUICK))
    with pytest.raises(anthropic.APIStatusError) as raised:
        recording.messages.create(**ASK)
    [note] = raised.value.__notes__
    assert note.startswith("3 attempts in 0.") and statuses(api) == 3
    assert "529 overloaded_error; waited 0.0" in note and "500 api_error; waited 0.0" in note
    assert note.endswith("529 overloaded_error; stopped because max_retries is 2")


def test_the_final_connection_error_is_the_sdks_own(api, log, recorded):
    api.script = [Turn(drop=True)] * 3
    recording = outlay_recorder.record(client(api), log, retry=Retry(2, **QUICK))
    with pytest.raises(anthropic.APIConnectionError) as raised:
        recording.messages.create(**ASK)
    assert type(raised.value) is anthropic.APIConnectionError and "max_retries is 2" in raised.value.__notes__[0]
    assert of(recorded(), "call")[0]["exception"] == "APIConnectionError" and statuses(api) == 3


@pytest.mark.parametrize("turn", [Turn(529), Turn(drop=True)])
def test_a_spent_budget_stops_at_once(api, log, turn):
    api.script = [turn] * 9
    recording = outlay_recorder.record(client(api), log, retry=Retry(4, **QUICK, budget=Budget(ratio=0, reserve=2)))
    for attempts in (3, 1, 1):  # two retries are in the budget, then none
        before = statuses(api)
        with pytest.raises(anthropic.APIError) as raised:
            recording.messages.create(**ASK)
        assert statuses(api) - before == attempts and "the retry budget is spent" in raised.value.__notes__[0]


def test_a_spend_limit_is_not_waited_for(api, log):
    api.script = [Turn(429, error_code="enforced_spend_limit_reached")]
    with pytest.raises(anthropic.RateLimitError):
        outlay_recorder.record(client(api), log, retry=Retry(**QUICK)).messages.create(**ASK)
    assert statuses(api) == 1


def test_the_servers_no_is_a_no_and_its_yes_does_not_make_a_bad_request_good(api, log):
    api.script = [Turn(529, headers={"x-should-retry": "false"}), Turn(400, headers={"x-should-retry": "true"})]
    recording = outlay_recorder.record(client(api), log, retry=Retry(**QUICK))
    for attempts in (1, 2):
        with pytest.raises(anthropic.APIStatusError):
            recording.messages.create(**ASK)
        assert statuses(api) == attempts


def test_a_deadline_bounds_waits_and_answers(api, log):
    """A server that never answers and one that says: in a minute. Both end within the second."""
    recording = outlay_recorder.record(client(api), log, retry=Retry(**QUICK, deadline=0.5))
    for turn in (Turn(hang=True), Turn(429, headers={"retry-after": "60"})):
        api.script, begun = [turn], time.monotonic()
        with pytest.raises(anthropic.APIError) as raised:
            recording.messages.create(**ASK)
        assert time.monotonic() - begun < 5 and "the deadline of 0.5 s would pass" in raised.value.__notes__[0]


def test_a_batch_is_not_created_twice(api, log):
    """Nobody knows whether the request that was dropped had arrived; a 429 surely did nothing."""
    recording = outlay_recorder.record(client(api), log, retry=Retry(**QUICK))
    api.script = [Turn(drop=True)]
    with pytest.raises(anthropic.APIConnectionError) as raised:
        recording.messages.batches.create(requests=[])
    assert "must not be done twice" in raised.value.__notes__[0] and statuses(api) == 1
    api.script = [soon(429)]
    recording.messages.batches.create(requests=[])
    assert statuses(api) == 3


def test_what_never_arrived_may_be_sent_again(log):
    """Nobody listens there: the batch cannot have been created."""
    nobody = anthropic.Anthropic(api_key="CANARY", base_url="http://127.0.0.1:9")
    with pytest.raises(anthropic.APIConnectionError) as raised:
        outlay_recorder.record(nobody, log, retry=Retry(2, **QUICK)).messages.batches.create(requests=[])
    assert "max_retries is 2" in raised.value.__notes__[0]


def test_an_asynchronous_client_is_retried_alike(api, log, recorded):
    api.script = [Turn(529), Turn(drop=True), Turn(429), Turn(), Turn(500), Turn(500)]

    async def calls() -> None:
        recording = outlay_recorder.record(async_client(api), log, retry=Retry(3, **QUICK))
        async with recording.messages.stream(**ASK) as stream:
            await stream.get_final_message()
        with pytest.raises(anthropic.InternalServerError) as raised:
            await recording.with_options(max_retries=1).messages.create(**ASK)
        assert "max_retries is 1" in raised.value.__notes__[0]

    asyncio.run(calls())
    assert [line.get("http_status") for line in of(recorded(), "attempt")] == [529, None, 429, 200, 500, 500]
