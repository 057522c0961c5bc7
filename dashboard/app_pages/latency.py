"""Latency: how long callers waited, and how much of it was hidden retrying."""

import streamlit as st

from dashboard import charts, data, tables, tiles, units
from dashboard.filter_bar import GRAINS, SLICES, choose, current

view = current()
PERCENTILES = ["p50_ms", "p90_ms", "p95_ms", "p99_ms"]
COVERAGE = ["timed_calls", "retry_known_rate", "ttft_known_calls"]
MEANING = {
    "": "What the caller waited, from the first attempt to the answer: hidden retries included.",
    "attempt_": "Successful attempts that are known to hide no retry.",
    "ttft_": "Time until the first token, where the logs say.",
}

said = tiles.row(view, ["p50_ms", "p95_ms", "p99_ms", "ttft_p95_ms"], ["latency"])
st.caption(
    f"Timed: {said['timed_calls']} of {said['calls']} calls. Retry data known for {said['retry_known_rate']} of calls. "
    f"Time to first token known for {said['ttft_known_calls']} calls. Batch calls are left out."
)

with st.container(horizontal=True, vertical_alignment="bottom"):
    prefix = choose("Measure", "measure", {"Caller's wait": "", "One attempt": "attempt_", "First token": "ttft_"})
    grain = choose("Per", "grain", GRAINS)
columns = [f"{prefix}{column}" for column in PERCENTILES]
over_time = data.read(f"latency_by_{grain}", view.filters)
charts.lines(
    view,
    over_time,
    columns,
    title="Over time",
    key="latency",
    note=MEANING[prefix],
    grain=grain,
    watched=["latency_p95"],
)

by = choose("Break down by", "slice", SLICES)
title = f"By {units.label(by).lower()}"
with charts.card(title, f"{MEANING[prefix]} Select a row to look at it alone."):
    rows = data.read(f"latency_by_{data.view_suffix(by)}", view.filters).pick(by, "calls", *columns, *COVERAGE)
    total = data.read("latency", view.filters).first()
    tables.draw(rows, key="latency_rows", alt=f"Latency {title}", total=total, opens=by)
