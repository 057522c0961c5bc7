"""Reconciliation: the bill against the logs, and what the difference is made of."""

import streamlit as st

from dashboard import charts, data, tiles, trust_line
from dashboard.filter_bar import current
from dashboard.reconciling import sentence
from dashboard.reports import reconciliation

asked = current()
view = reconciliation.against(asked)
total = data.read("reconciliation", view.filters).first()
if not total or total["billed_usd"] is None:
    with st.container(border=True, key="no_bill", width=640):
        st.subheader("No bill of these days", icon=":material/receipt_long:", anchor=False)
        st.markdown(
            "Outlay sets what Anthropic billed against what was logged, and says what the difference is made of. "
            "It reads the usage and cost reports (JSON) and the Console's CSV exports of them: drop them on the "
            "page Upload, or use a terminal."
        )
        st.code("outlay bill import FILE…\noutlay bill fetch --since 2026-11-01", language=None)
    trust_line.draw(asked)
    st.stop()  # there is nothing to export or to share

tiles.row(view, *reconciliation.TILES)
st.markdown(sentence(total).replace("$", "\\$"))
notes = []
if asked.filters.features or asked.filters.models or asked.filters.users or asked.filters.teams:
    notes.append("A bill knows no features, users or teams: filters other than the period do not apply here.")
if total["open_days"]:
    notes.append(f"The bill of {total['open_days']} of these days is from before the day was closed.")
if total["usage_known_days"] < total["days"]:
    notes.append("Usage reports of all days would tell more causes apart: missing logs, tiers, calls on another bill.")
if notes:
    st.caption(" ".join(notes))
for place, card in enumerate(reconciliation.content(data, view)):
    charts.draw(card, key=f"reconciliation_{place}")
