"""The few ways we show things: a card with a title, a chart that can be opened, and the table behind it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from dashboard import export_menu, filter_bar, signal_figures, signal_words, tables, units
from dashboard.data import Rows
from dashboard.events import Event
from dashboard.filter_bar import View
from dashboard.names import display_name
from dashboard.reports import as_csv, bundle, cards
from dashboard.reports.cards import Axis, Card
from dashboard.reports.report import Table

# What a click on a chart can open besides a dimension's value.
SIGNAL = "signal"
MARKED = "A triangle marks a signal: point at it to read it, click it to look closer."
SELECTS = "Select a row to look at it alone."


@contextmanager
def card(title: str, note: str = "", key: str | None = None, save: Callable[[], None] | None = None) -> Iterator[bool]:
    """A titled panel; yields whether the reader asked for the table behind the chart (offered when a key is given).

    `save` draws the button that saves the table, where it is the table that shows.
    """
    with st.container(border=True, gap="xsmall", height="stretch"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(title, anchor=False, width="stretch")
            as_table = bool(key) and st.toggle("Table", key=f"{key}_as_table")
            if save and (as_table or not key):
                save()
        if note:
            st.caption(note)
        yield as_table


def draw(
    shown: Card,
    *,
    key: str,
    marks: Sequence[Event] = (),
    onwards: str | None = None,
    zone: str = "UTC",
    below: Callable[[], Any] | None = None,
) -> None:
    """A card of a page, with events marked on its chart. `onwards` is the page it opens; `below` draws what follows."""
    told = marks if shown.axis else ()
    has_chart = shown.chart is not None or bool(shown.instead)
    said = [shown.note, MARKED if told else "", SELECTS if shown.opens and not has_chart else ""]
    note = " ".join(part for part in said if part)
    words = display_name(note, "md", 1000) if note else ""
    toggled = key if has_chart and len(shown.rows) else None
    with card(shown.title, words, toggled, partial(_save, shown, key, zone) if len(shown.rows) else None) as as_table:
        if shown.chart is None and shown.instead and not (as_table and len(shown.rows)):
            st.caption(shown.instead)
        elif shown.chart is None or as_table:
            tables.draw(
                shown.rows,
                key=f"{key}_table" if has_chart else key,
                alt=shown.alt,
                total=shown.total,
                opens=shown.opens if shown.opens and shown.opens in shown.rows else None,
                onwards=onwards,
                zone=zone,
            )
        else:
            figure = _marked(shown.chart, told, shown.rows, shown.axis) if shown.axis and told else shown.chart
            _show(figure, f"{key}_chart", shown.alt, shown.opens or (SIGNAL if told else None), onwards)
        if below and len(shown.rows):
            below()


def lines(
    view: View, rows: Rows, columns: Sequence[str], *, key: str, watched: Sequence[str] = (), **told: Any
) -> None:
    """One line per column over time; see `cards.lines`."""
    draw(cards.lines(view, rows, columns, **told), key=key, marks=signal_words.marks(view.filters, watched))


def bars_over_time(view: View, rows: Rows, columns: Sequence[str], *, key: str, **told: Any) -> None:
    """Stacked bars over time; see `cards.bars_over_time`."""
    draw(cards.bars_over_time(view, rows, columns, **told), key=key)


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


def plain(figure: go.Figure, *, key: str, alt: str) -> None:
    """A figure that opens nothing."""
    st.plotly_chart(figure, key=key, alt=alt, config=_config())


def _save(shown: Card, key: str, zone: str) -> None:
    """The button that saves a card's table as CSV, written when it is clicked."""
    told = Table(shown.title, shown.rows, shown.total or {})
    st.download_button(
        "CSV",
        partial(as_csv.written, told, zone),
        f"outlay-{bundle.file_word(shown.title)}.csv",
        "text/csv",
        key=f"{key}_csv",
        help="Download this table.",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
    )


def _config() -> dict[str, Any]:
    """How Plotly behaves: of its own buttons only the camera, while a chart is pointed at."""
    return {
        "displayModeBar": "hover",
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {"format": export_menu.picture(), "filename": "outlay-chart", "scale": 2},
        "displaylogo": False,
        "showTips": False,
        "responsive": True,
        "doubleClick": False,
    }


def _marked(figure: go.Figure, told: Sequence[Event], rows: Rows, axis: Axis) -> go.Figure:
    """The figure with a mark where each event begins, or where it is first seen; the mark stands on the value."""
    grain, column = axis.grain, axis.column
    values = {when: value for when, value in zip(rows[grain], rows[column], strict=True) if value is not None}
    at: dict[Any, list[Event]] = {}
    for event in told:
        start = event.start.replace(minute=0, second=0, microsecond=0) if grain == "hour" else event.start.date()
        first = max(start, min(values, default=start))
        if axis.span[0] <= first.isoformat() <= axis.span[1]:
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
        st.plotly_chart(figure, key=key, alt=alt, config=_config(), on_select=opener, selection_mode="points")
    else:
        st.plotly_chart(figure, key=key, alt=alt, config=_config())


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
