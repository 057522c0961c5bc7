"""The line under every page that says how far the numbers can be trusted."""

import streamlit as st

from dashboard import data, tiles, units
from dashboard.filter_bar import View
from dashboard.names import display_name


def draw(view: View) -> None:
    """Data through when, loads, refused lines, unpriced attempts, unattributed share, zone and price list."""
    fresh = data.read("freshness").first()
    now = tiles.figures(view.filters, "totals")
    spent, unattributed = now["cost_usd"] or 0, now["unattributed_cost_usd"] or 0
    priced_on = max((day for day in data.read("price_list")["effective_from"] if day), default=None)
    said = [
        f"Data through {units.moment(fresh['last_started_at'], view.zone)}",
        f"{fresh['loads']:,} loads",
        f"{fresh['refused_records']:,} lines refused",
        f"{now['unpriced_attempts']:,} of {now['attempts']:,} attempts without a price",
        f"{units.percent(float(unattributed / spent)) if spent else '0%'} of spend unattributed",
        f"price list of {units.day(priced_on)}" if priced_on else "no price list",
        f"days cut in {display_name(view.zone, 'md')}",
    ]
    st.caption(" · ".join(said))
