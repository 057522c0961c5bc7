"""Overview: what was spent, what changed, and whether anything needs a look."""

import streamlit as st

from dashboard import charts, data, filter_bar, signal_cards, signal_words, tiles
from dashboard.filter_bar import current
from dashboard.reports import overview

SPEND = "app_pages/spend.py"


def causes() -> None:
    """The way from what changed to why."""
    st.button(
        "See the causes",
        key="overview_movers_causes",
        type="tertiary",
        icon=":material/compare_arrows:",
        on_click=filter_bar.jump,
        args=("app_pages/compare.py",),
    )


view = current()
said = tiles.row(view, *overview.TILES)
st.caption(f"Retry data known for {said['retry_known_rate']} of calls: masked failures are a share of those.")

forecast = st.container()
marks = signal_words.marks(view.filters, signal_words.COST)
charts.draw(overview.spend(data, view), key="overview_spend", marks=marks, onwards=SPEND)
left, right = st.columns(2)
with left:
    charts.draw(overview.changed(data, view), key="overview_movers", onwards=SPEND, below=causes)
with right:
    signal_cards.shortlist(view, title="Worth a look")
# Last, since it reads all of the past: what is above shows meanwhile.
with forecast:
    if seen := data.forecast(view.filters):
        charts.draw(overview.month_end(seen), key="month_end")
