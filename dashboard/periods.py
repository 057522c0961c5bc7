"""The period that the comparison is made with."""

from datetime import date

import streamlit as st

from dashboard.filter_bar import View, choose
from dashboard.reports import compare


def choose_against(view: View) -> dict[str, str]:
    """What the comparison's switches say: against what, and the two days where it asks for them."""
    against = choose("Against", "against", compare.AGAINST)
    before = view.filters.previous()
    if against != "other" or before.since is None or before.until is None:
        return {"against": against}
    chosen = st.date_input(
        "From and to, both days included",
        (before.since, before.until),
        key="against_days",
        bind="query-params",
        format="DD.MM.YYYY",
        width=240,
    )
    days = [day for day in chosen if isinstance(day, date)] if isinstance(chosen, tuple) else []
    return {"against": against, "against_days": " ".join(day.isoformat() for day in days)}
