"""Cache: what prompt caching saved, net of what the writes cost extra."""

import streamlit as st

from dashboard import charts, data, tables, tiles, units
from dashboard.filter_bar import SLICES, choose, current

view = current()
TOKENS = ["cache_read_tokens", "cache_write_tokens"]
MONEY = ["gross_saving_usd", "write_premium_usd"]

said = tiles.row(
    view,
    ["cache_hit_rate", "net_saving_usd", *MONEY],
    ["cache"],
    notes={
        "cache_hit_rate": "Tokens read from cache, out of all prompt tokens.",
        "net_saving_usd": "Saved by reads less the extra price of writes.",
        "gross_saving_usd": "What cache reads would have cost as plain input, less what they did cost.",
        "write_premium_usd": "What cache writes cost above plain input.",
    },
)
st.caption(
    f"The same traffic without caching would have cost {said['uncached_cost_usd']}; it cost {said['cost_usd']}. "
    f"{said['write_ttl_assumed_attempts']} attempts don't say how long their writes live: priced as 5-minute writes."
)

days = data.read("cache_by_day", view.filters)
note = "Above the line: saved by reads. Below: extra paid for writes."
charts.lines(view, days, ["cache_hit_rate"], title="Hit rate over time", key="hit_rate", watched=["cache_hit_rate"])
charts.bars_over_time(view, days, MONEY, title="Saved and paid", key="savings", below=MONEY[1:], note=note)
charts.bars_over_time(view, days, [*TOKENS, "uncached_input_tokens"], title="Prompt tokens", key="prompt")

by = choose("Break down by", "slice", SLICES)
title = f"By {units.label(by).lower()}"
with charts.card(title, "Select a row to look at it alone."):
    rows = data.read(f"cache_by_{data.view_suffix(by)}", view.filters)
    shown = rows.pick(by, "cache_hit_rate", *TOKENS, "read_per_write", *MONEY, "net_saving_usd", "uncached_cost_usd")
    total = data.read("cache", view.filters).first()
    tables.draw(shown, key="cache_rows", alt=f"Caching {title}", total=total, opens=by)
