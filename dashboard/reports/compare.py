"""What the page What changed shows: two periods side by side, and what the difference is made of."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from dashboard import changes, units
from dashboard.names import display_name
from dashboard.reading import Explanation, Source
from dashboard.reports import cards
from dashboard.reports.cards import Card, Page, Tiles
from dashboard.rows import Rows, sums
from dashboard.view import View
from queries import Filters

DIMENSIONS = {"Feature": "feature", "Model": "model", "User": "user_id", "Team": "team"}
AGAINST = {"Period before": "before", "Same weekdays before": "weekdays", "Other days": "other"}


def against(view: View, against: str = "before", against_days: str = "", **_: str) -> View:
    """The view against the period to compare with; `against_days` are the first and the last of other days, ISO 8601.

    Raises ValueError for days that are none.
    """
    if view.filters.since is None:
        return view
    before = view.filters.previous()
    if against == "weekdays":
        before = same_weekdays_before(view.filters)
    elif against == "other" and against_days:
        days = [date.fromisoformat(day) for day in against_days.split()]
        before = replace(before, since=days[0], until=days[-1])
    return replace(view, before=before, before_period=in_words(before))


def content(source: Source, view: View, slice: str = "feature", **_: str) -> Iterator[Card]:
    """The steps from the one period to the other, and the table of slices and causes."""
    if view.before is None:
        return
    found = source.explain(view.before, view.filters, slice)
    rows = table(found, view, slice)
    yield waterfall(source, view, rows)
    yield breakdown(rows, slice)


def table(found: Explanation, view: View, by: str) -> Rows:
    """One row per slice with its parts, in cents that add up."""
    return changes.table(found, by, f"changes/{hash(str(found))}/{view.before}/{view.filters}/{by}")


def waterfall(source: Source, view: View, rows: Rows) -> Card:
    """The steps from the one period to the other."""
    names = (view.before_period, view.period)
    said = prices_in_words(source, view, rows)
    return cards.waterfall(
        changes.steps(rows, names),
        title="From the one to the other",
        note=f"What each cause added or took away. {said}".strip(),
        alt=f"Spend from {names[0]} to {names[1]}",
    )


def breakdown(rows: Rows, by: str) -> Card:
    """What each value cost before and after, and the parts of the difference."""
    title = f"By {units.label(by).lower()} and cause"
    return cards.table(title, "To the cent; rows and columns add up.", rows, sums(rows), opens=by)


def same_weekdays_before(after: Filters) -> Filters:
    """The same days of the week, so many whole weeks earlier that the periods do not touch."""
    if after.since is None or after.until is None:
        raise ValueError("Only a period with a first and a last day has one before it.")
    weeks = timedelta(weeks=(after.until - after.since).days // 7 + 1)
    return replace(after, since=after.since - weeks, until=after.until - weeks)


def in_words(filters: Filters) -> str:
    """The days of a period."""
    return units.period(filters.since, filters.until) if filters.since and filters.until else "all time"


def prices_in_words(source: Source, view: View, rows: Rows) -> str:
    """Which list prices changed between the periods, for models that were used; and what else a price part is."""
    before, after = view.before, view.filters
    if before is None or before.since is None or after.until is None:
        return ""
    first, last = min(before.since, after.since or before.since), max(before.until or before.since, after.until)
    used = {model for filters in (before, after) for model in source.read("spend_by_model", filters)["model"]}
    said = [
        f"{display_name(model)} {units.label(column)} {units.money(old)} → {units.money(new)} a million tokens "
        f"from {units.day(day)}"
        for model, day, column, old, new in price_changes(source, first, last, used)
    ]
    if said:
        return f"List prices changed. {'; '.join(said)}."
    if "list_price_part_usd" in rows and rows.total("list_price_part_usd"):
        return (
            "No list price of these models changed; the price per token did, by batches, fast mode, prompt size tiers, "
            f"regions{', prices of your contract' if len(source.read('contract_prices')) else ''} or the lifetime of "
            "cache writes."
        )
    return "No list price of these models changed."


def price_changes(
    source: Source, since: date, until: date, models: Collection[str]
) -> list[tuple[str, date, str, Decimal, Decimal]]:
    """List prices, of these models, that changed after `since` and by `until`: model, day, column, old and new price.

    Columns are those of the price list, in dollars a million tokens.
    """
    rows = source.read("price_list").table.to_pylist()
    prices = [name for name in rows[0] if name.endswith("_usd_mtok")] if rows else []
    return [
        (new["model"], new["effective_from"], name, old[name], new[name])
        for old, new in pairwise(rows)
        if all(old[name] == new[name] for name in ("model", "mode", "prompt_tokens_over"))
        and new["mode"] == "standard" and not new["prompt_tokens_over"]
        and new["model"] in models and new["effective_from"] and since < new["effective_from"] <= until
        for name in prices
        if old[name] is not None and new[name] is not None and old[name] != new[name]
    ]  # fmt: skip


PAGE = Page(
    "What changed",
    Tiles(("cost_usd", "calls", "cost_per_call_usd"), ("totals",), {}),
    {"against": AGAINST, "against_days": None, "slice": DIMENSIONS},
    content,
    against,
)
