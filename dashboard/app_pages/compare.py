"""What changed: two periods side by side, and what the difference is made of."""

import streamlit as st

from dashboard import changes, charts, data, exports, periods, tables, units
from dashboard.filter_bar import choose, current, show_days

DIMENSIONS = {"Feature": "feature", "Model": "model", "User": "user_id", "Team": "team"}

view = current()
if view.filters.since is None:
    st.markdown("All time has nothing before it to be compared with.")
    st.button("Compare the last 30 days", type="primary", on_click=show_days, args=("30 days",))
    st.stop()

with st.container(horizontal=True, vertical_alignment="bottom"):
    before = periods.choose_before(view.filters)
    by = choose("Break down by", "slice", DIMENSIONS)
names = periods.in_words(before), periods.in_words(view.filters)

found = data.explain(before, view.filters, by)
rows = changes.table(found, by, f"changes/{data.generation()}/{before}/{view.filters}/{by}")
st.markdown(changes.in_words(rows, found, by, names))

charts.waterfall(
    changes.steps(rows, names),
    title="From the one to the other",
    note=f"What each cause added or took away. {periods.prices_in_words(before, view.filters, rows)}",
    key="compare_waterfall",
    alt=f"Spend from {names[0]} to {names[1]}",
)

title = f"By {units.label(by).lower()} and cause"
total = tables.sums(rows)
with charts.card(title, "To the cent; rows and columns add up. Select a row to look at it alone."):
    tables.draw(rows, key="compare_rows", alt=title, total=total, opens=by)
    file = f"outlay-change-{view.filters.since}-{view.filters.until}.csv"
    st.download_button("Download CSV", exports.as_csv(rows, total), file, "text/csv", icon=":material/download:")
