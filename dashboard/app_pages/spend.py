"""Spend: who and what the money went to."""

import streamlit as st

from dashboard import charts, data, signal_words, tiles
from dashboard.filter_bar import choose, current
from dashboard.reports import spend
from dashboard.view import GRAINS

view = current()
tiles.row(view, *spend.TILES)

with st.container(horizontal=True, vertical_alignment="bottom"):
    by = choose("Group by", "by", spend.BY)
    grain = choose("Per", "grain", GRAINS)
marks = signal_words.marks(view.filters, signal_words.COST)
charts.draw(spend.over_time(data, view, by, grain), key="spend", marks=marks)
charts.draw(spend.breakdown(data, view, by), key="spend_rows")
