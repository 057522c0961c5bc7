"""Splitting a change of cost among the things that changed, so that the parts add up and no order is preferred.

Cost is a product of factors; when several of them move at once, what each is worth depends on which is moved first. The
Shapley value is the mean over all orders (Shapley 1953). It needs the cost of every combination of old and new factors:
128 for seven of them. Zeros need no special care.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from math import factorial

import numpy as np

from queries.signals.slate import Array

PICO = Decimal("0.000000000001")

Factors = Mapping[str, float]


def shares(
    value: Callable[[dict[str, Array]], Array], before: Factors, after: Factors, movers: Mapping[str, tuple[str, ...]]
) -> dict[str, float]:
    """What each mover contributes to value(after) - value(before). A mover moves its factors together.

    `value` takes arrays, one entry per combination. The shares add up to the change but for rounding of doubles.
    """
    count = len(movers)
    moved = (np.arange(2**count)[:, None] >> np.arange(count)) & 1 == 1
    factors = {
        name: np.where(moved[:, place], after[name], before[name])
        for place, names in enumerate(movers.values())
        for name in names
    }
    worth = value(factors)
    size = moved.sum(axis=1)
    weight = np.array([factorial(n) * factorial(count - n - 1) / factorial(count) for n in range(count)] + [0.0])
    found = {}
    for place, mover in enumerate(movers):
        without = np.flatnonzero(~moved[:, place])
        gain = worth[without | (1 << place)] - worth[without]
        found[mover] = float((weight[size[without]] * gain).sum())
    return found


def exact(parts: Mapping[str, float], change: Decimal) -> dict[str, Decimal]:
    """The same parts in whole pico-dollars that add up to the change exactly: the largest takes the rounding."""
    whole = {name: Decimal(part).quantize(PICO, ROUND_HALF_EVEN) for name, part in parts.items()}
    largest = max(whole, key=lambda name: abs(whole[name]))
    whole[largest] += change - sum(whole.values(), Decimal(0))
    return whole
