"""The few ways we show things: a card with a title, a chart that can be opened, and the table behind it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

import plotly.graph_objects as go
import pyarrow as pa
import streamlit as st

from dashboard import cents, change_figures, data, figures, filter_bar, signal_figures, signal_words, tables, units
from dashboard.data import Forecast, Rows
from dashboard.events import Event
from dashboard.filter_bar import View
from dashboard.names import display_name
from queries import Filters

NAMED = 6
# What a click on a chart can open besides a dimension's value.
SIGNAL = "signal"
MARKED = "A triangle marks a signal: point at it to read it, click it to look closer."
_CONFIG = {"displayModeBar": False, "showTips": False, "responsive": True, "doubleClick": False}


@contextmanager
def card(title: str, note: str = "", key: str | None = None) -> Iterator[bool]:
    """A titled panel; yields whether the reader asked for the table behind the chart (offered when a key is given)."""
    with st.container(border=True, gap="xsmall", height="stretch"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(title, anchor=False, width="stretch")
            as_table = bool(key) and st.toggle("Table", key=f"{key}_as_table")
        if note:
            st.caption(note)
        yield as_table


def spend_over_time(
    view: View, by: str, grain: str = "day", *, title: str, key: str, onwards: str | None = None
) -> None:
    """Stacked bars of spend: the costliest values by name, the rest as Other, signals marked."""
    totals = data.read(f"spend_by_{grain}", view.filters)
    told = signal_words.marks(view.filters, signal_words.COST)
    note = f"By {units.label(by).lower()}. {MARKED if told else ''}"
    with card(title, note, key) as as_table:
        if as_table:
            tables.draw(totals, key=f"{key}_table", alt=f"{title}: one row per {grain}", total=tables.sums(totals))
            return
        named, parts = _parts(view, by, grain)
        before = _before(view) if grain == "day" else None
        colours = tuple(_colours(by, named).items())
        span = _span(view, totals, grain)
        figure = figures.stack(totals, parts, before, colours, by=by, grain=grain, span=span)
        marked = _marked(figure, told, totals, "cost_usd", grain, span)
        _show(marked, f"{key}_chart", _alt(title, view, totals, grain, "cost_usd"), by, onwards)


def lines(
    view: View,
    rows: Rows,
    columns: Sequence[str],
    *,
    title: str,
    key: str,
    note: str = "",
    grain: str = "day",
    interval: bool = False,
    watched: Sequence[str] = (),
) -> None:
    """One line per column over time; with `interval`, the column's own _low and _high as a band.

    `watched`: the metrics whose signals are marked on it.
    """
    told = signal_words.marks(view.filters, watched) if watched else []
    with card(title, f"{note} {MARKED if told else ''}".strip(), key) as as_table:
        if as_table:
            bands = [f"{column}{side}" for column in columns for side in ("_low", "_high")] if interval else []
            tables.draw(rows.pick(grain, "calls", "responses", *columns, *bands), key=f"{key}_table", alt=title)
        elif not any(value is not None for column in columns for value in rows[column]):
            st.caption("The logs of this period do not say.")
        else:
            span = _span(view, rows, grain)
            figure = figures.lines(rows, tuple(columns), grain=grain, interval=interval, span=span)
            marked = _marked(figure, told, rows, columns[0], grain, span)
            _show(marked, f"{key}_chart", _alt(title, view, rows, grain, columns[0]), SIGNAL if told else None)


def bars_over_time(
    view: View,
    rows: Rows,
    columns: Sequence[str],
    *,
    title: str,
    key: str,
    note: str = "",
    grain: str = "day",
    below: Sequence[str] = (),
) -> None:
    """Stacked bars over time, one colour per column; the columns in `below` hang under the line."""
    with card(title, note, key) as as_table:
        if as_table:
            shown = rows.pick(grain, *columns)
            tables.draw(shown, key=f"{key}_table", alt=title, total=tables.sums(shown))
        else:
            span = _span(view, rows, grain)
            figure = figures.bars(rows, tuple(columns), tuple(below), grain=grain, span=span)
            _show(figure, f"{key}_chart", _alt(title, view, rows, grain, columns[0]))


def classes_over_time(
    view: View, rows: Rows, by: str, column: str, *, title: str, key: str, note: str = "", grain: str = "day"
) -> None:
    """Stacked counts over time by a class with few values."""
    with card(title, note, key) as as_table:
        if not len(rows):
            st.caption("Nothing of the kind in this period.")
        elif as_table:
            tables.draw(rows, key=f"{key}_table", alt=title, total=tables.sums(rows))
        else:
            figure = figures.classes(rows, by, column, grain=grain, span=_span(view, rows, grain))
            _show(figure, f"{key}_chart", f"{title}, {view.period}")


def ranking(
    rows: Rows,
    by: str,
    column: str,
    *,
    title: str,
    key: str,
    note: str = "",
    total: Mapping[str, Any] | None = None,
    onwards: str | None = None,
) -> None:
    """Horizontal bars, highest first, with the interval where the rows carry one; a bar opens its value."""
    with card(title, note, key) as as_table:
        if as_table:
            tables.draw(rows, key=f"{key}_table", alt=title, total=total, opens=by, onwards=onwards)
        elif not any(rows[column]):
            st.caption("Nothing of the kind in this period.")
        else:
            top = max(range(len(rows)), key=lambda row: rows[column][row] or 0)
            alt = f"{title}. Highest: {display_name(rows[by][top])}, {units.text(column, rows[column][top])}"
            _show(figures.ranked(rows, by, column), f"{key}_chart", alt, by, onwards)


def movers(view: View, by: str, *, title: str, key: str, onwards: str | None = None) -> None:
    """What drove the change: the slices whose spend rose or fell most against the period before."""
    if view.before is None:
        with card(title):
            st.caption("Switch Compare on, and choose a range that has a period before it, to see what changed.")
        return
    metric = f"spend_by_{data.view_suffix(by)}"
    changes = _changes(data.read(metric, view.filters), data.read(metric, view.before), by)
    change = cents.rounded(changes.total("cost_usd")) - cents.rounded(changes.total("cost_before_usd"))
    note = f"{units.signed_money(change)} against {view.before_period}."
    with card(title, note.replace("$", "\\$"), key) as as_table:
        if as_table:
            sums = tables.sums(changes)
            tables.draw(changes, key=f"{key}_table", alt=title, total=sums, opens=by, onwards=onwards)
        elif len(changes):
            alt = f"{title}, {view.period} against {view.before_period}"
            _show(change_figures.moved(changes, by), f"{key}_chart", alt, by, onwards)
        st.button(
            "See the causes",
            key=f"{key}_causes",
            type="tertiary",
            icon=":material/compare_arrows:",
            on_click=filter_bar.jump,
            args=("app_pages/compare.py",),
        )


def signal_series(
    rows: Rows, column: str, expected: Rows, *, grain: str, event: tuple[datetime, datetime], key: str
) -> None:
    """One slice's series around an event, over what was expected of it."""
    title = f"{units.label(column)} by {grain}"
    with card(title, "The grey range is what was expected; red points are the event.", key) as as_table:
        whens = sorted(when for when in rows[grain] if when is not None)
        if not whens:
            st.caption("The logs of these days do not say.")
        elif as_table:
            tables.draw(rows.pick(grain, column), key=f"{key}_table", alt=title)
        else:
            span = whens[0].isoformat(), whens[-1].isoformat()
            within = event[0].isoformat(), event[1].isoformat()
            figure = signal_figures.series(rows, column, expected, grain=grain, span=span, event=within)
            _show(figure, f"{key}_chart", f"{title}, from {units.text(grain, whens[0])}")


def month_end(seen: Forecast, *, title: str, note: str, key: str, alt: str) -> None:
    """What was spent, what is still to come, and the range."""
    with card(title, note, key) as as_table:
        if as_table:
            columns = ("month", "as_of", "spent_usd", "expected_usd", "low_usd", "high_usd", "backtest_error_rate")
            values = (seen.month, seen.as_of, seen.spent_usd, seen.expected_usd, seen.low_usd, seen.high_usd)
            row = dict(zip(columns, [*values, seen.backtest_error], strict=True))
            tables.draw(Rows(f"{seen}", pa.table({name: [row[name]] for name in row})), key=f"{key}_table", alt=alt)
        else:
            _show(change_figures.month_end(seen), f"{key}_chart", alt)


def waterfall(steps: Rows, *, title: str, note: str, key: str, alt: str) -> None:
    """The steps from one sum to another."""
    with card(title, note, key) as as_table:
        if as_table:
            tables.draw(steps.pick("what", "amount_usd"), key=f"{key}_table", alt=alt)
        else:
            _show(change_figures.waterfall(steps), f"{key}_chart", alt)


def plain(figure: go.Figure, *, key: str, alt: str) -> None:
    """A figure that opens nothing."""
    st.plotly_chart(figure, key=key, alt=alt, config=_CONFIG)


def _parts(view: View, by: str, grain: str) -> tuple[list[str], Rows]:
    """The values to name in a stack, costliest first, and their spend over time."""
    if by == "token_class":
        billed = data.read("spend_by_token_class", view.filters)
        named = [value for value, cost in zip(billed[by], billed["cost_usd"], strict=True) if cost]
        return named, data.read(f"spend_by_{grain}_and_token_class", view.filters)
    named = data.costliest(by, view.filters, NAMED)
    filters = data.narrowed(view.filters, by, named)
    return named, data.read(f"spend_by_{grain}_and_{data.view_suffix(by)}", filters)


def _colours(by: str, named: Sequence[str]) -> dict[str, str]:
    """A colour for each value, the same on every page and in every period while it is among the costliest of all."""
    everyone = [] if by == "token_class" else data.costliest(by, Filters(), len(figures.HUES))
    kept = {value: figures.HUES[slot] for slot, value in enumerate(everyone)}
    taken = {kept.get(value) for value in named}
    free = iter([hue for hue in figures.HUES if hue not in taken])
    return {value: kept.get(value) or next(free) for value in named}


def _before(view: View) -> Rows | None:
    """Spend on each day of the period before, with the day of this period it stands under; a day without calls is 0."""
    if view.before is None or not (view.before.since and view.before.until and view.filters.since):
        return None
    rows = data.read("spend_by_day", view.before)
    spent = dict(zip(rows["day"], rows["cost_usd"], strict=True))
    if not any(spent.values()):
        return None
    days = figures.every([view.before.since, view.before.until], "day")
    later = view.filters.since - view.before.since
    costs = [spent.get(day) or Decimal(0) for day in days]
    table = pa.table({"day": days, "shown_on": [day + later for day in days], "cost_usd": costs})
    return Rows(f"{rows.key}/{view.before}", table)


def _changes(now: Rows, before: Rows, by: str) -> Rows:
    """Two periods side by side, the largest movement first."""
    nothing = Decimal(0)
    spent, prior = (dict(zip(rows[by], rows["cost_usd"], strict=True)) for rows in (now, before))
    moves = {value: (spent.get(value) or nothing) - (prior.get(value) or nothing) for value in spent | prior}
    values = sorted(moves, key=lambda value: -abs(moves[value]))
    table = {
        by: pa.array(values, pa.string()),
        "cost_before_usd": [prior.get(value) or nothing for value in values],
        "cost_usd": [spent.get(value) or nothing for value in values],
        "cost_change_usd": [moves[value] for value in values],
        "cost_change_rate": [float(moves[value] / prior[value]) if prior.get(value) else None for value in values],
    }
    return Rows(f"{now.key}-{before.key}", pa.table(table))


def _marked(
    figure: go.Figure, told: Sequence[Event], rows: Rows, column: str, grain: str, span: figures.Span
) -> go.Figure:
    """The figure with a mark where each event begins, or where it is first seen; the mark stands on the value."""
    values = {when: value for when, value in zip(rows[grain], rows[column], strict=True) if value is not None}
    at: dict[Any, list[Event]] = {}
    for event in told:
        start = event.start.replace(minute=0, second=0, microsecond=0) if grain == "hour" else event.start.date()
        first = max(start, min(values, default=start))
        if span[0] <= first.isoformat() <= span[1]:
            at.setdefault(first, []).append(event)
    if not at:
        return figure
    scale = figure.layout.meta["scale"] if figure.layout.meta else 1
    top = max((float(value) for value in values.values()), default=0.0) * 0.05
    marks = [
        (when, (float(values.get(when) or 0) + top) / scale, signal_words.mark_lines(found), found[0].lead.signal_id)
        for when, found in sorted(at.items())
    ]
    return signal_figures.mark(figure, marks)


def _show(figure: go.Figure, key: str, alt: str, opens: str | None = None, onwards: str | None = None) -> None:
    """Put a figure on the page. The key changes with every drill-down, or the browser would keep the old selection."""
    key = f"{key}-{st.session_state.get('drills', 0)}"
    if opens in (SIGNAL, *filter_bar.WIDGET_OF):
        opener = partial(_open, key, opens, onwards)
        st.plotly_chart(figure, key=key, alt=alt, config=_CONFIG, on_select=opener, selection_mode="points")
    else:
        st.plotly_chart(figure, key=key, alt=alt, config=_CONFIG)


def _open(key: str, dimension: str, onwards: str | None) -> None:
    """Open what was pointed at: a mark opens its signal, a bar narrows to its value."""
    points = st.session_state[key].selection.points
    told = points[0].get("customdata") if points else None
    if not isinstance(told, list | tuple):
        return
    if len(told) == signal_figures.MARK_FIELDS:
        filter_bar.jump("app_pages/signals.py", signal=told[-1])
    elif told and isinstance(told[0], str):
        filter_bar.drill(dimension, told[0], onwards)


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
