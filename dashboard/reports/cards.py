"""What a page is made of: titled cards, each a chart with the table behind it, or a table alone.

Built from answers only, so that a page draws the same cards that a report holds.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import plotly.graph_objects as go
import pyarrow as pa

from dashboard import cents, change_figures, figures, units
from dashboard.names import display_name
from dashboard.reading import Source
from dashboard.rows import Rows, narrowed, sums, view_suffix
from dashboard.view import View
from queries import Filters

NAMED = 6
NOTHING = "Nothing of the kind in this period."
NO_WORD = "The logs of this period do not say."


class Tiles(NamedTuple):
    """The row of figures at the head of a page: their columns, the metrics that have them, what they mean."""

    columns: Sequence[str]
    metrics: Sequence[str]
    notes: Mapping[str, str]


@dataclass(frozen=True)
class Page:
    """What a page shows.

    choices: its switches by their names in the address, each with what a word on it chooses; None takes any text.
    content: its cards, from top to bottom, as `content(source, view, **chosen)`. against: the view with the period that
    it is compared with, where the page has its own way to choose one.
    """

    title: str
    tiles: Tiles
    choices: Mapping[str, Mapping[str, str] | None]
    content: Callable[..., Iterator["Card"]]
    against: Callable[..., View] = lambda view, **_: view


@dataclass(frozen=True)
class Axis:
    """What a chart over time runs along, so that events can be marked on it."""

    grain: str
    span: figures.Span
    column: str


@dataclass(frozen=True)
class Card:
    """A titled panel. `total` is None where nothing can be summed; `opens` the dimension that a row or bar narrows to.

    chart: None for a table alone, or where there is nothing to draw; `instead` then says why.
    """

    title: str
    note: str
    rows: Rows
    total: Mapping[str, Any] | None = field(default=None, compare=False)
    chart: go.Figure | None = field(default=None, compare=False)
    alt: str = ""
    instead: str = ""
    opens: str | None = None
    axis: Axis | None = None


def table(
    title: str, note: str, rows: Rows, total: Mapping[str, Any] | None = None, opens: str | None = None, alt: str = ""
) -> Card:
    """A table alone."""
    return Card(title, note, rows, total, opens=opens, alt=alt or title)


def spend_over_time(source: Source, view: View, by: str, grain: str) -> Card:
    """Stacked bars of spend: the costliest values by name, the rest as Other."""
    title = f"Spend by {grain}"
    totals = source.read(f"spend_by_{grain}", view.filters)
    named, parts = _parts(source, view, by, grain)
    before = _before(source, view) if grain == "day" else None
    colours = tuple(_colours(source, by, named).items())
    span = _span(view, totals, grain)
    figure = figures.stack(totals, parts, before, colours, by=by, grain=grain, span=span)
    return Card(
        title,
        f"By {units.label(by).lower()}.",
        totals,
        sums(totals),
        figure,
        _alt(title, view, totals, grain, "cost_usd"),
        opens=by,
        axis=Axis(grain, span, "cost_usd"),
    )


def lines(
    view: View,
    rows: Rows,
    columns: Sequence[str],
    *,
    title: str,
    note: str = "",
    grain: str = "day",
    interval: bool = False,
) -> Card:
    """One line per column over time; with `interval`, the column's own _low and _high as a band."""
    bands = [f"{column}{side}" for column in columns for side in ("_low", "_high")] if interval else []
    shown = rows.pick(grain, "calls", "responses", *columns, *bands)
    if not any(value is not None for column in columns for value in rows[column]):
        return Card(title, note, shown, instead=NO_WORD)
    span = _span(view, rows, grain)
    figure = figures.lines(rows, tuple(columns), grain=grain, interval=interval, span=span)
    alt = _alt(title, view, rows, grain, columns[0])
    return Card(title, note, shown, None, figure, alt, axis=Axis(grain, span, columns[0]))


def bars_over_time(
    view: View,
    rows: Rows,
    columns: Sequence[str],
    *,
    title: str,
    note: str = "",
    grain: str = "day",
    below: Sequence[str] = (),
) -> Card:
    """Stacked bars over time, one colour per column; the columns in `below` hang under the line."""
    shown = rows.pick(grain, *columns)
    span = _span(view, rows, grain)
    figure = figures.bars(rows, tuple(columns), tuple(below), grain=grain, span=span)
    return Card(title, note, shown, sums(shown), figure, _alt(title, view, rows, grain, columns[0]))


def classes_over_time(
    view: View, rows: Rows, by: str, column: str, *, title: str, note: str = "", grain: str = "day"
) -> Card:
    """Stacked counts over time by a class with few values."""
    if not len(rows):
        return Card(title, note, rows, instead=NOTHING)
    figure = figures.classes(rows, by, column, grain=grain, span=_span(view, rows, grain))
    return Card(title, note, rows, sums(rows), figure, f"{title}, {view.period}")


def ranking(
    rows: Rows, by: str, column: str, *, title: str, note: str = "", total: Mapping[str, Any] | None = None
) -> Card:
    """Horizontal bars, highest first, with the interval where the rows carry one; a bar opens its value."""
    if not any(rows[column]):
        return Card(title, note, rows, total, instead=NOTHING, opens=by)
    top = max(range(len(rows)), key=lambda row: rows[column][row] or 0)
    alt = f"{title}. Highest: {display_name(rows[by][top])}, {units.text(column, rows[column][top])}"
    return Card(title, note, rows, total, figures.ranked(rows, by, column), alt, opens=by)


def movers(source: Source, view: View, by: str, *, title: str) -> Card:
    """What drove the change: the slices whose spend rose or fell most against the period before."""
    if view.before is None:
        said = "Switch Compare on, and choose a range that has a period before it, to see what changed."
        return Card(title, "", Rows("", pa.table({})), instead=said)
    metric = f"spend_by_{view_suffix(by)}"
    changes = _changes(source.read(metric, view.filters), source.read(metric, view.before), by)
    change = cents.rounded(changes.total("cost_usd")) - cents.rounded(changes.total("cost_before_usd"))
    note = f"{units.signed_money(change)} against {view.before_period}."
    alt = f"{title}, {view.period} against {view.before_period}"
    figure = change_figures.moved(changes, by) if len(changes) else None
    return Card(title, note, changes, sums(changes), figure, alt, opens=by)


def waterfall(steps: Rows, *, title: str, note: str, alt: str) -> Card:
    """The steps from one sum to another."""
    return Card(title, note, steps.pick("what", "amount_usd"), None, change_figures.waterfall(steps), alt)


def costliest(source: Source, by: str, filters: Filters, count: int) -> list[str]:
    """The costliest values of a dimension."""
    return source.read(f"spend_by_{view_suffix(by)}", filters)[by][:count]


def _parts(source: Source, view: View, by: str, grain: str) -> tuple[list[str], Rows]:
    """The values to name in a stack, costliest first, and their spend over time."""
    if by == "token_class":
        billed = source.read("spend_by_token_class", view.filters)
        named = [value for value, cost in zip(billed[by], billed["cost_usd"], strict=True) if cost]
        return named, source.read(f"spend_by_{grain}_and_token_class", view.filters)
    named = costliest(source, by, view.filters, NAMED)
    filters = narrowed(view.filters, by, named)
    return named, source.read(f"spend_by_{grain}_and_{view_suffix(by)}", filters)


def _colours(source: Source, by: str, named: Sequence[str]) -> dict[str, str]:
    """A colour for each value, the same on every page and in every period while it is among the costliest of all."""
    everyone = [] if by == "token_class" else costliest(source, by, Filters(), len(figures.HUES))
    kept = {value: figures.HUES[slot] for slot, value in enumerate(everyone)}
    taken = {kept.get(value) for value in named}
    free = iter([hue for hue in figures.HUES if hue not in taken])
    return {value: kept.get(value) or next(free) for value in named}


def _before(source: Source, view: View) -> Rows | None:
    """Spend on each day of the period before, with the day of this period it stands under; a day without calls is 0."""
    if view.before is None or not (view.before.since and view.before.until and view.filters.since):
        return None
    rows = source.read("spend_by_day", view.before)
    spent = dict(zip(rows["day"], rows["cost_usd"], strict=True))
    if not any(spent.values()):
        return None
    days = figures.every([view.before.since, view.before.until], "day")
    later = view.filters.since - view.before.since
    costs = [spent.get(day) or Decimal(0) for day in days]
    shown = pa.table({"day": days, "shown_on": [day + later for day in days], "cost_usd": costs})
    return Rows(f"{rows.key}/{view.before}", shown)


def _changes(now: Rows, before: Rows, by: str) -> Rows:
    """Two periods side by side, the largest movement first."""
    nothing = Decimal(0)
    spent, prior = (dict(zip(rows[by], rows["cost_usd"], strict=True)) for rows in (now, before))
    moves = {value: (spent.get(value) or nothing) - (prior.get(value) or nothing) for value in spent | prior}
    values = sorted(moves, key=lambda value: -abs(moves[value]))
    columns = {
        by: pa.array(values, pa.string()),
        "cost_before_usd": [prior.get(value) or nothing for value in values],
        "cost_usd": [spent.get(value) or nothing for value in values],
        "cost_change_usd": [moves[value] for value in values],
        "cost_change_rate": [float(moves[value] / prior[value]) if prior.get(value) else None for value in values],
    }
    return Rows(f"{now.key}-{before.key}", pa.table(columns))


def _span(view: View, rows: Rows, grain: str) -> figures.Span:
    """First and last bucket on the time axis: the range asked for, or all there is."""
    since, until = view.filters.since, view.filters.until
    if since is None or until is None:
        seen = [when for when in rows[grain] if when is not None] or [datetime.min]
        return min(seen).isoformat(), max(seen).isoformat()
    if grain == "day":
        return since.isoformat(), until.isoformat()
    first, last = datetime(since.year, since.month, since.day), datetime(until.year, until.month, until.day, 23)
    return first.isoformat(), last.isoformat()


def _alt(title: str, view: View, rows: Rows, grain: str, column: str) -> str:
    known = [(value, when) for when, value in zip(rows[grain], rows[column], strict=True) if value is not None]
    if not known:
        return f"{title}, {view.period}: nothing logged"
    value, when = max(known)
    return f"{title}, {view.period}. Highest: {units.text(column, value)} on {units.text(grain, when)}"
