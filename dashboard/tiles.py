"""The row of figures at the head of a page: value, unit, and the change against named dates."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

import streamlit as st

from dashboard import data, units
from dashboard.filter_bar import View
from queries import Filters

# Which way is good news. Volume is neither: more calls may be growth or a loop.
LESS_IS_BETTER = {
    "cost_usd",
    "cost_per_call_usd",
    "final_error_rate",
    "attempt_error_rate",
    "first_attempt_error_rate",
    "masked_rate",
    "truncation_rate",
    "truncated_cost_usd",
    "amplification",
    "wasted_ms",
    "unattributed_cost_usd",
    "write_premium_usd",
    "p50_ms",
    "p90_ms",
    "p95_ms",
    "p99_ms",
    "attempt_p50_ms",
    "attempt_p95_ms",
    "ttft_p50_ms",
    "ttft_p95_ms",
}
MORE_IS_BETTER = {"net_saving_usd", "gross_saving_usd", "cache_hit_rate", "read_per_write", "retry_known_rate"}


def figures(filters: Filters | None, *metrics: str) -> dict[str, Any]:
    """The single rows of several metrics as one mapping; where they share a column, the metric named first has it."""
    answer: dict[str, Any] = {}
    for metric in metrics:
        answer = data.read(metric, filters).first() | answer
    return answer


def row(
    view: View, columns: Sequence[str], metrics: Sequence[str], notes: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Draw one tile per column, read from these metrics; returns all their figures in words, for sentences."""
    now = figures(view.filters, *metrics)
    before = figures(view.before, *metrics) if view.before else {}
    with st.grid(min(len(columns), 4), min_column_width=150, gap="small"):
        for column in columns:
            _tile(view, column, now.get(column), before.get(column), (notes or {}).get(column, ""))
    return units.words(now, view.zone)


def _tile(view: View, column: str, value: Any, before: Any, note: str) -> None:
    change = units.change(column, value, before)
    help_text = " ".join(part for part in (note, _exactly(column, value), _was(view, column, before)) if part)
    st.metric(
        units.label(column),
        units.text(column, value, view.zone),
        change,
        border=True,
        height="stretch",
        help=help_text or None,
        delta_color="off" if change == units.NO_CHANGE else _colour(column),
        delta_arrow="off" if change == units.NO_CHANGE else "auto",
        delta_description=f"vs {view.before_period}" if change else None,
    )


def _colour(column: str) -> Literal["normal", "inverse", "off"]:
    return "inverse" if column in LESS_IS_BETTER else "normal" if column in MORE_IS_BETTER else "off"


def _exactly(column: str, value: Any) -> str:
    match units.kind(column):
        case "usd" if value:
            return f"Exactly \\${Decimal(value).normalize():,f}."
        case "tokens" if value:
            return f"Exactly {value:,} tokens."
    return ""


def _was(view: View, column: str, before: Any) -> str:
    return (
        f"{view.before_period}: {units.text(column, before, view.zone)}.".replace("$", "\\$")
        if before is not None
        else ""
    )
