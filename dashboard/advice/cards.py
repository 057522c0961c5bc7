"""One measure as a card: what it saves, what to change, the calls behind it, and the buttons to decide."""

import getpass
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import partial

import pyarrow as pa
import streamlit as st

from dashboard import data, tables, units
from dashboard.advice import kept, words
from dashboard.advice.finding import Found, Measure
from dashboard.advice.kept import Decision
from dashboard.advice.ranked import Entry
from dashboard.data import Rows
from dashboard.filter_bar import View, jump
from dashboard.names import display_name
from dashboard.settings import home


def found(view: View) -> Found | None:
    """What was found. While there is nothing to show says why, shows it as soon as it is there, and gives None."""
    told = data.advice(view.filters)
    if told is None:
        _wait(view)
    elif told.problem:
        st.warning(told.problem, icon=":material/error:")
    elif not told.is_current:
        st.caption("Newer data has come in. Its advice is being worked out; it shows when you look again.")
    return told if told and told.days else None


@st.fragment(run_every=1.0)
def _wait(view: View) -> None:
    if data.advice(view.filters) is not None:
        st.rerun()
    st.info(
        "Every call is being looked at. Advice appears here by itself in some seconds.", icon=":material/hourglass:"
    )


def draw(view: View, found: Found, entry: Entry, decision: Decision | None) -> None:
    """One measure."""
    measure = entry.measure
    told = words.of(measure.kind, measure.step)
    is_bound = measure.level == "C"
    key = measure.measure_id
    with st.container(border=True, gap="xsmall", key=f"measure_{key}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            amount = units.money(entry.shown).replace("$", "\\$")
            st.badge(f"{'up to ' if is_bound else ''}{amount} a month", color="gray" if is_bound else "green")
            st.markdown(f"**{words.title(measure.kind, measure.step, measure.feature, measure.model)}**")
        spread = "" if is_bound else f"Likely {words.range_of(entry.low, entry.high)} a month. "
        alone = units.money(found.monthly(measure.saving_usd)).replace("$", "\\$")
        spend = units.money(found.monthly(measure.spend_usd)).replace("$", "\\$")
        st.markdown(told.why)
        st.caption(f"{spread}Alone {alone}, of {spend} that this work costs. {words.LEVELS[measure.level]}.")
        with st.expander("What to change", icon=":material/build:"):
            st.markdown(told.change)
            if example := words.example(measure):
                st.code(example, language="python")
            st.markdown(f"**Mind:** {told.risk}")
        with st.expander("Why we think so", icon=":material/search:"):
            _evidence(view, found, measure)
        _buttons(view, measure, decision)


def _evidence(view: View, found: Found, measure: Measure) -> None:
    if said := words.evidence(measure):
        st.markdown("\n".join(f"- {line}" for line in said))
    if measure.assumptions:
        st.markdown(f"Taken for granted: {'; '.join(measure.assumptions)}.")
    users = measure.evidence.get("users")
    if isinstance(users, list) and users:
        tables.draw(
            Rows(f"users/{data.generation()}/{view.filters}/{measure.measure_id}", pa.Table.from_pylist(users)),
            key=f"users_{measure.measure_id}", alt="Who sends them",
        )  # fmt: skip
    ids = found.ground.examples["measure_id"].to_pylist()
    rows = found.ground.examples.filter(pa.array([of == measure.measure_id for of in ids])).drop_columns(["measure_id"])
    if rows.num_rows:
        st.caption(f"The {rows.num_rows} calls on which it would have saved most.")
        key = f"calls/{data.generation()}/{view.filters}/{measure.measure_id}"
        alt = "Calls on which it would have saved most"
        tables.draw(Rows(key, rows), key=f"calls_{measure.measure_id}", alt=alt, zone=view.zone)
    if measure.feature:
        st.button(
            "See all its calls on Spend",
            key=f"see_{measure.measure_id}",
            type="tertiary",
            icon=":material/chevron_right:",
            on_click=jump,
            args=("app_pages/spend.py",),
            kwargs={"feature": [measure.feature]},
        )


def _buttons(view: View, measure: Measure, decision: Decision | None) -> None:
    key, by = measure.measure_id, getpass.getuser()
    with st.container(horizontal=True, gap="small"):
        if decision:
            st.button("Undo", key=f"undo_{key}", icon=":material/undo:", on_click=kept.undo, args=(home(), key, by))
            return
        with st.popover("Mark as done", icon=":material/check:"):
            newest = view.filters.until or date.today()
            day = st.date_input("Done on", newest, key=f"day_{key}", format="DD.MM.YYYY")
            since = day if isinstance(day, date) else newest
            st.button("Save", key=f"done_{key}", on_click=partial(kept.decide, home(), "done", measure, by, since))
        st.button(
            "Dismiss",
            key=f"dismiss_{key}",
            icon=":material/close:",
            on_click=partial(kept.decide, home(), "dismissed", measure, by),
        )


def outcome(view: View, decision: Decision) -> None:
    """Whether a measure that was marked as done worked."""
    seen = data.effect(decision, replace(view.filters, since=None))
    day = units.day(decision.since) if decision.since else ""
    with st.container(border=True, gap="xsmall", key=f"outcome_{decision.measure_id}"):
        said = words.title(decision.measure_kind, decision.step, decision.feature, decision.model)
        st.markdown(f"**{said}**")
        who = f"Done on {day}, says {display_name(decision.decided_by, 'md')}."
        if seen.verdict == "too early" or None in (seen.saved_usd, seen.low_usd, seen.high_usd, seen.expected_usd):
            st.markdown(
                f"Too early to tell: {seen.days_before} days and {seen.calls_before:,} calls before, "
                f"{seen.days_after} days and {seen.calls_after:,} calls after. "
                "It takes seven days and a hundred calls on each side."
            )
            st.caption(who)
        else:
            money = {
                name: units.money(amount).replace("$", "\\$")
                for name in ("saved_usd", "low_usd", "high_usd", "expected_usd")
                if isinstance(amount := getattr(seen, name), Decimal)
            }
            verdict = {
                "saved": f"It worked: {money['saved_usd']} saved since",
                "cost more": f"It cost more: {money['saved_usd']} saved since",
                "no difference to be seen": f"No difference can be seen: {money['saved_usd']} since",
            }[seen.verdict]
            st.markdown(f"{verdict} ({money['low_usd']} to {money['high_usd']}, nineteen times out of twenty).")
            compared = units.percent(seen.compared_rate or 0)
            st.caption(
                f"{who} {seen.calls_after:,} calls on {seen.days_after} days after it would have cost "
                f"{money['expected_usd']} at what calls of the same model and weekday cost on the {seen.days_before} "
                f"days before. {compared} of them could be compared."
            )
        by = getpass.getuser()
        st.button(
            "Undo", key=f"undo_done_{decision.measure_id}", icon=":material/undo:", on_click=kept.undo,
            args=(home(), decision.measure_id, by),
        )  # fmt: skip
