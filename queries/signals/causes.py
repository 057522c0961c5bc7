"""Why a slice's cost is not what was expected: its days' factors against those of the two weeks before."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from queries.signals.series import Series
from queries.signals.shapley import shares
from queries.signals.slate import Array

BASELINE_DAYS = 14
MOVERS = {
    "requests": ("requests",),
    "attempts_per_request": ("attempts",),
    "input": ("uncached", "cacheable"),
    "cache_hit_rate": ("hit",),
    "output": ("output",),
    "price": ("input_price", "read_price", "write_price", "output_price"),
}
# What a metric that is itself a factor can be moved by; cost and requests can be moved by everything.
OF_METRIC = {
    "tokens_per_request": ("input", "output"),
    "cost_per_request": ("attempts_per_request", "input", "cache_hit_rate", "output", "price"),
    "attempts_per_request": ("attempts_per_request",),
    "cache_hit_rate": ("cache_hit_rate",),
    "requests": ("requests",),
}
WITHOUT_COST = ("truncation_rate", "error_rate", "masked_error_rate", "latency_p95", "typical_latency")


def cost_of(factors: Mapping[str, Array]) -> Array:
    """What so many requests cost: their billed tries, each with its tokens at their prices."""
    hit = factors["hit"]
    cached = factors["cacheable"] * (hit * factors["read_price"] + (1 - hit) * factors["write_price"])
    each = factors["uncached"] * factors["input_price"] + cached + factors["output"] * factors["output_price"]
    return factors["requests"] * factors["attempts"] * each


def parts(series: Series, row: int, first: int, last: int, usual_requests: float | None) -> dict[str, float]:
    """Dollars that each factor added to the days first..last of a slice, against the usual days before.

    `usual_requests`: how many were expected on these days; None takes the mean of the days before.
    """
    before = _sums(series, row, _usual_days(series, first, last))
    after = _sums(series, row, np.arange(first, last + 1))
    if before["days"] == 0 or before["calls"] == 0:
        return dict.fromkeys(MOVERS, 0.0)
    old, new = _factors(before), _factors(after)
    length = last - first + 1
    old["requests"] = usual_requests if usual_requests is not None else before["calls"] / before["days"] * length
    for price in MOVERS["price"]:
        old[price], new[price] = (
            old[price] if not np.isnan(old[price]) else np.nan_to_num(new[price]),
            new[price] if not np.isnan(new[price]) else np.nan_to_num(old[price]),
        )
    for ratio in ("hit",):
        old[ratio], new[ratio] = (
            old[ratio] if not np.isnan(old[ratio]) else np.nan_to_num(new[ratio]),
            new[ratio] if not np.isnan(new[ratio]) else np.nan_to_num(old[ratio]),
        )
    return shares(cost_of, old, new, MOVERS)


def main_cause(metric: str, found: Mapping[str, float], is_rise: bool) -> str | None:
    """The factor that did most in the flag's direction, of those that can move the metric. None without money."""
    if metric in WITHOUT_COST:
        return None
    able = OF_METRIC.get(metric, tuple(MOVERS))
    worth = {name: found[name] if is_rise or metric == "cache_hit_rate" else -found[name] for name in able}
    return max(worth, key=lambda name: worth[name])


def _usual_days(series: Series, first: int, last: int) -> Array:
    """The two weeks before, working days or weekends as those in question, and logged for the most part."""
    past = np.arange(max(first - BASELINE_DAYS, 0), first)
    logged = past[series.covered[past].mean(axis=1) > 0.8]
    kinds = set(series.weekend[first : last + 1].tolist())
    alike = logged[np.isin(series.weekend[logged], list(kinds))]
    return alike if len(alike) >= 3 else logged


def _sums(series: Series, row: int, days: Array) -> dict[str, float]:
    sums = {name: float(values[row, days].sum()) for name, values in series.days.items()}
    return sums | {"days": float(len(days))}


def _factors(sums: Mapping[str, float]) -> dict[str, float]:
    billed = max(sums["billed_attempts"], 1e-9)
    cacheable = sums["cache_read_tokens"] + sums["cache_write_tokens"]
    return {
        "requests": sums["calls"],
        "attempts": sums["billed_attempts"] / max(sums["calls"], 1e-9),
        "uncached": sums["uncached_input_tokens"] / billed,
        "cacheable": cacheable / billed,
        "hit": sums["cache_read_tokens"] / cacheable if cacheable else np.nan,
        "output": sums["output_tokens"] / billed,
        "input_price": _price(sums["input_cost_usd"], sums["uncached_input_tokens"]),
        "read_price": _price(sums["cache_read_cost_usd"], sums["cache_read_tokens"]),
        "write_price": _price(sums["cache_write_cost_usd"], sums["cache_write_tokens"]),
        "output_price": _price(sums["output_cost_usd"], sums["output_tokens"]),
    }


def _price(cost_usd: float, tokens: float) -> float:
    return cost_usd / tokens if tokens else np.nan
