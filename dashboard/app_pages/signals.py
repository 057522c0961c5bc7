"""Signals: what is worth a look, by dollars at stake, and what was decided about it."""

import getpass

import streamlit as st

from dashboard import data, decisions, events, signal_cards
from dashboard.filter_bar import choose, current
from dashboard.settings import home
from queries import Filters

PER_PAGE = 10
METRICS = {"All metrics": ""} | {name: metric for metric, name in events.NAMES.items()}

view = current()
judged = data.signals(view.filters)
everything = data.signals(Filters(zone=view.zone))
if judged is None or everything is None:
    signal_cards.wait(view.zone)
    st.stop()
signal_cards.as_of(judged, view.zone)

with st.container(horizontal=True, vertical_alignment="bottom"):
    state = choose("State", "state", events.STATES)
    metric = METRICS[st.selectbox("Metric", list(METRICS), key="metric", bind="query-params", width=180)]
    user = getpass.getuser()
    who = st.text_input("Decided by", user, key="who", width=150, max_chars=60, help="Kept with each decision.") or user

chosen = signal_cards.address()
decided = decisions.settled(everything.findings.signals, decisions.standing(home()))
asked = events.grouped(of for of in judged.findings.signals if metric in ("", of.metric))
listed = [event for event in asked if state in ("all", event.state(decided))]
st.caption(signal_cards.counted(asked, decided))

pages = max(1, -(-len(listed) // PER_PAGE))
page = st.session_state.get("page", 1) if pages > 1 else 1
shown = listed[(min(page, pages) - 1) * PER_PAGE :][:PER_PAGE]
if not any(event.holds(chosen) for event in shown):
    known = events.grouped(everything.findings.signals)
    shown = [event for event in known if event.holds(chosen)] + shown
for event in shown:
    signal_cards.draw(view, event, decided, judged.findings.expected, by=who)
if not listed:
    signal_cards.nothing(state, bool(everything.findings.signals))
if pages > 1:
    st.pagination(pages, key="page", bind="query-params")
