"""Work that could wait: found where it is, and never among what people wait for."""

from decimal import Decimal
from typing import Any

import pytest
from attempts import an_attempt, clear, empty_store, fill

from benchmarks.workloads import WAITS, attempts
from queries import Filters, create_views, read
from queries.advice import batching

PRICED = {"model_raw": "claude-sonnet-5", "uncached_input_tokens": 1_000, "output_tokens": 200}
EACH = 2  # workloads of a kind; `python -m benchmarks.batching` looks at sixty


@pytest.fixture(scope="module")
def con():
    con = empty_store()
    create_views(con)
    return con


def advised(con: Any, *kinds: str, **what: Any) -> dict[str, Any]:
    """What is advised for workloads of these kinds that share a log: measures by feature."""
    clear(con)
    calls = [call for kind in kinds for seed in range(EACH) for call in attempts(kind, seed, **(PRICED | what))]
    fill(con, [an_attempt(**call) for call in calls])
    found = batching.find(lambda view, filters: read(con, view, filters), Filters(), 28)
    return {measure.feature: measure for measure in found.measures}


@pytest.mark.parametrize("kinds", [tuple(WAITS), tuple(kind for kind in WAITS if kind != "chat")], ids=["", "no users"])
def test_all_that_could_wait_is_found_and_nothing_that_people_wait_for(con, kinds):
    """With users in the log, and without any by whom to know people's hours."""
    found = advised(con, *kinds)
    moved = {feature for feature, measure in found.items() if measure.level == "A"}
    asked = {feature for feature, measure in found.items() if measure.level == "C"}
    assert moved == {f"{kind} {seed}" for kind in kinds for seed in range(EACH) if WAITS[kind] is False}
    assert asked == {f"{kind} {seed}" for kind in kinds for seed in range(EACH) if WAITS[kind] == "ask"}


def test_the_saving_is_half_of_every_token(con):
    """1,000 tokens in at $2 and 200 out at $10 a million are $0.004 a call: half of that is saved."""
    found = advised(con, "nightly")["nightly 0"]
    assert found.spend_usd == Decimal("0.004") * found.evidence["calls"]
    assert found.saving_usd == found.spend_usd / 2
    assert 0 < found.saving_low_usd <= found.saving_usd <= found.saving_high_usd


@pytest.mark.parametrize(
    "what",
    [{"service_tier": "batch"}, {"speed": "fast"}, {"model_raw": "unheard-of"}],
    ids=["batch", "fast", "unpriced"],
)
def test_what_is_in_a_batch_or_cannot_be_is_left_alone(con, what):
    assert advised(con, "nightly", **what) == {}


def test_hits_that_a_batch_may_miss_can_cost_more_than_it_saves(con):
    """All of 10,000 tokens are read at $0.20 a million; through a batch at $0.10, but what misses costs $1.

    Paid: $0.002 + $0.002 for the answer. A batch with 30 % hits: $0.0003 + $0.007 + $0.001. Nothing is advised.
    """
    assert advised(con, "nightly", cache_read_tokens=10_000, uncached_input_tokens=0) == {}
