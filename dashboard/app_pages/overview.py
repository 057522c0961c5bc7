"""Overview: what was spent, what changed, and whether anything needs a look."""

import streamlit as st

from dashboard import charts, month_end, signal_cards, tiles
from dashboard.filter_bar import current

view = current()
SPEND = "app_pages/spend.py"
MONEY = ["cost_usd", "calls", "cost_per_call_usd", "net_saving_usd"]
QUALITY = ["final_error_rate", "masked_rate", "truncation_rate", "p95_ms"]

said = tiles.row(
    view,
    MONEY + QUALITY,
    ["totals", "reliability", "truncation", "latency", "cache"],
    notes={
        "cost_usd": "At list price on the day of each call.",
        "net_saving_usd": "Saved by prompt caching, less what the writes cost extra.",
        "final_error_rate": "Calls that failed although they were tried again.",
        "masked_rate": "Calls that failed at first and succeeded on a retry.",
        "truncation_rate": "Answers that stopped at max_tokens.",
        "p95_ms": "95 of 100 callers waited at most this long, retries included.",
    },
)
st.caption(f"Retry data known for {said['retry_known_rate']} of calls: masked failures are a share of those.")

forecast = st.container()
title = f"Spend by {view.grain}"
charts.spend_over_time(view, "feature", view.grain, title=title, key="overview_spend", onwards=SPEND)
left, right = st.columns(2)
with left:
    charts.movers(view, "feature", title="What changed", key="overview_movers", onwards=SPEND)
with right:
    signal_cards.shortlist(view, title="Worth a look")
# Last, since it reads all of the past: what is above shows meanwhile.
with forecast:
    month_end.draw(view)
