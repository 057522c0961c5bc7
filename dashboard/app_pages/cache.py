"""Cache: what prompt caching saved, net of what the writes cost extra."""

import streamlit as st

from dashboard import charts, data, signal_words, tiles
from dashboard.filter_bar import SLICES, choose, current
from dashboard.reports import cache

view = current()
said = tiles.row(view, *cache.TILES)
st.caption(
    f"The same traffic without caching would have cost {said['uncached_cost_usd']}; it cost {said['cost_usd']}. "
    f"{said['write_ttl_assumed_attempts']} attempts don't say how long their writes live: priced as 5-minute writes."
)

marks = signal_words.marks(view.filters, ["cache_hit_rate"])
charts.draw(cache.hit_rate(data, view), key="hit_rate", marks=marks)
charts.draw(cache.savings(data, view), key="savings")
charts.draw(cache.prompt_tokens(data, view), key="prompt")
by = choose("Break down by", "slice", SLICES)
charts.draw(cache.breakdown(data, view, by), key="cache_rows")
charts.draw(cache.workloads(data, view), key="workload_rows")
charts.draw(cache.breaks(data, view), key="break_rows")
