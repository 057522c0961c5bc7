"""Reliability: errors before and after retries, and what retries hide."""

import streamlit as st

from dashboard import charts, data, error_words, signal_words, tiles
from dashboard.filter_bar import SLICES, choose, current
from dashboard.reports import reliability

view = current()
said = tiles.row(view, *reliability.TILES)
coverage = f"Retry data known for {said['retry_known_rate']} of calls."
st.caption(f"{coverage} Failures after retries are counted over all {said['calls']} calls.")

for sentence in error_words.lasting(data.errors_pass("feature", view.filters)):
    st.warning(sentence, icon=":material/report:")

marks = signal_words.marks(view.filters, signal_words.ERRORS)
charts.draw(reliability.over_time(data, view), key="reliability", marks=marks)
for name, card in zip(("errors", "error_types"), reliability.errors(data, view), strict=True):
    charts.draw(card, key=name, zone=view.zone)
for name, card in zip(("error_patterns", "headroom", "unlinked"), reliability.patterns(data, view), strict=True):
    if len(card.rows):
        charts.draw(card, key=name)
by = choose("Break down by", "slice", SLICES)
charts.draw(reliability.breakdown(data, view, by), key="reliability_rows")
