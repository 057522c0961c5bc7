"""What the month will come to: what is spent, plus the last week's mean by weekday for the days that are left.

The range grows with the days left, with the noise of a day and, above all, with how far the level wanders from week to
week: a random walk that intervals from daily noise alone leave out.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from queries.filters import Filters
from queries.signals.slate import Array
from queries.signals.statistics import median
from queries.signals.sums import Read

T8_90 = 1.3968  # 90 % quantile of Student's t with 8 degrees of freedom
PRIOR_WEEKS, PRIOR_SD, LITTLE_DATA_SD = 4, 0.15, 0.30
LARGEST_STEP = 0.36  # log change of a day or a week that still counts in full
LEAST_DAYS = 7  # of history; with fewer there is no forecast
WEEKDAYS_FROM = 14


@dataclass(frozen=True)
class Forecast:
    """A month's end, as it could be seen on the evening of `as_of`. Dollars; low and high hold four times out of five.

    backtest_error: mean error of the forecasts that the same rule would have made in months that are over, as a part of
    what those came to; None without such months. is_early: less than two weeks of history.
    """

    month: date
    as_of: date
    spent_usd: float
    expected_usd: float
    low_usd: float
    high_usd: float
    is_early: bool
    backtest_error: float | None


def forecast(read: Read, filters: Filters, as_of: date | None = None) -> Forecast | None:
    """Where the month of the last whole day (or of `as_of`) will end. None with less than a week of history."""
    table = read("spend_by_day", Filters(**{**filters.__dict__, "since": None, "until": None}))
    spent = {row["day"]: float(row["cost_usd"]) for row in table.to_pylist()}
    if not spent:
        return None
    last = as_of or max(spent) - timedelta(days=1)  # the last day in the data is still being spent
    first = min(spent)
    amounts = np.array([spent.get(first + timedelta(days=n), 0.0) for n in range((last - first).days + 1)])
    if len(amounts) < LEAST_DAYS:
        return None
    return _at(first, amounts, _error(first, amounts))


def _at(first: date, amounts: Array, error: float | None) -> Forecast:
    last = first + timedelta(days=len(amounts) - 1)
    month = last.replace(day=1)
    left = monthrange(last.year, last.month)[1] - last.day
    so_far = float(amounts[-last.day :].sum())
    spent, expected, width = month_end(amounts, so_far, left)
    reach = float(np.exp(T8_90 * width))
    return Forecast(
        month, last, spent, expected, spent + (expected - spent) / reach, spent + (expected - spent) * reach,
        len(amounts) < WEEKDAYS_FROM, error,
    )  # fmt: skip


def month_end(amounts: Array, so_far: float, left: int) -> tuple[float, float, float]:
    """Spent so far, the month's expected total, and the standard deviation of the log of what is still to come.

    amounts: every day until today, oldest first. left: days of the month that are left.
    """
    week = amounts[-7:].mean()
    factor = _weekday_factors(amounts)
    coming = week * float(sum(factor[(len(amounts) + n) % 7] for n in range(left)))
    if not left:
        return so_far, so_far, 0.0
    daily, weekly = _variances(amounts, factor)
    return so_far, so_far + coming, float(np.sqrt(daily / left + daily / 7 + weekly * (0.5 + left / 21)))


def _weekday_factors(amounts: Array) -> Array:
    """(7,) by position modulo 7 in `amounts`: the median share of a day in its week, over up to four weeks."""
    if len(amounts) < WEEKDAYS_FROM:
        return np.ones(7)
    weeks = min(len(amounts) // 7, 4)
    block = amounts[-7 * weeks :].reshape(weeks, 7)
    mean = block.mean(axis=1, keepdims=True)
    share = median(np.where(mean > 0, block / np.maximum(mean, 1e-12), np.nan), axis=0)
    weight = weeks / (weeks + 1)
    factor = np.roll(weight * np.nan_to_num(share, nan=1.0) + 1 - weight, len(amounts) % 7)
    return factor / factor.mean()


def _variances(amounts: Array, factor: Array) -> tuple[float, float]:
    """Variance of the log of a day within its week, and of the log of the level from week to week."""
    weeks = min(len(amounts) // 7, 12)
    block = amounts[-7 * weeks :].reshape(weeks, 7)
    positions = (np.arange(len(amounts) - 7 * weeks, len(amounts)) % 7).reshape(weeks, 7)
    level = block.mean(axis=1)
    known = level > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        residual = np.log(np.maximum(block, 1e-9) / (level[:, None] * factor[positions]))
    squares = np.minimum(np.where(np.isfinite(residual), residual, 0) ** 2, LARGEST_STEP)[known]
    daily = (PRIOR_SD**2 * PRIOR_WEEKS * 6 + squares.sum()) / (PRIOR_WEEKS * 6 + max(squares.size * 6 / 7, 0))
    steps = np.diff(np.log(level[known])) if known.sum() > 1 else np.zeros(0)
    prior = PRIOR_SD if len(amounts) >= WEEKDAYS_FROM else LITTLE_DATA_SD
    squares = np.maximum(np.minimum(steps**2, LARGEST_STEP) - 2 * daily / 7, 0)
    weekly = (prior**2 * PRIOR_WEEKS + squares.sum()) / (PRIOR_WEEKS + squares.size)
    return float(daily), float(weekly)


def _error(first: date, amounts: Array) -> float | None:
    """Mean error of the forecasts made on days 3 to 25 of every whole month but the first two weeks of the history."""
    errors = []
    for end in range(WEEKDAYS_FROM, len(amounts)):
        today = first + timedelta(days=end - 1)
        length = monthrange(today.year, today.month)[1]
        left = length - today.day
        if not 3 <= today.day <= 25 or end + left > len(amounts) or end < today.day:
            continue
        whole = amounts[end - today.day : end + left].sum()
        if whole > 0:
            _, expected, _ = month_end(amounts[:end], float(amounts[end - today.day : end].sum()), left)
            errors.append(abs(expected / whole - 1))
    return float(np.mean(errors)) if errors else None
