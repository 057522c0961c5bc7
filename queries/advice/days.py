"""How far a sum over days may lie from what another such period would bring: whole days drawn anew."""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import Decimal

DRAWS = 200
PICO = Decimal("0.000000000001")


def dollars(pico: int) -> Decimal:
    """Whole pico-dollars as dollars, exactly."""
    return (int(pico) * PICO).quantize(PICO)


def likely_range(days: Sequence[int], length: int) -> tuple[int, int]:
    """Between which sums (pico-dollars) eight of ten periods of so many days would lie: the 10th and 90th percentile.

    `days` are the sums of days that had any; the others of the `length` days had nothing. Bootstrap of whole days, 200
    draws (Efron 1979); the same days give the same range.
    """
    every = [*days, *[0] * (length - len(days))]
    if not every:
        return 0, 0
    draw = random.Random(0)
    sums = sorted(sum(draw.choices(every, k=len(every))) for _ in range(DRAWS))
    return sums[DRAWS // 10], sums[DRAWS - 1 - DRAWS // 10]
