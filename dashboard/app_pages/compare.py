"""What changed: two periods side by side, and what the difference is made of."""

import streamlit as st

from dashboard import changes, charts, data, periods
from dashboard.filter_bar import choose, current, show_days
from dashboard.reports import compare

view = current()
if view.filters.since is None:
    st.markdown("All time has nothing before it to be compared with.")
    st.button("Compare the last 30 days", type="primary", on_click=show_days, args=("30 days",))
    st.stop()

with st.container(horizontal=True, vertical_alignment="bottom"):
    view = compare.against(view, **periods.choose_against(view))
    by = choose("Break down by", "slice", compare.DIMENSIONS)

found = data.explain(view.before or view.filters, view.filters, by)
rows = compare.table(found, view, by)
st.markdown(changes.in_words(rows, found, by, (view.before_period, view.period)))
charts.draw(compare.waterfall(data, view, rows), key="compare_waterfall")
charts.draw(compare.breakdown(rows, by), key="compare_rows")
