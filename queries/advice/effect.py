"""Did it work: what calls cost before and after a measure, at equal volume and mix.

A call is compared with calls of the same model on the same day of the week, so that neither more traffic nor a shift
between models or between workdays and weekends passes for a saving.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pyarrow as pa

    from queries.filters import Filters

    Read = Callable[[str, Filters], pa.Table]
    Day = Mapping[str, tuple[int, int]]  # calls and pico-dollars by model

DAYS_BEFORE = 28  # four of each day of the week
LEAST_DAYS = 7
LEAST_CALLS = 100
DRAWS = 500
Verdict = Literal["too early", "saved", "cost more", "no difference to be seen"]


@dataclass(frozen=True)
class Effect:
    """What a measure saved since its day, of what the same calls would have cost as before it.

    saved, low, high: in the days after, 95 % of the draws of whole days lie between low and high (bootstrap, Efron
    1979). compared_rate: share of the calls after that have calls of their model and weekday before; the others are
    left out of all sums. All None while it is too early.
    """

    verdict: Verdict
    days_before: int
    days_after: int
    calls_before: int
    calls_after: int
    expected_usd: Decimal | None = None
    saved_usd: Decimal | None = None
    low_usd: Decimal | None = None
    high_usd: Decimal | None = None
    compared_rate: float | None = None


def of(read: Read, filters: Filters, feature: str | None, model: str | None, since: date) -> Effect:
    """The effect of a measure on its workload since a day: 28 days before it against all days after, up to `until`.

    The day itself counts on neither side: a change is rarely made at midnight. What a call costs is what all cost for
    each that was of use, so that waste which has gone shows too.
    """
    asked = replace(
        filters,
        since=since - timedelta(days=DAYS_BEFORE),
        features=(feature,) if feature else filters.features,
        models=(model,) if model else filters.models,
    )
    days: dict[date, dict[str, tuple[int, int]]] = defaultdict(dict)
    for row in read("advice_calls_by_day_and_model", asked).to_pylist():
        days[row["day"]][row["model"]] = (row["calls"], row["cost_pico"])
    before = [(day, told) for day, told in days.items() if day < since]
    after = [(day, told) for day, told in days.items() if day > since]
    calls_before, calls_after = (
        sum(calls for _, told in side for calls, _ in told.values()) for side in (before, after)
    )
    sizes = (len(before), len(after), calls_before, calls_after)
    if min(sizes[:2]) < LEAST_DAYS or min(sizes[2:]) < LEAST_CALLS:
        return Effect("too early", *sizes)
    unit = _unit_costs(before)
    compared = sum(calls for day, told in after for name, (calls, _) in told.items() if (name, day.weekday()) in unit)
    if compared < LEAST_CALLS:
        return Effect("too early", *sizes)
    saved = sum(_saved(day, told, unit) for day, told in after)
    expected = saved + sum(
        cost for day, told in after for name, (_, cost) in told.items() if (name, day.weekday()) in unit
    )
    low, high = _interval(before, after, unit)
    verdict: Verdict = "saved" if low > 0 else "cost more" if high < 0 else "no difference to be seen"
    usd = (_dollars(expected), _dollars(saved), _dollars(low), _dollars(high))
    return Effect(verdict, *sizes, *usd, compared / calls_after)


def _unit_costs(days: Sequence[tuple[date, Day]]) -> dict[tuple[str, int], float]:
    """What a call cost, by model and day of the week."""
    calls: dict[tuple[str, int], int] = defaultdict(int)
    costs: dict[tuple[str, int], int] = defaultdict(int)
    for day, told in days:
        for model, (count, cost) in told.items():
            calls[model, day.weekday()] += count
            costs[model, day.weekday()] += cost
    return {key: costs[key] / count for key, count in calls.items() if count}


def _saved(day: date, told: Day, unit: Mapping[tuple[str, int], float]) -> float:
    weekday = day.weekday()
    return sum(calls * unit[model, weekday] - cost for model, (calls, cost) in told.items() if (model, weekday) in unit)


def _interval(
    before: Sequence[tuple[date, Day]], after: Sequence[tuple[date, Day]], unit: Mapping[tuple[str, int], float]
) -> tuple[float, float]:
    draw = random.Random(0)
    sums = sorted(_drawn(draw, before, after, unit) for _ in range(DRAWS))
    return sums[DRAWS * 25 // 1000], sums[DRAWS - 1 - DRAWS * 25 // 1000]


def _drawn(draw: random.Random, before: Sequence[Any], after: Sequence[Any], unit: Mapping[Any, float]) -> float:
    """The saving with days drawn anew; what no drawn day tells of the time before is as it was."""
    then = {**unit, **_unit_costs(draw.choices(before, k=len(before)))}
    return sum(_saved(day, told, then) for day, told in draw.choices(after, k=len(after)))


def _dollars(pico: float) -> Decimal:
    """An estimate in dollars; its digits are those of a double."""
    return Decimal(round(pico)).scaleb(-12)
