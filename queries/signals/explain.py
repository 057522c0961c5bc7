"""Why one period cost more than another: parts in dollars that add up to the change, exactly, by slice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from queries.filters import Filters
from queries.signals.shapley import exact, shares
from queries.signals.slate import Array
from queries.signals.sums import Read

COVER = Decimal("0.67")  # of the change that the named slices together must explain (Adtributor, NSDI 2014)
WORTH_NAMING = Decimal("0.1")
PILES = {
    "input": ("input_cost_usd", "uncached_input_tokens"),
    "read": ("cache_read_cost_usd", "cache_read_tokens"),
    "write": ("cache_write_cost_usd", "cache_write_tokens"),
    "output": ("output_cost_usd", "output_tokens"),
}
MOVERS = {
    "requests": ("requests",),
    "attempts_per_request": ("attempts",),
    "input": ("uncached", "cacheable"),
    "cache_hit_rate": ("hit",),
    "output": ("whole_output", "cut_output"),
    "truncation": ("cut",),
    "model_mix": ("mix",),
    "list_price": ("list",),
    "web_search": ("search",),
}
# A slice that is new, or gone, has no factors on one side.
NAMES = (*MOVERS, "new_slices", "ended_slices")

Row = Mapping[str, float]


@dataclass(frozen=True)
class SliceChange:
    """What one slice cost before and after, and the parts of the difference; they add up to it exactly."""

    slice: str
    before_usd: Decimal
    after_usd: Decimal
    parts: dict[str, Decimal]

    @property
    def change_usd(self) -> Decimal:
        """After less before."""
        return self.after_usd - self.before_usd


@dataclass(frozen=True)
class Explanation:
    """A change of cost: its parts over all slices, each slice's own, and the fewest slices that explain it."""

    before_usd: Decimal
    after_usd: Decimal
    parts: dict[str, Decimal]
    slices: tuple[SliceChange, ...]
    explained_by: tuple[str, ...]

    @property
    def change_usd(self) -> Decimal:
        """After less before; the sum of the parts, and of the slices' changes."""
        return self.after_usd - self.before_usd


def explain(read: Read, before: Filters, after: Filters, by: str = "feature") -> Explanation:
    """Split the change of cost from one question to another into its causes, by feature, model, user or team.

    `read` reads a metric view under filters. The parts are Shapley values of requests, billed tries per request, input
    per try, hit rate, output per try, truncation, model mix, list price and web searches; see `shapley`.
    """
    metric, column = f"cost_factors_by_{by}", "user_id" if by == "user" else by
    old, new = (_by_slice(read(metric, filters).to_pylist(), column) for filters in (before, after))
    changes = [_change(name, old.get(name, []), new.get(name, [])) for name in sorted({*old, *new})]
    changes.sort(key=lambda change: (-abs(change.change_usd), change.slice))
    zero = Decimal(0)
    total = {name: sum((change.parts.get(name, zero) for change in changes), zero) for name in NAMES}
    return Explanation(
        sum((change.before_usd for change in changes), zero), sum((change.after_usd for change in changes), zero),
        total, tuple(changes), _fewest(changes),
    )  # fmt: skip


def _by_slice(rows: list[dict[str, object]], column: str) -> dict[str, list[dict[str, object]]]:
    grouped: dict[str, list[dict[str, object]]] = {}
    for row in rows:
        grouped.setdefault(str(row[column]), []).append(row)
    return grouped


def _fewest(changes: list[SliceChange]) -> tuple[str, ...]:
    """The fewest slices that explain two thirds of the change and a tenth each; the largest changes come first."""
    whole = sum((change.change_usd for change in changes), Decimal(0))
    if not whole:
        return ()
    named, covered = [], Decimal(0)
    for change in sorted(changes, key=lambda change: change.change_usd / whole, reverse=True):
        part = change.change_usd / whole
        if covered >= COVER or part < WORTH_NAMING:
            break
        named.append(change.slice)
        covered += part
    return tuple(named)


def _change(name: str, old: list[dict[str, object]], new: list[dict[str, object]]) -> SliceChange:
    before, after = (sum((Decimal(str(row["cost_usd"])) for row in rows), Decimal(0)) for rows in (old, new))
    change = after - before
    if not _billed(old) or not _billed(new):
        kind = "ended_slices" if _billed(old) else "new_slices"
        return SliceChange(name, before, after, {kind: change} if change else {})
    first, last = _factors(old), _factors(new)
    for ratio in ("hit", "whole_output", "cut_output"):
        if np.isnan(first[ratio]):
            first[ratio] = np.nan_to_num(last[ratio])
        if np.isnan(last[ratio]):
            last[ratio] = first[ratio]
    prices = _prices(old, new)
    marks = {"mix": 0.0, "list": 0.0}, {"mix": 1.0, "list": 1.0}
    parts = shares(lambda factors: _cost(factors, prices), first | marks[0], last | marks[1], MOVERS)
    return SliceChange(name, before, after, exact(parts, change))


def _billed(rows: list[dict[str, object]]) -> float:
    return sum(float(str(row["billed_attempts"])) for row in rows)


def _cost(factors: Mapping[str, Array], prices: Mapping[str, Array]) -> Array:
    """What so many requests cost. prices[pile][mix, list] is what a token costs by which models, on which list."""
    mix, of_list = factors["mix"].astype(int), factors["list"].astype(int)
    price = {pile: table[mix, of_list] for pile, table in prices.items()}
    hit, cut = factors["hit"], factors["cut"]
    cached = factors["cacheable"] * (hit * price["read"] + (1 - hit) * price["write"])
    output = (1 - cut) * factors["whole_output"] + cut * factors["cut_output"]
    each = factors["uncached"] * price["input"] + cached + output * price["output"] + factors["search"]
    return factors["requests"] * factors["attempts"] * each


def _factors(rows: list[dict[str, object]]) -> dict[str, float]:
    sums = {name: sum(float(str(row[name])) for row in rows) for name in rows[0] if name in _SUMMED}
    billed, cut = sums["billed_attempts"], sums["truncated_attempts"]
    calls = sums["calls"] or billed
    cacheable = sums["cache_read_tokens"] + sums["cache_write_tokens"]
    return {
        "requests": calls,
        "attempts": billed / calls,
        "uncached": sums["uncached_input_tokens"] / billed,
        "cacheable": cacheable / billed,
        "hit": sums["cache_read_tokens"] / cacheable if cacheable else np.nan,
        "cut": cut / billed,
        "cut_output": sums["truncated_tokens"] / cut if cut else np.nan,
        "whole_output": (sums["output_tokens"] - sums["truncated_tokens"]) / (billed - cut) if billed > cut else np.nan,
        "search": sums["web_search_cost_usd"] / billed,
    }


_SUMMED = (
    "calls", "billed_attempts", "uncached_input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens",
    "truncated_tokens", "truncated_attempts", "web_search_cost_usd",
)  # fmt: skip


def _prices(old: list[dict[str, object]], new: list[dict[str, object]]) -> dict[str, Array]:
    """For each pile a 2 by 2 table of dollars a token: the models used before or after, at prices before or after.

    A model that occurs on one side only has the same price on both: its coming and going is mix, not price.
    """
    tables = {}
    for pile, (cost, tokens) in PILES.items():
        used = [{str(row["answered_by"]): float(str(row[tokens])) for row in rows} for rows in (old, new)]
        paid = [{str(row["answered_by"]): float(str(row[cost])) for row in rows} for rows in (old, new)]
        each = [{model: paid[side][model] / count for model, count in used[side].items() if count} for side in (0, 1)]
        table = np.full((2, 2), np.nan)
        for mix in (0, 1):
            whole = sum(used[mix].values())
            for of_list in (0, 1):
                if whole:
                    table[mix, of_list] = sum(
                        count * each[of_list].get(model, each[mix].get(model, 0.0))
                        for model, count in used[mix].items()
                    ) / whole  # fmt: skip
        for mix in (0, 1):  # a pile that was empty on one side costs there what it costs on the other
            if np.isnan(table[mix]).any():
                table[mix] = np.nan_to_num(table[1 - mix])
        tables[pile] = table
    return tables
