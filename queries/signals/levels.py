"""What a day should cost: a level times a weekday, learnt from the days before, with the noise that is usual.

Every value is known on the morning of its day. A spike cannot move the level, because a day enters the history only as
far as it was believable; a lasting step is followed in about ten days and then is the new normal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from queries.signals.slate import Array, Slate
from queries.signals.statistics import amount_at, median, spread, stabilised

WINDOW = 28  # days of history
SETTLED = 14  # days after which a slice is judged
BELIEVED = 4.5  # standard deviations within which a day enters the history
PRIOR_DAYS = 12.0  # what the other slices' noise is worth, in days of one's own
LEAST_NOISE, FIRST_NOISE = 0.06, 0.25


@dataclass(frozen=True)
class Level:
    """All (S, D). `scale` is where 80 % of past days fell, in standard deviations: 1.28 if the noise were normal."""

    expected: Array
    whole: Array  # what the whole day would be expected to come to
    sigma: Array
    grain: Array
    score: Array
    low: Array
    high: Array
    residual: Array  # log of actual over expected; NaN on days too small to tell
    factor: Array  # weekday factor


def expect(
    amount: Array, grain: Array, covered: Array, born: Array, weekend: Array, judged_days: int, slate: Slate
) -> Level:
    """The level model over (S, D) amounts. `covered` (S, D) is the part of each day's usual amount that was logged.

    Expected, low and high are for the part that was logged; NaN where less than 30 % was, or before the eighth day.
    """
    days, shape = amount.shape[1], amount.shape
    names = ("expected", "whole", "sigma", "grain", "score", "low", "high", "residual", "factor", "believed", "shot")
    expected, whole, sigma, grains, score, low, high, residual, factors, believed, shot = (
        slate.array(name, shape) for name in names
    )
    amount_sum = np.cumsum(np.pad(amount, ((0, 0), (1, 0))), axis=1)
    grain_sum = np.cumsum(np.pad(amount * grain, ((0, 0), (1, 0))), axis=1)
    for day in range(slate.first, days):
        begin = max(day - WINDOW, 0)
        known = slice(begin, min(day, judged_days))
        seen = day - born
        events = amount_sum[:, day] - amount_sum[:, begin]
        one = np.where(events > 0, (grain_sum[:, day] - grain_sum[:, begin]) / np.maximum(events, 1e-12), np.nan)
        one = np.maximum(np.nan_to_num(one, nan=1e-6), 1e-6)
        here = np.where(covered[:, day] >= 0.3, amount[:, day] / np.maximum(covered[:, day], 0.3), np.nan)
        if day >= 7:
            factor, level = _weekdays(_window(believed, day), weekend[day - 7 : day])
            mu = np.where(seen >= 7, level * factor[:, 0], np.nan)
            noise = _noise(residual[:, known], shot[:, known])
            mu_part = np.where(covered[:, day] >= 0.3, mu * covered[:, day], np.nan)
            there = stabilised(mu_part, one, noise)
            z = stabilised(amount[:, day], one, noise) - there
            reach = _reach(score[:, known])
            whole[:, day], expected[:, day], sigma[:, day], score[:, day], grains[:, day] = mu, mu_part, noise, z, one
            factors[:, day] = factor[:, 0]
            low[:, day], high[:, day] = amount_at(there - reach, one, noise), amount_at(there + reach, one, noise)
            if day < judged_days:
                enough = mu_part > 4 * one
                residual[:, day] = np.where(enough, np.log((amount[:, day] + one / 4) / (mu_part + one / 4)), np.nan)
                shot[:, day] = np.where(enough, one / np.maximum(mu_part, 1e-9), np.nan)
            centre = stabilised(mu, one, noise)
            bottom, top = amount_at(centre - BELIEVED, one, noise), amount_at(centre + BELIEVED, one, noise)
            here = np.where(np.isnan(mu) | np.isnan(here), here, np.clip(here, bottom, top))
        believed[:, day] = np.where((seen >= 0) & (day < judged_days), here, np.nan)
    return Level(expected, whole, sigma, grains, score, low, high, residual, factors)


def _window(values: Array, day: int) -> Array:
    """(S, 28): the four weeks before a day; NaN before the first."""
    past = values[:, max(day - WINDOW, 0) : day]
    return np.pad(past, ((0, 0), (WINDOW - past.shape[1], 0)), constant_values=np.nan)


def _weekdays(window: Array, weekend: Array) -> tuple[Array, Array]:
    """(S, 7) weekday factors, today's first, and (S,) the level: both from the last 28 days.

    A weekday's factor is the median of its up to four shares of a week; with few of them it leans on that of all
    working days, or of the weekend.
    """
    blocks = window.reshape(len(window), WINDOW // 7, 7)
    known = ~np.isnan(blocks)
    mean = np.nansum(blocks, axis=2) / np.maximum(known.sum(axis=2), 1)
    usable = (known.sum(axis=2) >= 5) & (mean > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(usable[:, :, None], blocks / mean[:, :, None], np.nan)
    own, count = median(ratio, axis=1), np.sum(~np.isnan(ratio), axis=1)
    alike = np.empty(own.shape)
    for kind in (False, True):
        alike[:, weekend == kind] = median(ratio[:, :, weekend == kind].reshape(len(ratio), -1), axis=1)[:, None]
    weight = np.where((own == 0) & (count >= 2), 1.0, count / (count + 2.0))  # a weekly job's other days stay empty
    own = np.where(np.isnan(own), alike, own)
    factor = np.nan_to_num(weight * own + (1 - weight) * alike, nan=1.0)
    mean = factor.mean(axis=1, keepdims=True)
    factor = np.where(mean > 0, factor / np.maximum(mean, 1e-12), 1.0)
    return factor, _level(window, factor)


def _level(window: Array, factor: Array) -> Array:
    recent = window[:, -14:]
    weight = np.where(np.isnan(recent), 0, np.tile(factor, 2)) * 0.93 ** np.arange(13, -1, -1)
    return np.nansum(recent * 0.93 ** np.arange(13, -1, -1), axis=1) / np.maximum(weight.sum(axis=1), 1e-9)


def _noise(residual: Array, shot: Array) -> Array:
    """(S,) relative noise of a day beyond the shot noise; the slices' common noise stands in for missing days."""
    count = np.sum(~np.isnan(residual), axis=1)
    own = np.nan_to_num(spread(residual, axis=1) ** 2 - np.nan_to_num(median(shot, axis=1)), nan=0)
    own = np.maximum(own, LEAST_NOISE**2)
    known = count >= 7
    common = float(np.median(own[known])) if known.sum() >= 3 else FIRST_NOISE**2
    return np.sqrt((count * own + PRIOR_DAYS * common) / (count + PRIOR_DAYS))


def _reach(score: Array) -> float:
    """Within how many standard deviations 80 % of all slices' past days fell."""
    seen = np.abs(score[~np.isnan(score)])
    if len(seen) < 100:
        return 1.28
    return float(np.clip(np.quantile(seen, 0.8), 0.8, 2.5))
