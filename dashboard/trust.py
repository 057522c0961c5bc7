"""How far the numbers of a view can be trusted, in short sentences."""

from datetime import date, datetime
from typing import Any

from dashboard import units
from dashboard.names import display_name
from dashboard.reading import Source
from dashboard.view import View


def sentences(source: Source, view: View) -> tuple[str, ...]:
    """Data through when, loads, refused lines, unpriced attempts, unattributed share, price list, zone, pruned days."""
    fresh = source.read("freshness").first()
    now = source.read("totals", view.filters).first()
    spent, unattributed = now["cost_usd"] or 0, now["unattributed_cost_usd"] or 0
    priced_on = max((day for day in source.read("price_list")["effective_from"] if day), default=None)
    short = (f"the period before is logged since {units.day(view.logged_since)} only",) if view.logged_since else ()
    kept_since = fresh["attempts_kept_since"]
    sums = (f"single attempts since {units.day(kept_since)}, sums before",) if kept_since else ()
    return (
        f"Data through {units.moment(fresh['last_started_at'], view.zone)}",
        f"{fresh['loads']:,} load{'' if fresh['loads'] == 1 else 's'}",
        f"{fresh['refused_records']:,} lines refused",
        f"{now['unpriced_attempts']:,} of {now['attempts']:,} attempts without a price",
        f"{units.percent(float(unattributed / spent)) if spent else '0%'} of spend unattributed",
        f"price list of {units.day(priced_on)}" if priced_on else "no price list",
        f"days cut in {display_name(view.zone)}",
        *short,
        *sums,
        *contract(source, view),
    )


def basis(source: Source, view: View) -> str:
    """At which prices the money of a view is worked out."""
    if _in_force(source, view):
        return "At your contract prices, and else at list price, on the day of each call, in US dollars."
    return "At list price on the day of each call, in US dollars."


def contract(source: Source, view: View) -> tuple[str, ...]:
    """That prices were agreed upon for days of this view, or that their file is not in force, and why."""
    told = source.read("contract_prices")
    if wrong := [problem for problem in told["problem"] if problem]:
        more = f" (and {len(wrong) - 1:,} more)" if len(wrong) > 1 else ""
        return (f"contract prices are not in force: {display_name(wrong[0], limit=300)}{more}",)
    held = _in_force(source, view)
    rows = f"{len(held):,} row{'' if len(held) == 1 else 's'} of contract_prices.csv"
    return (f"at your contract prices ({rows})",) if held else ()


def _in_force(source: Source, view: View) -> list[Any]:
    """The lines of the agreed prices that hold on a day of the view."""
    told = source.read("contract_prices")
    since, until = _day(view.filters.since or date.min), _day(view.filters.until or date.max)
    return [
        line
        for line, begins, ends in zip(told["line"], told["effective_from"], told["effective_until"], strict=True)
        if begins and begins <= until and (ends is None or ends > since)
    ]


def _day(when: date) -> date:
    return when.date() if isinstance(when, datetime) else when
