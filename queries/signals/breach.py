"""When an amount will be used up: the day on which the forecast's path passes it, and its range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from queries.signals.forecast import LEAST_DAYS, T8_90, month_end
from queries.signals.slate import Array


@dataclass(frozen=True)
class Path:
    """Where spend is heading. Dollars, one entry per coming day; low and high hold four times out of five.

    `expected_on`, `earliest_on`, `latest_on`: the first day on which the middle, the high and the low path reach the
    amount; None: not within these days.
    """

    days: tuple[date, ...]
    expected_usd: tuple[float, ...]
    low_usd: tuple[float, ...]
    high_usd: tuple[float, ...]
    expected_on: date | None
    earliest_on: date | None
    latest_on: date | None


def path(history: Array, as_of: date, kept: Sequence[float], spent: float, amount: float) -> Path | None:
    """The path of the days after `as_of`. None with less than a week of history, or without a day to come.

    history: what every day until `as_of` cost, oldest first. kept: for each coming day, the part of `history` that
    still counts on it. spent: what counts already, the day that is still running included: no path falls below it.
    The method is the month-end forecast's, day by day (see `queries.signals.forecast`).
    """
    if len(history) < LEAST_DAYS or not len(kept):
        return None
    days: list[date] = []
    middle: list[float] = []
    low: list[float] = []
    high: list[float] = []
    for ahead, base in enumerate(kept, 1):
        _, coming, width = month_end(history, 0.0, ahead)
        reach = float(np.exp(T8_90 * width))
        days.append(as_of + timedelta(days=ahead))
        for side, amount_here in ((middle, coming), (low, coming / reach), (high, coming * reach)):
            side.append(max(float(base + amount_here), spent if ahead == 1 else 0.0))
    firsts = [
        next((day for day, reached in zip(days, side, strict=True) if reached >= amount), None)
        for side in (middle, high, low)
    ]
    return Path(tuple(days), tuple(middle), tuple(low), tuple(high), *firsts)
