"""Figures drawn from answers: each is built once per answer and kept, and none knows about pages or filters.

Streamlit replaces the placeholder colours below with the palette of the reader's theme (`.streamlit/config.toml`), so
one figure serves light and dark. Money becomes a double here: pixels need no cents, and sums are made before.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

import plotly.graph_objects as go

from dashboard import units
from dashboard.names import display_name
from dashboard.rows import Rows

HUES = tuple(f"#00000{slot}" for slot in range(1, 9))
OTHER, ALERT, GRID, MUTED, INK, PAPER = "#000009", "#000010", "#000035", "#000036", "#000037", "#000038"
# Percentiles, rates and token piles, in the order in which a page names them.
LINE_HUES = (HUES[0], HUES[1], HUES[3], HUES[2], HUES[7])
BAR_HUES = (HUES[2], HUES[1], HUES[0], HUES[3], HUES[5])

HEIGHT, NAME_SPACE, MOST_RANKED = 300, 24, 10
STEP = {"day": timedelta(days=1), "hour": timedelta(hours=1)}
# First and last bucket of a time axis.
Span = tuple[str, str]

kept = lru_cache(500)


@kept
def stack(
    totals: Rows,
    parts: Rows,
    before: Rows | None,
    colours: tuple[tuple[str, str], ...],
    *,
    by: str,
    grain: str,
    span: Span,
) -> go.Figure:
    """Spend over time: a colour for each named value, the rest as Other, the period before dotted."""
    total = {when: cost or Decimal(0) for when, cost in zip(totals[grain], totals["cost_usd"], strict=True)}
    cells = {
        (when, value): cost
        for when, value, cost in zip(parts[grain], parts[by], parts["cost_usd"], strict=True)
        if cost
    }
    figure = blank("usd", span, grain)
    for value, hue in colours:
        own = {when: cells.get((when, value), Decimal(0)) for when in total}
        words = units.token_class(value) if by == "token_class" else display_name(value, "plot")
        figure.add_bar(**_bars(own, total, value, words, hue, grain))
    named = [value for value, _ in colours]
    rest = {when: total[when] - sum(cells.get((when, value), Decimal(0)) for value in named) for when in total}
    if any(rest.values()):
        figure.add_bar(**_bars(rest, total, None, "Other", OTHER, grain))
    if before is not None:
        _ghost(figure, before)
    return figure


@kept
def lines(rows: Rows, columns: tuple[str, ...], *, grain: str, interval: bool, span: Span) -> go.Figure:
    """One line per column, broken where nothing was logged; with `interval`, a band from _low to _high."""
    kind = units.kind(columns[0])
    figure = blank(kind, span, grain)
    figure.update_layout(hovermode="x unified", showlegend=len(columns) > 1)
    whens = every(rows[grain], grain)
    scale = 1
    if kind == "ms" and max((value or 0 for column in columns for value in rows[column]), default=0) >= 3000:
        scale = 1000
        figure.update_layout(meta={"scale": scale})
        figure.update_yaxes(tickformat=",~f", ticksuffix=" s")
    for column, hue in zip(columns, LINE_HUES, strict=False):
        if interval:
            _band(figure, rows, column, hue, whens, grain)
        values = dict(zip(rows[grain], rows[column], strict=True))
        figure.add_scatter(
            x=[when.isoformat() for when in whens],
            y=[_pixel(values.get(when), scale) for when in whens],
            name=units.label(column),
            mode="lines+markers" if len(whens) <= 45 else "lines",
            connectgaps=False,
            line={"color": hue, "width": 2},
            marker={"size": 5, "color": hue},
            customdata=[units.text(column, values.get(when)) for when in whens],
            hovertemplate="%{customdata}",
        )
    return figure


@kept
def bars(rows: Rows, columns: tuple[str, ...], below: tuple[str, ...], *, grain: str, span: Span) -> go.Figure:
    """Stacked bars, one colour per column; the columns in `below` hang under the line."""
    figure = blank(units.kind(columns[0]), span, grain)
    figure.update_layout(barmode="relative", hovermode="x unified", showlegend=len(columns) > 1)
    for column, hue in zip(columns, BAR_HUES, strict=False):
        figure.add_bar(
            x=[when.isoformat() for when in rows[grain]],
            y=[-float(value or 0) if column in below else _pixel(value) for value in rows[column]],
            name=units.label(column),
            marker={"color": hue, "line": {"width": 0}},
            width=_width(grain),
            customdata=[units.text(column, value) for value in rows[column]],
            hovertemplate="%{customdata}",
        )
    return figure


@kept
def classes(rows: Rows, by: str, column: str, *, grain: str, span: Span) -> go.Figure:
    """Stacked counts over time by a class with few values, the most frequent first."""
    sums: dict[str, int] = {}
    for name, number in zip(rows[by], rows[column], strict=True):
        sums[name] = sums.get(name, 0) + (number or 0)
    figure = blank("count", span, grain)
    figure.update_layout(hovermode="x unified")
    cells = {(when, name): number for when, name, number in zip(rows[grain], rows[by], rows[column], strict=True)}
    whens = sorted(set(rows[grain]))
    for name, hue in zip(sorted(sums, key=lambda name: -sums[name]), HUES, strict=False):
        figure.add_bar(
            x=[when.isoformat() for when in whens],
            y=[cells.get((when, name), 0) for when in whens],
            name=_short(name),
            marker={"color": hue, "line": {"width": 0}},
            width=_width(grain),
            hovertemplate="%{y:,}",
        )
    return figure


@kept
def ranked(rows: Rows, by: str, column: str) -> go.Figure:
    """Horizontal bars, highest first, with the interval where the rows carry one."""
    order = sorted(range(len(rows)), key=lambda row: -float(rows[column][row] or 0))[:MOST_RANKED]
    values = [float(rows[column][row] or 0) for row in order]
    spread = None
    if f"{column}_low" in rows:
        above = [float(rows[f"{column}_high"][row] or 0) - value for row, value in zip(order, values, strict=True)]
        under = [value - float(rows[f"{column}_low"][row] or 0) for row, value in zip(order, values, strict=True)]
        spread = {"type": "data", "array": above, "arrayminus": under, "color": MUTED, "thickness": 1.5, "width": 3}
    names = [rows[by][row] for row in order]
    words = [_with_interval(rows, column, row) for row in order]
    figure = blank(units.kind(column), None, "day")
    figure.add_bar(
        x=values,
        y=list(range(len(order))),
        orientation="h",
        error_x=spread,
        marker={"color": HUES[0], "line": {"width": 0}},
        customdata=[[name, display_name(name, "plot"), said] for name, said in zip(names, words, strict=True)],
        hovertemplate="<b>%{customdata[1]}</b><br>%{customdata[2]}<extra></extra>",
    )
    names_down(figure, names)
    figure.update_xaxes(showgrid=True, gridcolor=GRID, rangemode="tozero", nticks=7, **axis(units.kind(column)))
    return figure


def every(seen: Sequence[Any], grain: str) -> list[Any]:
    """All buckets from the first to the last."""
    known = [when for when in seen if when is not None]
    if not known:
        return []
    first, steps = min(known), int((max(known) - min(known)) / STEP[grain])
    return [first + STEP[grain] * step for step in range(steps + 1)]


def _bars(
    own: Mapping[Any, Decimal], total: Mapping[Any, Decimal], value: str | None, words: str, hue: str, grain: str
) -> dict[str, Any]:
    return {
        "x": [when.isoformat() for when in own],
        "y": [float(cost) for cost in own.values()],
        "name": words if value is None or len(words) <= NAME_SPACE else _short(value),
        "marker": {"color": hue, "line": {"width": 0}},
        "width": _width(grain),
        "customdata": [[value, units.money(cost), units.money(total[when])] for when, cost in own.items()],
        "hovertemplate": (
            f"<b>{words}</b><br>%{{x|{_TIME[grain]}}}<br>%{{customdata[1]}} of %{{customdata[2]}}<extra></extra>"
        ),
    }


def _ghost(figure: go.Figure, before: Rows) -> None:
    costs = list(zip(before["day"], before["cost_usd"], strict=True))
    figure.add_scatter(
        x=[when.isoformat() for when in before["shown_on"]],
        y=[float(cost) for _, cost in costs],
        mode="lines",
        name="Period before, total",
        line={"color": MUTED, "width": 1, "dash": "dot", "shape": "hvh"},
        customdata=[[None, units.money(cost), units.day(when)] for when, cost in costs],
        hovertemplate="<b>Period before</b><br>%{customdata[2]}<br>%{customdata[1]} in total<extra></extra>",
    )


def _band(figure: go.Figure, rows: Rows, column: str, hue: str, whens: Sequence[Any], grain: str) -> None:
    for side, name, fill in (("_low", "at least", None), ("_high", "at most", "tonexty")):
        bound = dict(zip(rows[grain], rows[f"{column}{side}"], strict=True))
        figure.add_scatter(
            x=[when.isoformat() for when in whens],
            y=[_pixel(bound.get(when)) for when in whens],
            name=name,
            mode="lines",
            line={"width": 0, "color": hue},
            fill=fill,
            fillcolor=f"{hue}2E",
            showlegend=False,
            customdata=[units.text(column, bound.get(when)) for when in whens],
            hovertemplate="%{customdata}",
        )


def _with_interval(rows: Rows, column: str, row: int) -> str:
    words = units.text(column, rows[column][row])
    if f"{column}_low" not in rows:
        return words
    low, high = (units.text(column, rows[f"{column}{side}"][row]) for side in ("_low", "_high"))
    return f"{words} (95 % interval {low} to {high})"


def blank(kind: str, span: Span | None, grain: str) -> go.Figure:
    """An empty figure in the house style: fixed axes (so that a finger scrolls the page), faint grid, legend below."""
    layout: dict[str, Any] = {
        "template": {"layout": {}},
        "height": HEIGHT,
        "barmode": "stack",
        "bargap": 0.22,
        "dragmode": False,
        "hovermode": "closest",
        "hoverlabel": {"align": "left"},
        "margin": {"l": 0, "r": 8, "t": 12, "b": 0, "pad": 6},
        "legend": {
            "orientation": "h",
            "yanchor": "top",
            "x": 0,
            "xanchor": "left",
            "traceorder": "normal",
            # On a phone every name takes a line: beyond a few they scroll, rather than take half of the chart.
            "maxheight": 0.22,
            "font": {"size": 11},
        },
        "yaxis": {
            "fixedrange": True,
            "gridcolor": GRID,
            "zeroline": False,
            "rangemode": "tozero",
            "nticks": 6,
            **axis(kind),
        },
        "xaxis": {"fixedrange": True, "showgrid": False, "zeroline": False},
    }
    # Two lines of tick labels under hours, one under days.
    layout["legend"]["y"] = -0.14 if grain == "day" else -0.24
    if span:
        layout["xaxis"] |= _time_axis(span, grain)
    return go.Figure(layout=layout)


def _time_axis(span: Span, grain: str) -> dict[str, Any]:
    first, last = (datetime.fromisoformat(side) for side in span)
    half = STEP[grain] / 2
    axis: dict[str, Any] = {
        "type": "date",
        "range": [(first - half).isoformat(), (last + half).isoformat()],
        "nticks": 9,
        "tickformat": "%-d %b" if grain == "day" else "%H:%M\n%-d %b",
        "hoverformat": _TIME[grain],
    }
    if grain == "day" and (last - first).days <= 8:
        axis |= {"dtick": 86_400_000, "tick0": span[0]}
    return axis


_TIME = {"day": "%a %-d %b %Y", "hour": "%a %-d %b %Y, %H:%M"}


def names_down(figure: go.Figure, names: Sequence[str], words: Sequence[str] = ()) -> None:
    """Names down the side, each with a line of words under it where given."""
    shown = [_short(name) for name in names]
    if words:
        shown = [
            f'{name}<br><span style="color:{MUTED}">{said}</span>' for name, said in zip(shown, words, strict=True)
        ]
    figure.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(names))),
        ticktext=shown,
        tickfont={"color": INK},
        ticks="",
        autorange="reversed",
        showgrid=False,
    )
    figure.update_layout(height=max(140, (42 if words else 34) * len(names) + 44), bargap=0.4, showlegend=False)


def _short(name: str) -> str:
    plain = display_name(name)
    return display_name(plain if len(plain) <= NAME_SPACE else plain[: NAME_SPACE - 1] + "…", "plot")


def axis(kind: str) -> dict[str, Any]:
    """How an axis writes numbers of this kind."""
    return {
        "usd": {"tickformat": "$,.2~f"},
        "rate": {"tickformat": ".2~%"},
        "ms": {"tickformat": ",d", "ticksuffix": " ms"},
        "tokens": {"tickformat": ".3~s"},
        "ratio": {"tickformat": ".2f", "ticksuffix": "×"},
    }.get(kind, {"tickformat": ",d"})


def _width(grain: str) -> float:
    """Bars as wide as their bucket allows, in milliseconds: a single day would otherwise be a hairline."""
    return STEP[grain].total_seconds() * 780


def _pixel(value: Any, scale: int = 1) -> float | None:
    return None if value is None else float(value) / scale
