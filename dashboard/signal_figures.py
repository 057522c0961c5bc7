"""Figures of signals: one slice's series with what was expected of it, and the marks on all other charts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import plotly.graph_objects as go

from dashboard import figures, units
from dashboard.data import Rows
from dashboard.figures import ALERT, HUES, MUTED, PAPER, Span, blank, kept

# What a mark carries: nothing to narrow to, its words, this word, and the id of its signal.
SIGNAL, MARK_FIELDS = "signal", 4


@kept
def series(rows: Rows, column: str, expected: Rows, *, grain: str, span: Span, event: Span) -> go.Figure:
    """A slice's values over time, the range that was expected, and a shade behind the time of the event."""
    kind = units.kind(column)
    figure = blank(kind, span, grain)
    figure.update_layout(hovermode="x unified", showlegend=False, height=260)
    for side, fill in (("low", None), ("high", "tonexty")):
        figure.add_scatter(
            x=[when.isoformat() for when in expected[grain]],
            y=expected[side],
            name="Expected at least" if side == "low" else "Expected at most",
            mode="lines",
            line={"width": 0, "color": MUTED, "shape": "hvh"},
            fill=fill,
            fillcolor=f"{MUTED}40",
            customdata=[units.text(column, _plain(column, value)) for value in expected[side]],
            hovertemplate="%{customdata}",
        )
    whens = figures.every(rows[grain], grain)
    values = dict(zip(rows[grain], rows[column], strict=True))
    missing = 0 if column in ("cost_usd", "calls") else None
    shown = [values.get(when, missing) for when in whens]
    inside = [event[0] <= when.isoformat() < event[1] for when in map(_moment, whens)]
    figure.add_scatter(
        x=[when.isoformat() for when in whens],
        y=[None if value is None else float(value) for value in shown],
        name=units.label(column),
        mode="lines+markers",
        connectgaps=False,
        line={"color": HUES[0], "width": 2},
        marker={
            "size": [8 if is_in else 4 for is_in in inside],
            "color": [ALERT if is_in else HUES[0] for is_in in inside],
        },
        customdata=[units.text(column, value) for value in shown],
        hovertemplate="%{customdata}",
    )
    return figure


class _Same:
    """A figure as part of a key: equal to itself alone."""

    def __init__(self, figure: go.Figure) -> None:
        self.figure = figure

    def __hash__(self) -> int:
        return id(self.figure)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.figure is self.figure


def mark(figure: go.Figure, told: Sequence[tuple[Any, float, str, str]]) -> go.Figure:
    """A copy of a figure with triangles: when, how high, the words, and the id of the signal that a click opens."""
    return _marked(_Same(figure), tuple(told))


@kept  # Plotly checks every value of a figure again when it is copied
def _marked(of: _Same, told: tuple[tuple[Any, float, str, str], ...]) -> go.Figure:
    marked = go.Figure(of.figure)
    marked.add_scatter(
        x=[when.isoformat() for when, *_ in told],
        y=[height for _, height, *_ in told],
        mode="markers",
        name="Signal",
        showlegend=False,
        cliponaxis=False,
        marker={"symbol": "triangle-down", "size": 12, "color": ALERT, "line": {"color": PAPER, "width": 1}},
        customdata=[[None, words, SIGNAL, signal_id] for *_, words, signal_id in told],
        hovertemplate="%{customdata[1]}<extra></extra>",
    )
    return marked


def _moment(when: Any) -> datetime:
    return when if isinstance(when, datetime) else datetime.combine(when, datetime.min.time())


def _plain(column: str, value: float) -> Any:
    return str(round(value, 6)) if column.endswith("_usd") else value
