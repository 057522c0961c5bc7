"""What a ratio or a rate should be: learnt from the days before of the same kind, weekend or working day.

A ratio (tokens per request) is judged on its logarithm, a rate (k of n) as an overdispersed binomial. Sample sizes are
part of the score, so a slice with ten calls is not surprising.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from queries.signals.levels import Level
from queries.signals.slate import Array, Slate
from queries.signals.statistics import median, rate_score, spread

HISTORY = 14
BELIEVED = 4.5  # standard deviations within which a day enters the history
RATE_HISTORY = 28
PRIOR_DAYS = 10.0
FIRST_NOISE = 0.05  # of a ratio from day to day, until there are slices to learn it from
LATENCY_STEPS = 176  # histogram steps kept: the last begins at 2**22 ms, more than an hour


@dataclass(frozen=True)
class Judged:
    """All (S, D), in the unit of the metric. `score` is positive when the value is above what was expected."""

    actual: Array
    expected: Array
    low: Array
    high: Array
    score: Array


def judged(level: Level, actual: Array) -> Judged:
    """An amount against its level."""
    return Judged(actual, level.expected, level.low, level.high, level.score)


def expect_ratio(logs: Array, sampling: Array, weekend: Array, judged_days: int, slate: Slate) -> Judged:
    """Judge the logarithm of a ratio. `sampling` is its variance from the size of the day's sample; NaN is no value."""
    days, shape = logs.shape[1], logs.shape
    names = ("expected", "noise", "residual", "error", "believed")
    expected, noise, residual, error, believed = (slate.array(name, shape) for name in names)
    believed[:, slate.first :] = logs[:, slate.first :]
    for day in range(max(slate.first, 4), days):
        past = np.arange(max(day - HISTORY, 0), min(day, judged_days))
        alike = past[weekend[past] == weekend[day]]
        if not len(alike):
            continue
        base = median(believed[:, alike])
        count = np.sum(~np.isnan(believed[:, alike]), axis=1)
        before = np.arange(max(day - RATE_HISTORY, 0), min(day, judged_days))
        seen = np.sum(~np.isnan(residual[:, before]), axis=1)
        own = np.nan_to_num(spread(residual[:, before]) ** 2 - np.nan_to_num(median(error[:, before])), nan=0)
        known = seen >= 7
        pooled = float(np.median(np.maximum(own, 1e-4)[known])) if known.sum() >= 3 else FIRST_NOISE**2
        wobble = (seen * np.maximum(own, 1e-4) + PRIOR_DAYS * pooled) / (seen + PRIOR_DAYS)
        of_base = 1.57 * (wobble + np.nan_to_num(median(sampling[:, alike]))) / np.maximum(count, 1)
        expected[:, day] = np.where(count >= 3, base, np.nan)
        noise[:, day] = np.sqrt(sampling[:, day] + wobble + of_base)
        residual[:, day] = logs[:, day] - expected[:, day]
        error[:, day] = sampling[:, day] + of_base
        reach = BELIEVED * noise[:, day]
        clipped = np.clip(logs[:, day], expected[:, day] - reach, expected[:, day] + reach)
        believed[:, day] = np.where(np.isnan(clipped), logs[:, day], clipped)
    reach = 1.28 * noise
    return Judged(
        np.exp(logs), np.exp(expected), np.exp(expected - reach), np.exp(expected + reach), (logs - expected) / noise
    )


def creep(logs: Array, sampling: Array, judged: Judged, slate: Slate) -> tuple[Array, Array]:
    """How far the last seven days lie above the same weekdays before: log change and score, (S, D).

    A slow rise is followed by the usual level and never far from it; this is what sees it.
    """
    change, score = slate.array("change", logs.shape), slate.array("score", logs.shape)
    residual = np.log(judged.actual / judged.expected)
    for day in range(max(slate.first, 20), logs.shape[1]):
        before = logs[:, day - 20 : day - 13]
        if day >= 27:
            before = (before + logs[:, day - 27 : day - 20]) / 2
        steps = logs[:, day - 6 : day + 1] - before
        enough = np.sum(~np.isnan(steps), axis=1) >= 5
        noise = np.nan_to_num(spread(residual[:, max(day - 28, 0) : day]), nan=0.05)
        sample = np.nan_to_num(median(sampling[:, day - 20 : day + 1]), nan=1.0)
        middle = median(steps)
        change[:, day] = np.where(enough, middle, np.nan)
        score[:, day] = change[:, day] / np.sqrt(1.57 / 7 * 1.5 * (sample + np.maximum(noise, 0.03) ** 2) + 0.03**2)
    return change, score


def expect_rate(
    hits: Array, trials: Array, weekend: Array | None, judged_days: int, prior: float, most: float, slate: Slate
) -> Judged:
    """Judge `hits` of `trials`. With `weekend` (D,), working days and weekends each have their own usual rate."""
    expected, score, width = (slate.array(name, hits.shape) for name in ("expected", "score", "width"))
    for day in range(max(slate.first, 4), hits.shape[1]):
        past = np.arange(max(day - RATE_HISTORY, 0), min(day, judged_days))
        if weekend is not None:
            past = past[weekend[past] == weekend[day]]
        if not len(past):
            continue
        usual, rho, known = usual_rate(hits[:, past], trials[:, past], prior, most)
        expected[:, day], width[:, day] = usual, rho
        score[:, day] = rate_score(hits[:, day], trials[:, day], usual, rho, known)
    with np.errstate(divide="ignore", invalid="ignore"):
        actual = np.where(trials > 0, hits / trials, np.nan)
        counted = trials / (1 + np.maximum(trials - 1, 0) * width)
        reach = 1.28 * np.sqrt(expected * (1 - expected) / np.maximum(counted, 1))
    return Judged(
        actual, expected, np.maximum(expected - reach, 0), np.minimum(expected + reach, 1),
        np.where(trials > 0, score, np.nan),
    )  # fmt: skip


def usual_rate(hits: Array, trials: Array, prior: float, most: float) -> tuple[Array, Array, Array]:
    """(S,) usual rate, overdispersion, and how many independent trials the rate is known from, of (S, days) history.

    The rate is at most 1.5 times the median day's, so that an old incident does not raise it. The overdispersion comes
    by the method of moments from days cut off at three standard deviations, with a prior worth ten days.
    """
    hits, trials = np.nan_to_num(hits), np.nan_to_num(trials)
    total = trials.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = (hits.sum(axis=1) + 0.5) / (total + 1)
        daily = median(np.where(trials >= 10, hits / trials, np.nan))
        usual = np.where(np.isnan(daily), pooled, np.minimum(pooled, 1.5 * daily + 2 / np.maximum(total, 1) + 0.001))
        expected = trials * usual[:, None]
        squares = np.where(trials > 0, (hits - expected) ** 2 / np.maximum(expected * (1 - usual[:, None]), 0.5), 0)
    count = np.sum(trials > 0, axis=1)
    excess = np.minimum(squares, 9).sum(axis=1) - count
    own = np.clip(excess / np.maximum(np.maximum(trials - 1, 0).sum(axis=1), 1), 0, most)
    rho = (PRIOR_DAYS * prior + count * own) / (PRIOR_DAYS + count)
    per_day = total / np.maximum(count, 1)
    return usual, rho, total / (1 + np.maximum(per_day - 1, 0) * rho)


def slow_share(latencies: Array, judged_days: int, slate: Slate) -> tuple[Array, Array, Array]:
    """Slow tries, and the histogram steps of the day's 95 % and of the last 28 days' 95 %: (S, D) each.

    A try is slow above the latter step. That is a whole one, so the share that is usually slow is not exactly 5 %; it
    is judged as any other rate.
    """
    shape = latencies.shape[:2]
    slow, steps, own = slate.array("slow", shape), slate.array("steps", shape), slate.array("own", shape)
    for day in range(slate.first, shape[1]):
        known = min(day, judged_days)
        steps[:, day] = _step_of_95(latencies[:, max(known - RATE_HISTORY, 0) : known].sum(axis=1))
        above = np.arange(LATENCY_STEPS) > steps[:, day][:, None]
        slow[:, day] = (latencies[:, day] * above).sum(axis=1)
        own[:, day] = _step_of_95(latencies[:, day])
    return slow, own, steps


def _step_of_95(histogram: Array) -> Array:
    """(S,): the step of (S, LATENCY_STEPS) that 95 % of the tries lie in or below."""
    share = np.cumsum(histogram, axis=1) / np.maximum(histogram.sum(axis=1, keepdims=True), 1)
    return np.minimum((share < 0.95).sum(axis=1), LATENCY_STEPS - 1)
