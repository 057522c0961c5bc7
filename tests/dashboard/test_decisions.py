"""What people decide about signals settles what it says, and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dashboard.decisions import decide, settled, standing, undo
from queries.signals import Signal

DAY = timedelta(days=1)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
# $60 in a day where $10 was expected.
RISE = Signal(
    "one", "feature", "chat", "cost", datetime(2026, 11, 3), datetime(2026, 11, 4), datetime(2026, 11, 4),
    60.0, 10.0, 8.0, 12.0, 20.0, 50.0, "requests", {"requests": 50.0}, None, False,
)  # fmt: skip
LATER = replace(RISE, signal_id="two", start=datetime(2026, 11, 10), end=datetime(2026, 11, 12), actual=120.0)
FALL = replace(LATER, signal_id="three", actual=1.0, score=-20.0)
OTHER_METRIC = replace(RISE, signal_id="four", metric="requests")
OTHER_SLICE = replace(RISE, signal_id="five", slice="search")


def left_open(home: Path, *signals: Signal, now: datetime = NOW) -> list[str]:
    done = settled(signals, standing(home), now)
    return [of.signal_id for of in signals if of.signal_id not in done]


def test_nothing_is_settled_by_itself(home: Path) -> None:
    assert left_open(home, RISE, LATER) == ["one", "two"]


def test_acknowledging_settles_one_event(home: Path) -> None:
    decide(home, "acknowledged", [RISE], "ann")
    assert left_open(home, RISE, LATER, OTHER_METRIC, OTHER_SLICE) == ["two", "four", "five"]


def test_an_acknowledged_event_stays_so_on_another_clock(home: Path) -> None:
    decide(home, "acknowledged", [RISE], "ann")
    in_tokyo = replace(RISE, signal_id="other", start=RISE.start + timedelta(hours=9))
    assert left_open(home, in_tokyo) == []


@pytest.mark.parametrize(("days", "later", "silent"), [(7, 6, True), (7, 8, False), (30, 29, True), (None, 999, True)])
def test_a_mute_lasts_as_long_as_it_says(home: Path, days: int | None, later: int, silent: bool) -> None:
    decide(home, "muted", [RISE], "ann", days, NOW)
    assert (left_open(home, RISE, LATER, FALL, now=NOW + later * DAY) == []) is silent
    assert left_open(home, OTHER_METRIC, OTHER_SLICE) == ["four", "five"]


@pytest.mark.parametrize(("a_day", "silent"), [(30, True), (60, True), (74, True), (76, False)])
def test_an_expected_level_is_silent_up_to_a_quarter_beyond(home: Path, a_day: float, silent: bool) -> None:
    """$60 a day is accepted: $75 a day is the most that nobody is told of."""
    decide(home, "expected", [RISE], "ann")
    assert (left_open(home, replace(LATER, actual=2 * a_day)) == []) is silent


def test_what_is_expected_says_nothing_about_falls_or_the_past(home: Path) -> None:
    decide(home, "expected", [LATER], "ann")
    assert left_open(home, LATER, FALL, RISE) == ["three", "one"]


def test_an_expected_fall_is_silent_unless_it_falls_further(home: Path) -> None:
    decide(home, "expected", [FALL], "ann")
    assert left_open(home, FALL, replace(FALL, signal_id="less", actual=0.7)) == ["less"]


def test_a_decision_can_be_taken_back_and_tells_who_and_when(home: Path) -> None:
    decide(home, "muted", [RISE], "ann", now=NOW)
    [decision] = standing(home)
    assert (decision.decided_by, decision.decided_at, decision.until) == ("ann", NOW, None)
    undo(home, [decision], "bob")
    assert left_open(home, RISE) == ["one"]
    assert standing(home) == ()


def test_the_newest_decision_is_the_one_that_is_told(home: Path) -> None:
    decide(home, "acknowledged", [RISE], "ann")
    decide(home, "muted", [RISE], "bob", 7)
    assert settled([RISE], standing(home))["one"].decided_by == "bob"
