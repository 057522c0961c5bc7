"""The form in which an alert of a common kind is set up, changed or taken away; it writes the rules file."""

from datetime import time
from functools import partial
from typing import Any

import streamlit as st

from dashboard import budget_form, units
from dashboard.alerts import rules_file, times
from dashboard.alerts.parsing import SIGNALS, number_columns
from dashboard.alerts.rules import (
    KINDS,
    METRICS,
    SLICES,
    Alert,
    BudgetWatch,
    MetricWatch,
    MissingWatch,
    SignalsWatch,
    view_of,
)
from dashboard.rules_state import RulesState

COMPARISONS = {
    "above": "Above",
    "below": "Below",
    "rises_by_percent": "Rises by more than, %",
    "falls_by_percent": "Falls by more than, %",
}
WINDOWS = ("1 hour", "6 hours", "1 day", "1 week", "30 days")
AGAIN = {"Never": None, "After 1 hour": "1 hour", "After 4 hours": "4 hours", "After 1 day": "1 day"}
HOLDS = {"At once": None, "10 minutes": "10 minutes", "1 hour": "1 hour", "1 day": "1 day"}
# Keys that belong to one kind alone: changing the kind takes the others out of the file.
KEYS = {
    "metric": ("metric", "column", "window", "each", "least_count", *COMPARISONS),
    "signals": ("metrics", "slices", "least_usd", "recent"),
    "budget": ("budgets", "projected"),
    "missing": ("after",),
}


@st.dialog("Alert", width="medium")
def edit(state: RulesState, alert: Alert | None) -> None:
    """Ask for everything an alert is; None sets up a new one."""
    left, right = st.columns(2)
    name = left.text_input(
        "Name", alert.name if alert else "", max_chars=60, disabled=alert is not None, key=state.key("Name")
    )
    kinds = list(KINDS)
    kind = right.selectbox(
        "When", kinds, kinds.index(alert.kind) if alert else 0, format_func=KINDS.__getitem__, key=state.key("When")
    )
    watch = alert.watch if alert and alert.kind == kind else None
    table: dict[str, Any] = dict.fromkeys(key for keys in KEYS.values() for key in keys) | {"kind": kind}
    table |= _watch(kind, watch, state)
    zone = alert.filters.zone if alert else state.rules.zone
    if kind != "budget":
        table |= budget_form.narrow(state, alert.filters if alert else None)
    table |= _telling(alert, state)
    zone = budget_form.zone_of(state, st, zone)
    table["zone"] = None if zone == state.rules.zone else zone
    with st.container(horizontal=True):
        if st.button("Save", type="primary", key=state.key("Save")):
            if not name.strip() or (alert is None and name.strip() in state.rules.alerts):
                st.error("Give the alert a name that no other has.")
            else:
                put = partial(rules_file.put, section="alerts", name=name.strip(), values=table)
                budget_form.done(state.change(put))
        st.space("stretch")
        if alert and st.button("Delete", icon=":material/delete:", type="tertiary", key=state.key("Delete")):
            budget_form.done(state.change(partial(rules_file.remove, section="alerts", name=alert.name)))


def _watch(kind: str, watch: Any, state: RulesState) -> dict[str, Any]:
    """What only this kind of alert asks."""
    if kind == "metric":
        return _metric(state, watch)
    if kind == "signals":
        return _signals(state, watch)
    if kind == "budget":
        told = watch or BudgetWatch((), True)
        chosen = st.multiselect(
            "Budgets", list(state.rules.budgets), told.budgets, placeholder="All", key=state.key("Budgets")
        )
        is_ahead = st.toggle(
            "Also when one is expected to run out",
            told.projected,
            key=state.key("Also when one is expected to run out"),
        )
        return {"budgets": chosen or None, "projected": is_ahead}
    told = watch or MissingWatch(times.length("6 hours"))
    after = times.said(told.after)
    known = list(dict.fromkeys([after, "1 hour", "6 hours", "1 day", "3 days"]))
    return {"after": st.selectbox("No call is logged for", known, key=state.key("No call is logged for"))}


def _metric(state: RulesState, watch: MetricWatch | None) -> dict[str, Any]:
    left, right = st.columns(2)
    metrics = list(METRICS)
    metric = left.selectbox(
        "Figure",
        metrics,
        metrics.index(watch.metric) if watch else 0,
        format_func=str.capitalize,
        key=state.key("Figure"),
    )
    words = {word: f"Each {word}" for word in SLICES if number_columns(view_of(metric, word))}
    slices = [None, *words]
    each = right.selectbox(
        "Of",
        slices,
        slices.index(watch.each) if watch and watch.each in slices else 0,
        format_func=lambda word: words.get(word, "Everything together"),
        key=state.key("Of"),
    )
    columns = number_columns(view_of(metric, each))
    column = st.selectbox(
        "Which",
        columns,
        columns.index(watch.column) if watch and watch.column in columns else 0,
        format_func=units.label,
        key=state.key("Which"),
    )
    comparison, limit, window = st.columns(3)
    known = list(COMPARISONS)
    compared = comparison.selectbox(
        "Is",
        known,
        known.index(watch.comparison) if watch else 0,
        format_func=COMPARISONS.__getitem__,
        key=state.key("Is"),
    )
    before = f"{watch.limit:f}" if watch else ""
    told = limit.text_input(
        "Line", before, placeholder="0.05", help="A share is written as a number: 0.05 is 5%.", key=state.key("Line")
    )
    spans = list(dict.fromkeys([*([times.said(watch.window)] if watch else ["1 day"]), *WINDOWS]))
    span = window.selectbox("Over the last", spans, key=state.key("Over the last"))
    least = st.number_input(
        "Only with at least so many calls",
        0,
        1_000_000,
        watch.least if watch else 20,
        help="Shares of a few calls say little.",
        key=state.key("Only with at least so many calls"),
    )
    return {"metric": metric, "column": column, "each": each, compared: told, "window": span, "least_count": least}


def _signals(state: RulesState, watch: SignalsWatch | None) -> dict[str, Any]:
    known = list(SIGNALS)
    chosen = st.multiselect(
        "Of",
        known,
        watch.metrics if watch else ("cost",),
        format_func=lambda name: SIGNALS[name].capitalize(),
        key=state.key("Of"),
    )
    least = st.text_input(
        "From so many dollars at stake",
        f"{watch.least_usd:f}" if watch else "50",
        key=state.key("From so many dollars at stake"),
    )
    st.caption("What was acknowledged, muted or expected on the Signals page stays silent.")
    return {"metrics": chosen or None, "least_usd": least}


def _telling(alert: Alert | None, state: RulesState) -> dict[str, Any]:
    """Whom to tell, how often, and when not."""
    channels = list(state.rules.channels)
    nobody = "Nobody: it shows on this page alone" if channels else "No channel is set up in the rules file yet"
    told = alert.channels if alert else channels
    chosen = st.multiselect("Tell", channels, told, placeholder=nobody, key=state.key("Tell"))
    left, middle, right = st.columns(3)
    hold = _length(state, left, "Once it has lasted", HOLDS, alert and alert.hold)
    again = _length(state, middle, "Tell again while it lasts", AGAIN, alert and alert.again_after)
    quiet = alert.quiet if alert else None
    hours = None
    with right:
        is_quiet = st.toggle("Quiet hours", quiet is not None, key=state.key("Quiet hours"))
    if is_quiet:
        begin, end, what = st.columns(3)
        start = begin.time_input("From", quiet.start if quiet else time(22), key=state.key("From"))
        until = end.time_input("To", quiet.end if quiet else time(7), key=state.key("To"))
        hours = f"{start:%H:%M} to {until:%H:%M}"
        ways = {"deliver later": "Tell when they end", "keep": "Keep it on this page"}
        kept = list(ways).index(alert.in_quiet) if alert else 0
        keep = what.selectbox("Meanwhile", list(ways), kept, format_func=ways.__getitem__, key=state.key("Meanwhile"))
    names = st.toggle(
        "User ids may stand in messages",
        alert.names_users if alert else False,
        key=state.key("User ids may stand in messages"),
    )
    return {
        "channels": chosen or None,
        "hold": hold,
        "again_after": again,
        "quiet_hours": hours,
        "in_quiet_hours": keep if is_quiet and keep == "keep" else None,
        "names_users": names or None,
    }


def _length(state: RulesState, place: Any, label: str, known: dict[str, str | None], now: Any) -> str | None:
    """A choice of lengths of time; one that the file has and the list lacks is kept."""
    word = times.said(now) if now else None
    choices = known if word in known.values() else known | {str(word): word}
    shown = next(label for label, value in choices.items() if value == word)
    return choices[place.selectbox(label, list(choices), list(choices).index(shown), key=state.key(label))]
