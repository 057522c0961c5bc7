"""Figures of change: what rose and fell, and the steps from one sum to another."""

import plotly.graph_objects as go

from dashboard import units
from dashboard.figures import ALERT, GRID, HUES, MUTED, OTHER, axis, blank, kept, names_down
from dashboard.names import display_name
from dashboard.reading import Forecast
from dashboard.rows import Rows

MOST_MOVED = 6
# Sums this much larger than the steps between them would flatten the steps: the axis then starts above zero.
FLAT = 4


@kept
def waterfall(steps: Rows) -> go.Figure:
    """The steps between a first and a last sum, each where the one before it ended.

    `steps` has what (in words), amount_usd and is_sum; the amounts between two sums add up to their difference.
    """
    ends: list[float] = []
    starts: list[float] = []
    for amount, is_sum in zip(steps["amount_usd"], steps["is_sum"], strict=True):
        starts.append(0.0 if is_sum else ends[-1])
        ends.append(float(amount) if is_sum else ends[-1] + float(amount))
    lowest, highest = min(ends), max(ends)
    spread = highest - lowest
    floor = lowest - spread / 2 if spread and lowest > FLAT * spread else 0.0
    starts = [max(start, floor) for start in starts]
    colours = [
        OTHER if is_sum else ALERT if amount > 0 else HUES[2]
        for amount, is_sum in zip(steps["amount_usd"], steps["is_sum"], strict=True)
    ]
    said = [
        units.money(amount) if is_sum else units.signed_money(amount)
        for amount, is_sum in zip(steps["amount_usd"], steps["is_sum"], strict=True)
    ]
    figure = blank("usd", None, "day")
    figure.add_bar(
        x=[end - start for start, end in zip(starts, ends, strict=True)],
        base=starts,
        y=list(range(len(ends))),
        orientation="h",
        marker={"color": colours, "line": {"width": 0}},
        customdata=[[None, what, words] for what, words in zip(steps["what"], said, strict=True)],
        hovertemplate="<b>%{customdata[1]}</b><br>%{customdata[2]}<extra></extra>",
    )
    names_down(figure, steps["what"], said)
    reach = [floor, highest + (highest - floor) * 0.02] if highest > 0 else None
    figure.update_xaxes(showgrid=True, gridcolor=GRID, range=reach, zeroline=True, zerolinecolor=MUTED, nticks=5)
    figure.update_xaxes(**axis("usd"))
    if floor:
        figure.update_xaxes(title={"text": "The bars do not start at zero", "font": {"size": 11, "color": MUTED}})
    return figure


@kept
def month_end(seen: Forecast) -> go.Figure:
    """A month in one bar: what was spent, what is still to come, and the range that holds four times out of five."""
    to_come = seen.expected_usd - seen.spent_usd
    figure = blank("usd", None, "day")
    figure.add_bar(x=[seen.spent_usd], y=[0], orientation="h", marker={"color": HUES[0]}, hoverinfo="skip")
    figure.add_bar(
        x=[to_come],
        y=[0],
        orientation="h",
        marker={"color": f"{HUES[0]}59"},
        error_x={
            "type": "data",
            "array": [seen.high_usd - seen.expected_usd],
            "arrayminus": [seen.expected_usd - seen.low_usd],
            "color": MUTED,
            "thickness": 1.5,
            "width": 6,
        },
        hoverinfo="skip",
    )
    figure.update_layout(height=96, showlegend=False, bargap=0.5, margin={"l": 0, "r": 8, "t": 0, "b": 0})
    figure.update_yaxes(visible=False)
    figure.update_xaxes(showgrid=True, gridcolor=GRID, rangemode="tozero", nticks=6, **axis("usd"))
    return figure


@kept
def moved(changes: Rows, by: str) -> go.Figure:
    """Rises and falls of spend on either side of zero, largest first, in dollars and percent."""
    order = range(min(len(changes), MOST_MOVED))
    names = [changes[by][row] for row in order]
    amounts = [changes["cost_change_usd"][row] for row in order]
    spent = [[units.money(changes[column][row]) for column in ("cost_before_usd", "cost_usd")] for row in order]
    figure = blank("usd", None, "day")
    figure.add_bar(
        x=[float(amount) for amount in amounts],
        y=list(order),
        orientation="h",
        marker={"color": [ALERT if amount > 0 else HUES[2] for amount in amounts], "line": {"width": 0}},
        customdata=[[name, display_name(name, "plot"), *sums] for name, sums in zip(names, spent, strict=True)],
        hovertemplate="<b>%{customdata[1]}</b><br>%{customdata[2]} before, %{customdata[3]} now<extra></extra>",
    )
    names_down(figure, names, [_change(changes, row) for row in order])
    figure.update_xaxes(showgrid=True, gridcolor=GRID, zeroline=True, zerolinecolor=MUTED, nticks=5, **axis("usd"))
    return figure


def _change(changes: Rows, row: int) -> str:
    amount, before = changes["cost_change_usd"][row], changes["cost_before_usd"][row]
    how_much = "new" if not before else "gone" if not changes["cost_usd"][row] else f"{float(amount / before):+.0%}"
    return f"{units.signed_money(amount)} ({how_much})"
