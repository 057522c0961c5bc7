"""Hour by hour: what ran away, and what went quiet, without waiting for the day to end.

What an hour should bring is the day's level times the hour's usual share, corrected by how the hours just before went:
a busy morning makes a busy noon unsurprising. Two hours or more are judged together, because a single hour of real
traffic bursts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from queries.signals.levels import Level
from queries.signals.series import Array
from queries.signals.statistics import median, spread, stabilised

RUN_AWAY_SPANS = (2, 3, 5)  # hours judged together
DROP_SPANS = (6, 10)
LEFT = 0.17  # what is left of usual traffic when it has dropped
MEMORY = 0.95  # of the usual shares, per day


@dataclass(frozen=True)
class Hours:
    """(S, H) each. The scores are of the span of hours that ends with this one; `begun` says how long it is."""

    expected: Array
    up: Array
    up_span: Array
    down: Array
    down_span: Array


def expect_hours(amount: Array, level: Level, covered: Array, weekend: Array, whole_hours: int) -> Hours:
    """Judge (S, D, 24) amounts against the level of each day; `covered` (D, 24) leaves out what was not logged."""
    slices, days, _ = amount.shape
    expected = np.nan_to_num(level.whole)[:, :, None] * _shares(amount, level, covered, weekend)
    expected = (expected * covered).reshape(slices, -1)
    actual = (amount * (covered > 0)).reshape(slices, -1)
    grain = np.repeat(np.nan_to_num(level.grain, nan=1.0), 24, axis=1)
    day_noise = np.repeat(np.nan_to_num(level.sigma, nan=0.3), 24, axis=1)
    hour_noise = np.repeat(_noise(actual, expected, grain, day_noise, days), 24, axis=1)
    up, up_span = np.full(actual.shape, -np.inf), np.zeros(actual.shape, np.int8)
    down, down_span = np.full(actual.shape, np.inf), np.zeros(actual.shape, np.int8)
    sums = [np.cumsum(np.pad(a, ((0, 0), (1, 0))), axis=1) for a in (actual, expected, expected**2)]
    single = np.where(expected > 0, actual / np.maximum(expected, 1e-9), 0)
    for span in sorted({*RUN_AWAY_SPANS, *DROP_SPANS}):
        more, less, ratio = _score(sums, span, grain, day_noise, hour_noise)
        if span in RUN_AWAY_SPANS:
            last_two = np.minimum(single, np.pad(single, ((0, 0), (1, 0)))[:, :-1])
            score_up = np.where(last_two > 1.2, more, -np.inf)
            better = score_up > up
            up[better], up_span[better] = score_up[better], span
        if span in DROP_SPANS:
            score_down = np.where(ratio < LEFT, less, np.inf)
            better = score_down < down
            down[better], down_span[better] = score_down[better], span
    for score in (up, down):
        score[:, whole_hours:] = np.nan
    return Hours(expected, up, up_span, down, down_span)


def _score(
    sums: list[Array], span: int, grain: Array, day_noise: Array, hour_noise: Array
) -> tuple[Array, Array, Array]:
    """The scores of the last `span` hours as a rise and as a fall, and the part of what was expected that came.

    A rise is measured against what was expected or what the hours before suggest, whichever is more, and a fall against
    whichever is less: going back to normal is neither.
    """
    got, due, squares = (_last(total, span) for total in sums)
    hour = np.arange(got.shape[1])
    start = np.maximum(hour + 1 - span, 0)
    midnight = np.minimum(hour // 24 * 24, start)  # another day has another noise: only this one's hours tell of it
    before_got, before_due, before_squares = (total[:, start] - total[:, midnight] for total in sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        known = before_due > 0
        before_noise = np.where(known, grain / before_due + hour_noise**2 * before_squares / before_due**2, np.inf)
        weight = day_noise**2 / (day_noise**2 + before_noise)
        told = np.log(np.clip((before_got + grain) / (before_due + grain), 0.2, 5))
        correction = np.where(known, np.exp(weight * told), 1.0)
        left = day_noise**2 * (1 - weight)
        noise = np.sqrt(np.where(due > 0, hour_noise**2 * squares / due**2, 0.0) + left + 0.02)
        here = stabilised(got, grain, noise)
        more = here - stabilised(due * np.maximum(correction, 1), grain, noise)
        less = here - stabilised(due * np.minimum(correction, 1), grain, noise)
    return np.where(due > 0, more, 0.0), np.where(due > 0, less, 0.0), got / np.maximum(due, 1e-12)


def _last(total: Array, span: int) -> Array:
    """The sum of the last `span` hours up to each hour, from running totals with a zero in front."""
    return total[:, 1:] - np.pad(total, ((0, 0), (span, 0)))[:, : total.shape[1] - 1]


def _shares(amount: Array, level: Level, covered: Array, weekend: Array) -> Array:
    """(S, D, 24): the part of a day that each of its hours usually brings, known on the morning of the day."""
    slices, days, _ = amount.shape
    shares = np.zeros(amount.shape)
    usual, seen = np.zeros((2, slices, 24)), np.zeros((2, slices, 24))
    for day in range(days):
        own, other = int(weekend[day]), 1 - int(weekend[day])
        pooled = usual[own] + 0.3 * usual[other]
        weight = seen[own] + 0.3 * seen[other]
        share = pooled / np.maximum(weight, 1e-9)
        share = share / np.maximum(share.sum(axis=1, keepdims=True), 1e-9)
        shares[:, day] = share
        whole = np.where(np.isnan(level.whole[:, day]), amount[:, day].sum(axis=1), level.whole[:, day])[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            part = np.where(whole > 0, amount[:, day] / whole, 0.0)
        part = np.where(weight > 3, np.minimum(part, 4 * share + 0.05), part)
        counts = (covered[day] > 0.9) & (whole > 0)
        usual[own] = np.where(counts, usual[own] * MEMORY + part, usual[own])
        seen[own] = np.where(counts, seen[own] * MEMORY + 1, seen[own])
    return shares


def _noise(actual: Array, expected: Array, grain: Array, day_noise: Array, days: int) -> Array:
    """(S, D) relative noise of an hour beyond shot and day noise, from the week before."""
    with np.errstate(divide="ignore", invalid="ignore"):
        enough = expected > 4 * grain
        residual = np.where(enough, np.log((actual + grain / 4) / (expected + grain / 4)), np.nan)
        shot = np.where(enough, grain / expected, np.nan)
    noise = np.full((len(actual), days), 0.4)
    for day in range(8, days):
        past = slice((day - 7) * 24, day * 24)
        count = np.sum(enough[:, past], axis=1)
        own = spread(residual[:, past]) ** 2 - np.nan_to_num(median(shot[:, past])) - day_noise[:, day * 24] ** 2
        own = np.maximum(np.nan_to_num(own, nan=0.0), 0.1**2)
        known = count >= 20
        common = float(np.median(own[known])) if known.sum() >= 3 else 0.4**2
        noise[:, day] = np.sqrt((count * own + 24 * common) / (count + 24))
    return noise
