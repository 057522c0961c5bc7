"""When an alert speaks. The rules of the state machine over any sequence of what could be seen."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dashboard.alerts.states import State, step

START = datetime(2026, 11, 23, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SEEN = st.lists(st.sampled_from(["ok", "firing", "no data"]), max_size=60)


def told(seen, hold=timedelta(), again_after=None, levels=None):
    """(minute, event) of everything told over looks one minute apart."""
    state, events = None, []
    for minute, word in enumerate(seen):
        level = levels[minute] if levels else 1
        state, event = step(state, word, level, START + minute * MINUTE, hold, again_after)
        if event:
            events.append((minute, event))
    return events


def test_it_fires_once_and_resolves_once():
    assert told(["ok", "firing", "firing", "firing", "ok", "ok", "firing"]) == [
        (1, "fired"), (4, "resolved"), (6, "fired"),
    ]  # fmt: skip


def test_it_waits_until_it_has_lasted():
    assert told(["firing", "firing", "ok", "firing", "firing", "firing"], hold=2 * MINUTE) == [(5, "fired")]


def test_it_tells_again_while_it_lasts():
    assert told(["firing"] * 8, again_after=3 * MINUTE) == [(0, "fired"), (3, "again"), (6, "again")]


def test_missing_data_neither_fires_nor_resolves():
    assert told(["firing", "no data", "no data", "firing", "no data", "ok"]) == [(0, "fired"), (5, "resolved")]


def test_a_higher_mark_is_told_and_a_lower_is_not():
    assert told(["firing"] * 5, levels=[50, 50, 80, 50, 100]) == [(0, "fired"), (2, "fired"), (4, "fired")]


@given(SEEN, st.integers(0, 5))
def test_told_events_alternate(seen, hold):
    """Whatever is seen: fired, resolved, fired … and each at a look that saw it."""
    events = told(seen, hold=hold * MINUTE)
    assert [event for _, event in events] == (["fired", "resolved"] * len(events))[: len(events)]
    for minute, event in events:
        assert seen[minute] == {"fired": "firing", "resolved": "ok"}[event]


@given(SEEN, st.integers(0, 5))
def test_nothing_fires_before_it_has_lasted(seen, hold):
    for minute, event in told(seen, hold=hold * MINUTE):
        if event == "fired":
            assert minute >= hold and set(seen[minute - hold : minute + 1]) == {"firing"}


@given(SEEN)
def test_what_lasts_to_the_end_is_open(seen):
    state = None
    for minute, word in enumerate(seen):
        state, _ = step(state, word, 1, START + minute * MINUTE)
    last = next((word for word in reversed(seen) if word != "no data"), "ok")
    assert (state or State("ok", START)).told_level == (1 if last == "firing" else 0)
