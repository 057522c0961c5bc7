"""Savings: what could be saved, by dollars a month, with the evidence; and whether what was done has worked."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import streamlit as st

from dashboard import charts, data, units
from dashboard.advice import cards, figures, kept, ranked, words
from dashboard.advice.finding import Found
from dashboard.advice.kept import Decision
from dashboard.filter_bar import View, choose, current
from dashboard.settings import home

STATES = {"Open": "open", "Done": "done", "Dismissed": "dismissed"}


def measures(view: View, found: Found, decided: Mapping[str, Decision], state: str, least: int) -> None:
    """The measures in a state, under what they come to together."""
    listing = ranked.listing(found, decided, state, Decimal(least))
    plan, sure, bounds = listing.plan, listing.sure, listing.bounds
    low, high = sum((of.low for of in sure), Decimal(0)), sum((of.high for of in sure), Decimal(0))

    with st.grid(4, min_column_width=150, gap="small"):
        share = plan.saving_usd / plan.spend_usd if plan.spend_usd else Decimal(0)
        st.metric("Could be saved a month", units.money(found.monthly(plan.saving_usd)), border=True)
        st.metric("Likely range a month", " – ".join(dict.fromkeys((units.money(low), units.money(high)))), border=True)
        st.metric("Share of spend", units.percent(float(share)), border=True)
        st.metric("Spend in the period", units.money(plan.spend_usd), border=True)
    many = words.counted(len(sure), "measure")
    st.caption(
        f"Of {units.money(plan.spend_usd)} spent in {found.days} days, {many} would have saved "
        f"{units.money(plan.saving_usd)} in all: applied one after another, so that nothing counts twice. The measures "
        "below add up to it. A month is 30 days.".replace("$", "\\$")
    )

    for entry in sure:
        cards.draw(view, found, entry, decided.get(entry.measure.measure_id))
    if bounds:
        st.subheader("Worth a question", anchor=False)
        st.caption("Up to so much. What the logs cannot tell decides; none of it is in the total.")
    for entry in bounds:
        cards.draw(view, found, entry, decided.get(entry.measure.measure_id))
    if not sure and not bounds:
        with st.container(border=True, width=560):
            if state == "open":
                st.subheader("Nothing to advise", icon=":material/check_circle:", anchor=False)
                st.markdown(f"No measure would have saved {units.money(Decimal(least))} a month.".replace("$", "\\$"))
            else:
                st.markdown("Nothing is dismissed.")
    if hidden := len(listing.silent):
        st.caption(f"{words.counted(hidden, 'measure')} under the threshold not shown.")


def outcomes(view: View, done: Sequence[Decision]) -> None:
    """What was done, and whether it worked."""
    for decision in done:
        cards.outcome(view, decision)
    if not done:
        st.caption("Nothing is marked as done. Mark a measure with the day on which you made the change.")


view = current()
decided = kept.standing(home())
with st.container(horizontal=True, vertical_alignment="bottom"):
    state = choose("State", "state", STATES)
    least = st.number_input(
        "Hide under, \\$ a month", 0, 1_000_000, 25, key="least", bind="query-params", width=180,
        help="Measures worth less stay silent.",
    )  # fmt: skip

if state == "done":
    outcomes(view, [decision for decision in decided.values() if decision.kind == "done"])
elif found := cards.found(view):
    measures(view, found, decided, state, least)
    if st.toggle("Look further", key="further", bind="query-params", help="Other limits, conversations that grow."):
        charts.draw(figures.limits(data, view), key="limit_rows")
        charts.draw(figures.conversations(data, view), key="conversation_rows")
