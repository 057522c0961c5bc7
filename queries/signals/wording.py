"""A signal in a sentence: what, when, how much, what was expected, how unusual, and why."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from queries.signals.signals import Signal

NAMES = {
    "cost": "cost",
    "requests": "requests",
    "tokens_per_request": "typical tokens per request",
    "cost_per_request": "cost per request",
    "attempts_per_request": "attempts per request",
    "truncation_rate": "answers cut off",
    "error_rate": "attempts that failed",
    "masked_error_rate": "errors that retries hid",
    "cache_hit_rate": "cache hit rate",
    "latency_p95": "95 % of the calls took up to",
    "typical_latency": "the typical call took",
}
LEAST_TOLD_USD = 0.005  # less is no money
CAUSES = {
    "requests": "the number of requests",
    "attempts_per_request": "repeated attempts",
    "input": "longer or shorter prompts",
    "cache_hit_rate": "the cache hit rate",
    "output": "longer or shorter answers",
    "price": "the price per token (model, mode or list price)",
}


def sentence(signal: Signal) -> str:
    """The signal in words, in the reader's money and units."""
    subject = "All spend" if signal.slice_kind == "total" else f"{signal.slice_kind.capitalize()} {signal.slice}"
    said = (
        f"{subject}: {NAMES[signal.metric]} {_amount(signal.metric, signal.actual)} {_when(signal.start, signal.end)}, "
        f"expected {_amount(signal.metric, signal.low)} to {_amount(signal.metric, signal.high)}"
        f" ({abs(signal.score):.1f} times the usual noise)"
    )
    if signal.cause and abs(worth := signal.parts.get(signal.cause, 0.0)) >= LEAST_TOLD_USD:
        said += f"; {_dollars(worth, signed=True)} by {CAUSES[signal.cause]}"
    if signal.driver_user:
        said += f", mostly user {signal.driver_user}"
    return said + "."


def _when(start: datetime, end: datetime) -> str:
    if (end - start).days == 1 and start.hour == 0:
        return f"on {start:%a %d %b}"
    if start.hour == end.hour == 0:
        return f"from {start:%a %d %b} until {end:%a %d %b}"
    return f"from {start:%a %d %b %H:%M} until {end:%a %d %b %H:%M}"


def _amount(metric: str, value: float) -> str:
    if metric in ("cost", "cost_per_request"):
        return _dollars(value)
    if metric.endswith("_rate"):
        return f"{value:.1%}".replace("%", " %")
    if metric in ("latency_p95", "typical_latency"):
        return f"{value / 1000:.1f} s"
    is_whole = metric == "requests" or abs(value) >= 100
    return f"{value:,.0f}" if is_whole else f"{value:,.2f}"


def _dollars(value: float, signed: bool = False) -> str:
    sign = ("+" if value >= 0 else "-") if signed else ("-" if value < 0 else "")
    return f"{sign}${abs(value):,.2f}" if abs(value) >= 0.1 or not value else f"{sign}${abs(value):,.4f}"
