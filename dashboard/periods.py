"""The two periods that the comparison sets side by side, and the list prices that changed between them."""

from dataclasses import replace
from datetime import date, timedelta

import streamlit as st

from dashboard import data, units
from dashboard.data import Rows
from dashboard.filter_bar import choose
from dashboard.names import display_name
from queries import Filters

AGAINST = {"Period before": "before", "Same weekdays before": "weekdays", "Other days": "other"}


def choose_before(after: Filters) -> Filters:
    """The period to compare with: a switch, and two days where it asks for them."""
    against = choose("Against", "against", AGAINST)
    before = after.previous()
    if against == "weekdays":
        return same_weekdays_before(after)
    if against == "before" or before.since is None or before.until is None:
        return before
    chosen = st.date_input(
        "From and to, both days included",
        (before.since, before.until),
        key="against_days",
        bind="query-params",
        format="DD.MM.YYYY",
        width=240,
    )
    days = [day for day in chosen if isinstance(day, date)] if isinstance(chosen, tuple) else []
    return replace(after, since=days[0], until=days[-1]) if days else before


def same_weekdays_before(after: Filters) -> Filters:
    """The same days of the week, so many whole weeks earlier that the periods do not touch."""
    if after.since is None or after.until is None:
        raise ValueError("Only a period with a first and a last day has one before it.")
    weeks = timedelta(weeks=(after.until - after.since).days // 7 + 1)
    return replace(after, since=after.since - weeks, until=after.until - weeks)


def in_words(filters: Filters) -> str:
    """The days of a period."""
    return units.period(filters.since, filters.until) if filters.since and filters.until else "all time"


def prices_in_words(before: Filters, after: Filters, rows: Rows) -> str:
    """Which list prices changed between the periods, for models that were used; and what else a price part is."""
    if before.since is None or after.until is None:
        return ""
    first, last = min(before.since, after.since or before.since), max(before.until or before.since, after.until)
    used = {model for filters in (before, after) for model in data.read("spend_by_model", filters)["model"]}
    found = data.price_changes(first, last, used)
    said = [
        f"{display_name(model, 'md')} {units.label(column)} {units.money(old)} → {units.money(new)} a million tokens "
        f"from {units.day(day)}"
        for model, day, column, old, new in found
    ]
    if said:
        return f"List prices changed. {'; '.join(said)}.".replace("$", "\\$")
    if "list_price_part_usd" in rows and rows.total("list_price_part_usd"):
        return (
            "No list price of these models changed; the price per token did, by batches, fast mode, prompt size tiers, "
            "regions or the lifetime of cache writes."
        )
    return "No list price of these models changed."
