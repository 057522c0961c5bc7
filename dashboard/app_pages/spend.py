"""Spend: who and what the money went to."""

import streamlit as st

from dashboard import charts, data, tables, tiles, units
from dashboard.filter_bar import GRAINS, SLICES, choose, current

view = current()

tiles.row(
    view,
    ["cost_usd", "calls", "cost_per_call_usd", "unattributed_cost_usd"],
    ["totals"],
    notes={"unattributed_cost_usd": "Spend of calls that name no feature."},
)

with st.container(horizontal=True, vertical_alignment="bottom"):
    by = choose("Group by", "by", SLICES | {"Token class": "token_class"})
    grain = choose("Per", "grain", GRAINS)
charts.spend_over_time(view, by, grain, title=f"Spend by {grain}", key="spend")

title = f"Spend by {units.label(by).lower()}"
rows = data.read(f"spend_by_{data.view_suffix(by)}", view.filters)
if by == "token_class":
    with charts.card(title, "Tokens by how they are billed; web searches are counted one by one."):
        tables.draw(rows, key="spend_classes", alt=title, total=tables.sums(rows))
else:
    with charts.card(title, "Select a row to look at it alone."):
        per_call = data.read("totals", view.filters).first()["cost_per_call_usd"]
        total = tables.sums(rows, cost_share_rate=1, cost_per_call_usd=per_call)
        tables.draw(rows, key="spend_rows", alt=title, total=total, opens=by)
