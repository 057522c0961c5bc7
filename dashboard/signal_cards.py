"""An event as a card: its sentences, what was decided about it and the buttons to decide, and a closer look."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Literal

import pyarrow as pa
import streamlit as st

from dashboard import cents, changes, charts, data, decisions, events, signal_words, units
from dashboard.data import Expected, Judged, Rows, Signal
from dashboard.decisions import Decision
from dashboard.events import Event
from dashboard.filter_bar import View, jump
from dashboard.names import display_name
from dashboard.reports import cards
from dashboard.settings import home
from queries import Filters

CHOICES: dict[str, dict[str, Any]] = {
    "Expected from now on": {"kind": "expected"},
    "Mute for 7 days": {"kind": "muted", "days": 7},
    "Mute for 30 days": {"kind": "muted", "days": 30},
    "Mute for good": {"kind": "muted"},
}
BEFORE, AFTER = timedelta(days=21), timedelta(days=7)
HOURS = timedelta(hours=36)


@st.fragment(run_every=2.0)
def wait(zone: str) -> None:
    """Say that the data is being judged for the first time, and show the signals once it has been."""
    if data.signals(Filters(zone=zone)) is not None:
        st.rerun()
    st.info("The data is being judged. Signals appear here by themselves in some seconds.", icon=":material/hourglass:")


def as_of(judged: Judged, zone: str) -> None:
    """When the data was judged, and whether there is newer data."""
    said = f"Judged on {units.moment(judged.judged_at, zone)}, each day and hour as it could be known at its end."
    if judged.problem:
        said = f"{said} {judged.problem}"
    elif not judged.is_current:
        said = f"{said} Newer data is being judged; it shows when you look again."
    st.caption(said)


def address() -> str:
    """The id of the signal that is looked at, kept in the address alone so that a link can open it."""
    with st.container(key="unseen"):
        return st.text_input("Signal", key="signal", bind="query-params")


def counted(asked: Sequence[Event], decided: Mapping[str, Decision]) -> str:
    """How many events there are in which state."""
    counts = Counter(event.state(decided) for event in asked)
    said = [f"{counts[state]:,} {state}" for state in ("open", "acknowledged", "muted") if counts[state]]
    return f"{', '.join(said)}. The most dollars at stake come first." if said else "No signal in this period."


def nothing(state: str, is_any: bool) -> None:
    """Say that there is nothing to list."""
    with st.container(border=True, width=560):
        st.subheader("Nothing here needs a look", icon=":material/check_circle:", anchor=False)
        if not is_any:
            st.markdown("Nothing unusual was found in all the data. A slice is judged from its fifteenth day on.")
        elif state == "open":
            st.markdown("No signal of this period and these filters is open.")
        else:
            st.markdown("No signal of this period and these filters is in this state.")


def shortlist(view: View, *, title: str, most: int = 5) -> None:
    """The open events of the view with the most dollars at stake, each a button away from a closer look."""
    judged = data.signals(view.filters)
    told = judged.findings.signals if judged else ()
    decided = decisions.settled(told, decisions.standing(home()))
    found = [event for event in events.grouped(told) if event.state(decided) == "open"]
    many = f"The {most} with the most dollars at stake, of {len(found):,}." if len(found) > most else ""
    with charts.card(title, many):
        for event in found[:most]:
            with st.container(horizontal=True, wrap=False, gap="small"):
                st.badge(_stake(event.lead), color=_colour(event.lead))
                with st.container(gap=None):
                    st.markdown(signal_words.headline(event))
                    st.button(
                        "Look closer",
                        key=f"short_{event.lead.signal_id}",
                        type="tertiary",
                        icon=":material/chevron_right:",
                        icon_position="right",
                        on_click=jump,
                        args=("app_pages/signals.py",),
                        kwargs={"signal": event.lead.signal_id},
                    )
        if judged is None:
            st.caption("The data is being judged; look again in some seconds.")
        elif not found:
            st.caption("Nothing that needs a look, or too few weeks of history to tell.")


def draw(view: View, event: Event, decided: Mapping[str, Decision], expected: tuple[Expected, ...], *, by: str) -> None:
    """One event. `decided` tells what settles which signal, `by` who is deciding."""
    lead = event.lead
    is_looked_at = event.holds(st.session_state.get("signal"))
    with st.container(border=True, gap="xsmall", key=f"event_{lead.signal_id}"):
        with st.container(horizontal=True, wrap=False, gap="small"):
            st.badge(_stake(lead), color=_colour(lead))
            st.markdown(signal_words.in_words(lead))
        others = "; ".join(signal_words.briefly(other) for other in event.signals[1:])
        known = f"Known since {units.moment(lead.raised_at, None)}"
        st.caption(" · ".join([known, *([f"at the same time {others}"] if others else []), *_decided(event, decided)]))
        if is_looked_at:
            _closer(view, lead, expected)
        with st.container(horizontal=True, gap="small"):
            _buttons(event, decided, by, is_looked_at)


def _buttons(event: Event, decided: Mapping[str, Decision], by: str, is_looked_at: bool) -> None:
    key = event.lead.signal_id
    st.button(
        "Close" if is_looked_at else "Look closer",
        key=f"look_{key}",
        icon=":material/close:" if is_looked_at else ":material/monitoring:",
        on_click=partial(st.session_state.update, {"signal": "" if is_looked_at else key}),
    )
    if theirs := event.decisions(decided):
        st.button("Undo", key=f"undo_{key}", icon=":material/undo:", on_click=decisions.undo, args=(home(), theirs, by))
    if left := [of for of in event.signals if of.signal_id not in decided]:
        decide = partial(decisions.decide, home(), signals=left, by=by)
        st.button(
            "Acknowledge", key=f"ack_{key}", icon=":material/check:", on_click=partial(decide, kind="acknowledged")
        )
        st.menu_button(
            "More",
            list(CHOICES),
            key=f"more_{key}",
            on_click=lambda: decide(**CHOICES[st.session_state[f"more_{key}"]]),
            help=f"Muted: nothing is told about these metrics of this slice for so long. {_accepted(event.lead)}",
        )


def _compare(signal: Signal) -> None:
    """Open the comparison of the signal's days with the same weekdays before, for its slice."""
    widget = {"feature": "feature", "model": "model", "team": "team", "user": "user"}.get(signal.slice_kind)
    chosen = {widget: [signal.slice]} if widget else {}
    by = "User" if signal.driver_user else "Model" if signal.slice_kind == "feature" else "Feature"
    days = [day.isoformat() for day in (signal.start.date(), (signal.end - timedelta(microseconds=1)).date())]
    jump("app_pages/compare.py", range="Custom", dates=days, against="Same weekdays before", slice=by, **chosen)


def _decided(event: Event, decided: Mapping[str, Decision]) -> list[str]:
    """Who decided what, when, and what that means, for each decision that settles the event."""
    said = []
    for decision in event.decisions(decided):
        who = f"by {display_name(decision.decided_by, 'md')} on {units.moment(decision.decided_at)}"
        name = events.NAMES[decision.metric]
        if decision.kind == "muted":
            until = f"until {units.moment(decision.until)}" if decision.until else "for good"
            said.append(f"{name} muted {until} {who}")
        elif decision.kind == "expected":
            at = signal_words.amount(decision.metric, decision.level)
            said.append(f"{name} of {at} expected {who}".replace("$", "\\$"))
        else:
            said.append(f"Acknowledged {who}")
    return list(dict.fromkeys(said))


def _accepted(signal: Signal) -> str:
    """What accepting the level of a signal silences from then on."""
    is_rise = signal.score > 0
    at = signal_words.amount(signal.metric, decisions.level(signal))
    pace = " a day" if signal.metric in decisions.SUMS else ""
    return (
        f"Expected: {'rises' if is_rise else 'falls'} like this one stay silent unless they go a quarter "
        f"{'above' if is_rise else 'below'} {at}{pace}."
    ).replace("$", "\\$")


def _closer(view: View, signal: Signal, expected: tuple[Expected, ...]) -> None:
    """The slice's own series around the event, and for cost what the difference is made of."""
    column = signal_words.WATCHED[signal.metric]
    grain = "hour" if signal.end - signal.start < timedelta(days=1) else "day"
    first, last = (
        (signal.start - HOURS, signal.end + HOURS) if grain == "hour" else (signal.start - BEFORE, signal.end + AFTER)
    )
    about = signal_words.about(signal, Filters(since=first.date(), until=last.date(), zone=view.zone))
    rows = data.read(f"watched_by_{grain}", about)
    left, right = st.columns(2) if signal.parts and signal.cause else (st.container(), None)
    with left:
        band = _band(signal, expected, grain, first, last)
        charts.signal_series(
            rows, column, band, grain=grain, event=(signal.start, signal.end), key=f"series_{signal.signal_id}"
        )
    if right:
        with right:
            parts = dict(
                zip(signal.parts, cents.adding_up([units.dollars(part) for part in signal.parts.values()]), strict=True)
            )
            spent = data.read("totals", signal_words.about(signal, _days(signal, view.zone))).first()["cost_usd"]
            usual = cents.rounded(spent or Decimal(0)) - sum(parts.values(), Decimal(0))
            steps = changes.between(("Usual", "These days"), usual, parts, f"causes/{signal}")
            card = cards.waterfall(
                steps,
                title="What the difference is made of",
                note="Cost of these days: what each cause added or took away, against what is usual.",
                alt="Causes of the difference",
            )
            charts.draw(card, key=f"causes_{signal.signal_id}")
            st.button(
                "Compare with the same weekdays before",
                key=f"compare_{signal.signal_id}",
                icon=":material/compare_arrows:",
                type="tertiary",
                on_click=_compare,
                args=(signal,),
            )


def _days(signal: Signal, zone: str) -> Filters:
    return Filters(since=signal.start.date(), until=(signal.end - timedelta(microseconds=1)).date(), zone=zone)


def _band(signal: Signal, expected: tuple[Expected, ...], grain: str, first: datetime, last: datetime) -> Rows:
    """The expected range, bucket by bucket: every day's own for spend, else the signal's over its own time."""
    known = [
        (of.day, float(of.low_usd), float(of.high_usd))
        for of in expected
        if signal.metric == "cost" and grain == "day" and (of.slice_kind, of.slice) == (signal.slice_kind, signal.slice)
        and first <= of.day <= last
    ]  # fmt: skip
    if not known:
        step = timedelta(hours=1) if grain == "hour" else timedelta(days=1)
        count = max(round((signal.end - signal.start) / step), 1)
        share = count if signal.metric in decisions.SUMS else 1
        known = [(signal.start + step * n, signal.low / share, signal.high / share) for n in range(count)]
    columns = {
        grain: [day for day, *_ in known],
        "low": [low for _, low, _ in known],
        "high": [high for *_, high in known],
    }
    return Rows(f"band/{signal}/{grain}", pa.table(columns))


def _stake(signal: Signal) -> str:
    return units.signed_money(units.dollars(signal.stake_usd)).replace("$", "\\$")


def _colour(signal: Signal) -> Literal["red", "green"]:
    return "red" if signal.stake_usd > 0 else "green"
