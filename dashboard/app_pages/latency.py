"""Latency: how long callers waited, and how much of it was hidden retrying."""

import streamlit as st

from dashboard import charts, data, signal_words, tiles
from dashboard.filter_bar import choose, current
from dashboard.reports import latency
from dashboard.view import GRAINS, SLICES

view = current()
said = tiles.row(view, *latency.TILES)
st.caption(
    f"Timed: {said['timed_calls']} of {said['calls']} calls. Retry data known for {said['retry_known_rate']} of calls. "
    f"Time to first token known for {said['ttft_known_calls']} calls. Batch calls are left out. "
    + latency.exactness(data, view)
)

with st.container(horizontal=True, vertical_alignment="bottom"):
    measure = choose("Measure", "measure", latency.MEASURES)
    grain = choose("Per", "grain", GRAINS)
marks = signal_words.marks(view.filters, ["latency_p95", "typical_latency"])
charts.draw(latency.over_time(data, view, measure, grain), key="latency", marks=marks)

by = choose("Break down by", "slice", SLICES)
charts.draw(latency.breakdown(data, view, measure, by), key="latency_rows")
