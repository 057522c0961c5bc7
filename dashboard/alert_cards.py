"""Alerts on their page: what fires, every rule in a line, channels with their test, history, and the file itself."""

import os
from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import pyarrow as pa
import streamlit as st

from dashboard import alert_form, tables, units
from dashboard.alerts import evaluation, ledger, rules_file, times
from dashboard.alerts.ledger import Standing
from dashboard.alerts.messages import HEADINGS
from dashboard.alerts.parsing import SIGNALS, RulesRefused, parse
from dashboard.alerts.rules import Alert, BudgetWatch, Channel, MetricWatch, MissingWatch
from dashboard.data import Rows
from dashboard.names import display_name
from dashboard.rules_state import RulesState
from dashboard.settings import home

Colour = Literal["red", "orange", "gray", "green", "blue"]
COLOURS: dict[str, Colour] = {"firing": "red", "fault": "red", "pending": "orange", "ok": "green"}
ICONS = {
    "firing": ":material/notifications_active:",
    "fault": ":material/error:",
    "pending": ":material/hourglass_top:",
    "ok": ":material/check:",
}
EXAMPLE = """\
[channels.team]
kind = "apprise"
url_env = "OUTLAY_SLACK_URL"     # the variable that holds the address, never the address
"""


def firing(standings: Sequence[Standing], zone: str) -> None:
    """One line for everything that fires."""
    for of in standings:
        with st.container(border=True, gap="xsmall"):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.badge("Firing", icon=ICONS["firing"], color="red")
                st.markdown(f"**{display_name(of.rule, 'md')}**", width="content")
                st.caption(f"since {units.moment(of.state.since, zone)}", width="content")
                st.space("stretch")
                st.link_button("Look", of.link, type="tertiary", icon=":material/open_in_new:")
            st.markdown(display_name(of.sentence, "md", 600))


def rule(state: RulesState, alert: Alert, standings: Sequence[Standing], look: dict[str, Any] | None) -> None:
    """One rule: its state, what it watches, what it last saw, its switch and its form."""
    word = ledger.summary(alert.is_enabled, list(standings), look)
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(word.capitalize(), icon=ICONS.get(word), color=COLOURS.get(word, "gray"))
            st.markdown(f"**{display_name(alert.name, 'md')}**", width="content")
            st.space("stretch")
            if st.button("Edit", key=f"edit_{alert.name}", icon=":material/edit:", type="tertiary"):
                alert_form.edit(state, alert)
            st.toggle(
                "On",
                alert.is_enabled,
                key=f"on_{alert.name}",
                on_change=partial(_switch, state, alert.name),
                help="A rule that is off neither looks nor tells.",
            )
        st.caption(f"{_what(alert)} {_whom(alert)}")
        if look:
            seen = display_name(look["problem"] or look["value"], "md", 300)
            st.caption(f"Last look: {seen} · {units.moment(look['looked_at'], alert.filters.zone)}")


def channels(state: RulesState) -> None:
    """Every channel, whether its address is set, and a test."""
    if not state.rules.channels:
        st.caption("No channel is set up: alerts show on this page alone. Add one in the file, for example:")
        st.code(EXAMPLE, language="toml", wrap_lines=True)
    for channel in state.rules.channels.values():
        with st.container(border=True, gap="xsmall"):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                _address(channel)
                st.markdown(f"**{display_name(channel.name, 'md')}**", width="content")
                st.caption(f"{channel.kind}, address from {display_name(channel.url_env, 'md')}", width="content")
                st.space("stretch")
                is_asked = st.button("Send a test", key=f"test_{channel.name}", icon=":material/send:")
            if is_asked:
                with st.spinner("Sending …"):
                    problem = evaluation.try_channel(home(), state.rules, channel.name)
                if problem:
                    st.error(f"Not delivered: {display_name(problem, 'md', 300)}.")
                else:
                    st.success("Delivered.")


def history(zone: str) -> None:
    """What was told, and what became of each message."""
    told = ledger.history(home())
    if not told:
        st.caption("No alert has spoken so far.")
        return
    names = {"event": [HEADINGS[row["event"]] for row in told], "rule": [row["rule"] for row in told]}
    table = pa.table({"at": _column(told, "at"), **names, "reason": [row["sentence"] for row in told]})
    tables.draw(Rows(f"alert_history/{told}", table), key="alert_history", alt="What alerts told", zone=zone)
    sent = ledger.deliveries(home())
    if not sent:
        return
    st.subheader("Deliveries", anchor=False)
    columns = {name: _column(sent, name) for name in ("at", "rule", "channel", "status", "tries", "tried_at")}
    table = pa.table(columns | {"reason": [row["error"] or "" for row in sent]})
    tables.draw(Rows(f"alert_deliveries/{sent}", table), key="alert_deliveries", alt="Deliveries", zone=zone)


def editor(state: RulesState) -> None:
    """The file itself, checked before it is saved."""
    st.caption(f"{display_name(state.path, 'md', 300)} · keep it under version control: it holds no secret.")
    text = st.text_area("Rules", state.text, height=460, key=f"rules_{rules_file.version(state.text)}")
    with st.container(horizontal=True):
        is_saved = st.button("Check and save", type="primary")
        is_checked = st.button("Check")
    if not (is_saved or is_checked):
        return
    try:
        rules = parse(text, state.path.name)
    except RulesRefused as error:
        st.error("Not saved. These lines have mistakes:")
        st.code(str(error), language=None, wrap_lines=True)
        return
    problem = state.save(text) if is_saved else None
    if problem:
        st.error(display_name(problem, "md", 300))
    elif is_saved:
        st.toast("Saved. The next look goes by these rules.", icon=":material/check:")
        st.rerun()
    else:
        count = f"{len(rules.alerts)} alerts, {len(rules.budgets)} budgets, {len(rules.channels)} channels"
        st.success(f"This is a sound file: {count}.")


def _address(channel: Channel) -> None:
    missing = [name for name in (channel.url_env, channel.secret_env) if name and not os.environ.get(name)]
    if missing:
        names = " and ".join(missing)
        st.badge("Not set", icon=":material/key_off:", color="orange", help=f"Set {names} where Outlay runs.")
    else:
        st.badge("Set", icon=":material/key:", color="green")


def _switch(state: RulesState, name: str) -> None:
    is_on = bool(st.session_state[f"on_{name}"])
    put = partial(rules_file.put, section="alerts", name=name, values={"enabled": None if is_on else False})
    if problem := state.change(put):
        st.toast(display_name(problem, "md", 300), icon=":material/error:")


def _what(alert: Alert) -> str:
    """What a rule watches, in a sentence for Markdown."""
    watch, of = alert.watch, alert.filters
    only = [*of.features, *of.teams, *of.users, *of.models, *of.environments]
    whom = f" of {', '.join(display_name(name, 'md') for name in only[:3])}" if only else ""
    if isinstance(watch, MetricWatch):
        each = f", each {watch.each}" if watch.each else ""
        is_change = watch.comparison.endswith("_percent")
        limit = f"{watch.limit:f}%" if is_change else units.text(watch.column, watch.limit).replace("$", "\\$")
        words = alert_form.COMPARISONS[watch.comparison].removesuffix(", %").lower()
        said = f"{units.label(watch.column)}{whom}{each}: {words} {limit} over {times.said(watch.window)}."
    elif isinstance(watch, MissingWatch):
        said = f"No call{whom} is logged for {times.said(watch.after)}."
    elif isinstance(watch, BudgetWatch):
        which = ", ".join(display_name(name, "md") for name in watch.budgets) or "All budgets"
        said = f"{which}: every mark{', and when the rest will not last' if watch.projected else ''}."
    else:
        names = ", ".join(SIGNALS[name] for name in watch.metrics)
        said = f"Out of the ordinary{whom}: {names}, from {units.money(watch.least_usd)} at stake.".replace("$", "\\$")
    return said


def _whom(alert: Alert) -> str:
    names = ", ".join(display_name(name, "md") for name in alert.channels)
    quiet = f", but not from {alert.quiet.word}" if alert.quiet else ""
    return f"Tells {names}{quiet}." if names else "Tells nobody; it shows here."


def _column(rows: Sequence[dict[str, Any]], name: str) -> list[Any]:
    return [row[name] for row in rows]
