"""Alerts: what is watched, what fires, what was told to whom, and the rules file."""

import streamlit as st

from dashboard import alert_cards, alert_form, rules_state
from dashboard.alerts import ledger
from dashboard.filter_bar import choose
from dashboard.settings import home

REFRESHED_EVERY = "20s"

state = rules_state.current()
alerts = state.rules.alerts
standings, looks = ledger.standings(home()), ledger.looks(home())


# Rules are not in it: a form that is open would close.
@st.fragment(run_every=REFRESHED_EVERY)
def firing() -> None:
    """What fires now, looked up again while the page is open."""
    told = [of for of in ledger.standings(home()) if of.state.status == "firing" and of.rule in alerts]
    alert_cards.firing(told, state.rules.zone)


@st.fragment(run_every=REFRESHED_EVERY)
def history() -> None:
    """What was told and delivered, looked up again while the page is open."""
    alert_cards.history(state.rules.zone)


if state.problem:
    rules_state.complain(state)
elif not alerts:
    with st.container(border=True, key="empty", width=560):
        st.subheader("No alerts yet", icon=":material/notifications:", anchor=False)
        st.markdown(
            "An alert tells you once when a figure crosses a line, something is out of the ordinary, a budget runs out "
            "or the logs stay away, and once more when it is over. Messages go to Slack, e-mail, PagerDuty and a "
            "hundred other services, or to a signed webhook."
        )
        if st.button("Set up an alert", type="primary", icon=":material/add:"):
            alert_form.edit(state, None)
else:
    firing()

with st.container(horizontal=True, vertical_alignment="center"):
    shows = {"Rules": "rules", "History": "history", "Channels": "channels", "File": "file"}
    show = choose("Show", "show", shows)
    st.space("stretch")
    if alerts and st.button("New alert", icon=":material/add:"):
        alert_form.edit(state, None)

if show == "rules":
    for alert in alerts.values():
        alert_cards.rule(state, alert, [of for of in standings if of.rule == alert.name], looks.get(alert.name))
elif show == "history":
    history()
elif show == "channels":
    alert_cards.channels(state)
else:
    alert_cards.editor(state)
