"""Truncation: answers cut off at max_tokens, and the ceilings they hit."""

import streamlit as st

from dashboard import charts, data, signal_words, tiles
from dashboard.filter_bar import choose, current
from dashboard.reports import truncation

view = current()
said = tiles.row(view, *truncation.TILES)
st.caption(
    f"Of {said['responses']} answers that say why they ended, {said['truncation_rate_low']} to "
    f"{said['truncation_rate_high']} are cut off in the long run (95 % interval). max_tokens is known for "
    f"{said['ceiling_known_calls']}."
)

marks = signal_words.marks(view.filters, ["truncation_rate"])
charts.draw(truncation.over_time(data, view), key="truncation", marks=marks)
charts.draw(truncation.by_feature(data, view), key="cut_features")
target = choose("Cut at most", "target", truncation.TARGETS, "1 %")
charts.draw(truncation.ceilings(data, view, target), key="ceilings")
if len((again := truncation.asked_again(data, view)).rows):
    charts.draw(again, key="asked_again")
