"""The few formulas that signals rest on. Arrays are numpy's; NaN means unknown, and unknown days are left out."""

from __future__ import annotations

import numpy as np

from queries.signals.slate import Array


def median(values: Array, axis: int = -1) -> Array:
    """The median without the NaNs; NaN where nothing is left. (numpy's nanmedian is fifty times slower.)"""
    ordered = np.sort(values, axis=axis)  # NaNs go last
    count = np.sum(~np.isnan(values), axis=axis, keepdims=True)
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis=axis)
    high = np.take_along_axis(ordered, np.minimum(count // 2, values.shape[axis] - 1), axis=axis)
    return np.where(count > 0, (low + high) / 2, np.nan).squeeze(axis)


def spread(values: Array, axis: int = -1) -> Array:
    """A standard deviation that outliers do not move: the median distance from zero, times 1.4826."""
    return 1.4826 * median(np.abs(values), axis)


def stabilised(amount: Array, grain: Array, sigma: Array) -> Array:
    """An amount on a scale where its noise is 1: a square root for small amounts, a logarithm for large ones.

    The variance of an amount y with mean mu is grain * mu + (sigma * mu)**2: `grain` is the size of one event (1 for
    counts; sum of squares over sum for money), sigma the relative noise of a day. Integrating one over its root gives
    2 / sigma * asinh(sigma * sqrt(y / grain)) (Anscombe 1948).
    """
    return 2 / sigma * np.arcsinh(sigma * np.sqrt(np.maximum(amount, 0) / grain))


def amount_at(scaled: Array, grain: Array, sigma: Array) -> Array:
    """The amount at a place on that scale: the inverse of `stabilised`."""
    return grain / sigma**2 * np.sinh(sigma / 2 * np.maximum(scaled, 0)) ** 2


def rate_score(hits: Array, trials: Array, usual: Array, overdispersion: Array, usual_trials: Array) -> Array:
    """How far `hits` of `trials` lie above a usual rate, in standard deviations: the signed root of the deviance.

    Trials of one day resemble each other by `overdispersion` (0 to 1), so n of them count as n / (1 + (n - 1) * rho);
    and the usual rate is itself known from `usual_trials` only.
    """
    counted = trials / (1 + np.maximum(trials - 1, 0) * overdispersion)
    counted = 1 / (1 / np.maximum(counted, 1e-9) + 1 / np.maximum(usual_trials, 1))
    rate = np.clip(hits / np.maximum(trials, 1), 0, 1)
    usual = np.clip(usual, 1e-4, 1 - 1e-4)
    with np.errstate(divide="ignore", invalid="ignore"):
        told = np.where(rate > 0, rate * np.log(rate / usual), 0)
        told += np.where(rate < 1, (1 - rate) * np.log((1 - rate) / (1 - usual)), 0)
    return np.sign(rate - usual) * np.sqrt(np.maximum(2 * counted * told, 0))


def upper_tail(score: Array) -> Array:
    """The chance of a standard normal above a score (an approximation good to 1 %: Abramowitz and Stegun 26.2.17)."""
    t = 1 / (1 + 0.2316419 * np.maximum(score, 0))
    series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
    return np.exp(-np.square(np.maximum(score, 0)) / 2) / np.sqrt(2 * np.pi) * series


def first_discoveries(score: Array, share: float) -> Array:
    """Which scores of each column stand out when so many are looked at (Benjamini and Hochberg 1995).

    score: (tests, days); NaN is no test. At most `share` of what stands out on average does so by chance.
    """
    tail = np.where(np.isnan(score), 1, np.maximum(upper_tail(np.nan_to_num(score)), 1e-300))
    tests = np.sum(~np.isnan(score), axis=0)
    ordered = np.sort(tail, axis=0)
    allowed = share * np.arange(1, score.shape[0] + 1)[:, None] / np.maximum(tests, 1)
    passing = np.where(ordered <= allowed, ordered, 0).max(axis=0)
    return (tail <= passing) & (passing > 0)
