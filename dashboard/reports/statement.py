"""The statement of a period: what was spent, by feature and team, what changed against the period before, and why."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from dashboard import cents, changes, units
from dashboard.allocation.chargeback import USD, converted
from dashboard.names import ROUNDING
from dashboard.reading import Source
from dashboard.reports import cards
from dashboard.reports.cards import Card, Page, Tiles
from dashboard.reports.chargeback import agreed, rated
from dashboard.reports.compare import in_words
from dashboard.rows import Rows, sums, view_suffix
from dashboard.view import View

ZERO = Decimal(0)


def content(source: Source, view: View, currency: str = USD, **_: str) -> Iterator[Card]:
    """Spend by day, by feature and by team, and the causes of the change."""
    yield cards.spend_over_time(source, view, "feature", "day")
    for by in ("feature", "team"):
        yield breakdown(source, view, by, currency)
    if view.before:
        yield causes(source, view)


def against(view: View, **_: str) -> View:
    """A whole month is set beside the whole month before, however long; any other period beside as many days."""
    since, until = view.filters.since, view.filters.until
    if view.before is None or not since or not until:
        return view
    if since.day == 1 and until == since.replace(day=monthrange(since.year, since.month)[1]):
        end = since - timedelta(days=1)
        before = replace(view.before, since=end.replace(day=1), until=end)
        return replace(view, before=before, before_period=in_words(before))
    return view


def breakdown(source: Source, view: View, by: str, currency: str = USD) -> Card:
    """What each value cost, its share and calls, and how that moved; in another currency too, if one is asked for.

    Every amount is in cents, rounded as on every page; what that leaves over of the total is a line of its own.
    """
    metric = f"spend_by_{view_suffix(by)}"
    rows = source.read(metric, view.filters)
    names = list(rows[by])
    share, calls = (dict(zip(names, rows[column], strict=True)) for column in ("cost_share_rate", "calls"))
    now = dict(zip(names, rows["cost_usd"], strict=True))
    prior = source.read(metric, view.before) if view.before else None
    before = dict(zip(prior[by], prior["cost_usd"], strict=True)) if prior else {}
    names += [name for name, cost in before.items() if cost and name not in now]
    spent = _rounded(now, names)
    columns: dict[str, list[Any]] = {
        by: [*names, ROUNDING],
        "cost_usd": spent,
        "cost_share_rate": [share.get(name, 0.0) for name in [*names, ROUNDING]],
        "calls": [calls.get(name, 0) for name in [*names, ROUNDING]],
    }
    if prior:
        earlier = _rounded(before, names)
        columns["cost_before_usd"] = earlier
        columns["cost_change_usd"] = [cost - then for cost, then in zip(spent, earlier, strict=True)]
    said = _in(source, view, by, currency, names, columns)
    table = pa.table(columns)
    if not any(values[-1] for name, values in columns.items() if units.kind(name) in ("usd", "currency")):
        table = table.slice(0, len(names))
    else:
        said = f"{ROUNDING} is what is over when each amount is rounded to the cent. {said}".strip()
    shown = Rows(f"{rows.key}/{view.before}/{currency}", table, rows.notes)
    return cards.table(f"By {units.label(by).lower()}", said, shown, sums(shown, cost_share_rate=1))


def _rounded(amounts: dict[Any, Decimal], names: list[Any]) -> list[Decimal]:
    """Each amount in cents, and last what is over of their sum in cents."""
    exact = [amounts.get(name) or ZERO for name in names]
    shown = [cents.rounded(amount) for amount in exact]
    return [*shown, cents.rounded(sum(exact, ZERO)) - sum(shown, ZERO)]


def _in(source: Source, view: View, by: str, currency: str, names: list[Any], columns: dict[str, list[Any]]) -> str:
    """Add the column of another currency; the rates in words, with the days that have none."""
    _, rates, _ = agreed(source)
    if currency not in rates.currencies():
        return ""
    spent = source.read(f"spend_by_day_and_{view_suffix(by)}", view.filters)
    days: dict[Any, list[tuple[date, Decimal]]] = {name: [] for name in names}
    for day, name, usd in zip(spent["day"], spent[by], spent["cost_usd"], strict=True):
        days[name].append((day, usd))
    told = {name: converted(by_day, rates, currency) for name, by_day in days.items()}
    columns[f"cost_in_{currency.lower()}"] = _rounded({name: amount for name, (amount, _) in told.items()}, names)
    if any(left for _, left in told.values()):
        columns["unconverted_usd"] = _rounded({name: left for name, (_, left) in told.items()}, names)
    known = {day: rates.on(currency, day) for day in spent["day"]}
    return rated([rate for rate in known.values() if rate], [day for day, rate in known.items() if not rate], currency)


def causes(source: Source, view: View) -> Card:
    """What each cause added or took away, the largest first; they add up to the change, to the cent."""
    if view.before is None:
        raise ValueError("A change needs a period before it.")
    found = source.explain(view.before, view.filters, "feature")
    rows = changes.table(found, "feature", f"statement/{view}")
    names = (view.before_period, view.period)
    steps = changes.steps(rows, names)
    parts = Rows(f"{steps.key}/causes", steps.pick("what", "amount_usd").table.slice(1, len(steps) - 2))
    said = changes.in_words(rows, found, "feature", names, "text")
    return cards.table("What changed, and why", said, parts, sums(parts))


PAGE = Page(
    "Claude API spend",
    Tiles(("cost_usd", "calls", "cost_per_call_usd", "unattributed_cost_usd"), ("totals",), {}),
    {"currency": None},
    content,
    against,
)
