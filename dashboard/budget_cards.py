"""A budget as a card: where it stands in words, and its spend drawn against the amount."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate

import plotly.graph_objects as go
import pyarrow as pa
import streamlit as st

from dashboard import charts, figures, tables, units
from dashboard.budgets import Standing
from dashboard.data import Rows
from dashboard.names import display_name

CHART_HEIGHT = 240


def draw(how: Standing, key: str) -> bool:
    """Draw one budget; whether its reader asks to edit it."""
    budget = how.budget
    with charts.card(display_name(budget.name, "md"), _what(how), key) as as_table:
        _badge(how)
        with st.grid(3, min_column_width=120, gap="small"):
            st.metric("Spent", units.money(how.spent_usd), help=_exactly(how.spent_usd))
            st.metric("Left", units.money(how.left_usd), help=_exactly(how.left_usd))
            st.metric(*_end(how))
        if as_table:
            rows = _rows(how)
            tables.draw(rows, key=f"{key}_table", alt=f"{budget.name}: spend by day")
        else:
            charts.plain(_figure(how), key=f"{key}_chart", alt=_alt(how))
        st.caption(_outlook(how).replace("$", "\\$"))
        return st.button("Edit", key=f"{key}_edit", icon=":material/edit:", type="tertiary")


def _what(how: Standing) -> str:
    """Period and slices in one line."""
    of = how.budget.filters
    only = [
        display_name(name, "md")
        for names in (of.features, of.teams, of.users, of.models, of.environments)
        for name in names
    ]
    whose = ", ".join(only[:4]) + (f" and {len(only) - 4} more" if len(only) > 4 else "") if only else "All spend"
    period = how.budget.period
    each = f"any {period.word}" if period.rolling else f"each {period.word}"
    amount = units.money(how.budget.amount_usd).replace("$", "\\$")
    return f"{whose} · {amount} {each} · {units.period(how.since, how.until)}"


def _badge(how: Standing) -> None:
    if how.breached_on:
        st.badge("Used up", icon=":material/error:", color="red")
    elif how.expected_on:
        word = "Will not last" if not how.mark else f"{how.mark}% passed, will not last"
        st.badge(word, icon=":material/trending_up:", color="orange")
    elif how.mark:
        st.badge(f"{how.mark}% passed", icon=":material/flag:", color="orange" if how.mark >= 80 else "blue")
    else:
        st.badge("Within budget", icon=":material/check:", color="green")


def _end(how: Standing) -> tuple[str, str]:
    if how.breached_on:
        return "Used up on", units.day(how.breached_on)
    if how.path is None:
        return "Will it last?", "Not known yet"
    if how.expected_on:
        return "Expected to be used up", units.day(how.expected_on)
    return "Will it last?", "Yes"


def _outlook(how: Standing) -> str:
    """What is to come, and what is not known."""
    said = [f"{how.percent}% spent."]
    if how.last_day is None or how.last_day < how.since:
        return "Nothing was logged in this period yet."
    if how.path is None:
        said.append("A projection needs at least a week of history.")
    elif how.breached_on is None:
        end = f"{units.money(_cents(how.path.low_usd[-1]))} to {units.money(_cents(how.path.high_usd[-1]))}"
        when = units.day(how.path.days[-1])
        said.append(f"By {when} {units.money(_cents(how.path.expected_usd[-1]))}; four times out of five {end}.")
        if how.path.earliest_on and how.path.earliest_on != how.path.latest_on:
            latest = f"on {units.day(how.path.latest_on)} at the latest" if how.path.latest_on else "or not at all"
            said.append(f"It could be used up on {units.day(how.path.earliest_on)} at the earliest, {latest}.")
    if how.last_day < how.as_of:
        said.append(f"The logs end on {units.day(how.last_day)}.")
    if how.unpriced_attempts:
        said.append(f"{how.unpriced_attempts:,} attempts have no price and are missing here.")
    return " ".join(said)


def _rows(how: Standing) -> Rows:
    days = [day for day, _ in how.spent]
    costs = [cost for _, cost in how.spent]
    table = pa.table({"day": days, "cost_usd": costs, "spent_so_far_usd": list(accumulate(costs))})
    return Rows(f"budget/{how}", table)


def _figure(how: Standing) -> go.Figure:
    """Cumulative spend, the path ahead with its range, the amount and its marks."""
    amount = float(how.budget.amount_usd)
    last = min(how.last_day or how.as_of, how.as_of)
    known = [(day, cost) for day, cost in how.spent if day <= last]
    totals = list(accumulate(float(cost) for _, cost in known))
    days = [day for day, _ in known]
    until = max([how.until, *(how.path.days[-1:] if how.path else ())])
    figure = figures.blank("usd", (how.since.isoformat(), until.isoformat()), "day")
    if how.path and days:
        _ahead(figure, how, days, totals)
    figure.add_scatter(
        x=[day.isoformat() for day in days],
        y=totals,
        mode="lines",
        name="Spent",
        line={"color": figures.HUES[0], "width": 2.5, "shape": "linear"},
        customdata=[units.money(_cents(total)) for total in totals],
        hovertemplate="%{customdata} by %{x|%-d %b}<extra></extra>",
    )
    for mark in how.budget.marks:
        is_amount = mark == 100
        figure.add_hline(
            y=amount * mark / 100,
            line={
                "color": figures.ALERT if is_amount else figures.MUTED,
                "width": 1.5 if is_amount else 1,
                "dash": "solid" if is_amount else "dot",
            },
            annotation={
                "text": units.money(how.budget.amount_usd) if is_amount else f"{mark}%",
                "font": {"size": 11, "color": figures.ALERT if is_amount else figures.MUTED},
            },
            annotation_position="top left" if is_amount else "bottom left",
        )
    top = max([amount, *totals[-1:], *(how.path.expected_usd if how.path else ())])
    if how.path:
        top = max(top, min(max(how.path.high_usd), 1.5 * top))
    figure.update_layout(height=CHART_HEIGHT, showlegend=False)
    figure.update_yaxes(range=[0, top * 1.12])
    return figure


def _ahead(figure: go.Figure, how: Standing, days: list[date], totals: list[float]) -> None:
    assert how.path is not None
    begins = how.path.days[0] - timedelta(days=1)
    at = totals[days.index(begins)] if begins in days else 0.0
    whens = [begins.isoformat(), *(day.isoformat() for day in how.path.days)]
    for side, fill in ((how.path.low_usd, None), (how.path.high_usd, "tonexty")):
        figure.add_scatter(
            x=whens, y=[at, *side], mode="lines", line={"width": 0, "color": figures.HUES[0]}, fill=fill,
            fillcolor=f"{figures.HUES[0]}22", hoverinfo="skip",
        )  # fmt: skip
    figure.add_scatter(
        x=whens,
        y=[at, *how.path.expected_usd],
        mode="lines",
        name="Expected",
        line={"color": figures.HUES[0], "width": 2, "dash": "dot"},
        customdata=[units.money(_cents(value)) for value in (at, *how.path.expected_usd)],
        hovertemplate="%{customdata} expected by %{x|%-d %b}<extra></extra>",
    )


def _alt(how: Standing) -> str:
    return (
        f"Budget {display_name(how.budget.name)}: {units.money(how.spent_usd)} of {units.money(how.budget.amount_usd)} "
        f"spent, {units.period(how.since, how.until)}"
    )


def _cents(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(Decimal("0.01"))


def _exactly(amount: Decimal) -> str | None:
    return f"Exactly \\${amount.normalize():,f}." if amount else None
