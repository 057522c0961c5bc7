"""Hour by hour: what ran away, and what went quiet, without waiting for the day to end.

What an hour should bring is the day's level times the hour's usual share, corrected by how the hours just before went:
a busy morning makes a busy noon unsurprising. Two hours or more are judged together, because a single hour of real
traffic bursts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from queries.signals.levels import Level
from queries.signals.slate import Array, Slate
from queries.signals.statistics import median, spread, stabilised

RUN_AWAY_SPANS = (3, 4, 6)  # hours judged together
DROP_SPANS = (7, 11)
LEFT = 0.17  # what is left of usual traffic when it has dropped
MEMORY = 0.95  # of the usual shares, per day


@dataclass(frozen=True)
class Hours:
    """(S, H) each. The scores are of the span of hours that ends with this one; its length is beside it."""

    expected: Array
    up: Array
    up_span: Array
    down: Array
    down_span: Array


def expect_hours(amount: Array, level: Level, covered: Array, weekend: Array, whole_hours: int, slate: Slate) -> Hours:
    """Judge (S, D, 24) amounts against the level of each day; `covered` (D, 24) leaves out what was not logged."""
    slices = len(amount)
    expected = np.nan_to_num(level.whole)[:, :, None] * _shares(amount, level, covered, weekend)
    expected = (expected * covered).reshape(slices, -1)
    actual = (amount * (covered > 0)).reshape(slices, -1)
    noises = (np.nan_to_num(level.grain, nan=1.0), np.nan_to_num(level.sigma, nan=0.3))
    noise = _noise(actual, expected, *noises, slate)
    up, up_span = slate.array("up", actual.shape, -np.inf), slate.array("up_span", actual.shape, 0, np.int8)
    down, down_span = slate.array("down", actual.shape, np.inf), slate.array("down_span", actual.shape, 0, np.int8)
    sums = [np.cumsum(np.pad(a, ((0, 0), (1, 0))), axis=1) for a in (actual, expected, expected**2)]
    more = (expected > 0) & (actual > 1.2 * expected)
    twice = more & np.pad(more, ((0, 0), (1, 0)))[:, :-1]
    twice[:, : slate.first * 24] = False
    for spans, score, score_span, is_rise in (
        (RUN_AWAY_SPANS, up, up_span, True),
        (DROP_SPANS, down, down_span, False),
    ):
        for span in spans:
            at: tuple[Array, ...] = np.nonzero(twice) if is_rise else _fallen(sums, span, slate.first * 24)
            found = _score(sums, span, at, (*noises, noise), is_rise)
            better = found > score[at] if is_rise else found < score[at]
            at = (at[0][better], at[1][better])
            score[at], score_span[at] = found[better], span
    for score in (up, down):
        score[:, whole_hours:] = np.nan
    return Hours(expected, up, up_span, down, down_span)


def _fallen(sums: list[Array], span: int, first: int) -> tuple[Array, Array]:
    """Rows and hours, from `first` on, at which less than LEFT of what was expected of the last hours has come."""
    got, due = (_last(total, span)[:, first:] for total in sums[:2])
    row, hour = np.nonzero((due > 0) & (got < LEFT * due))
    return row, hour + first


def _score(
    sums: list[Array], span: int, at: tuple[Array, ...], noises: tuple[Array, Array, Array], is_rise: bool
) -> Array:
    """The scores of the `span` hours that end with the hours `at`, as a rise or as a fall.

    noises: (S, D) grain, noise of a day, noise of an hour. A rise is measured against what was expected or what the
    hours before suggest, whichever is more, and a fall against whichever is less: going back to normal is neither.
    """
    row, hour = at
    start = np.maximum(hour + 1 - span, 0)
    midnight = np.minimum(hour // 24 * 24, start)  # another day has another noise: only this one's hours tell of it
    grain, day_noise, hour_noise = (values[row, hour // 24] for values in noises)
    got, due, squares = (total[row, hour + 1] - total[row, start] for total in sums)
    before_got, before_due, before_squares = (total[row, start] - total[row, midnight] for total in sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        known = before_due > 0
        before_noise = np.where(known, grain / before_due + hour_noise**2 * before_squares / before_due**2, np.inf)
        weight = day_noise**2 / (day_noise**2 + before_noise)
        told = np.log(np.clip((before_got + grain) / (before_due + grain), 0.2, 5))
        correction = np.where(known, np.exp(weight * told), 1.0)
        left = day_noise**2 * (1 - weight)
        noise = np.sqrt(np.where(due > 0, hour_noise**2 * squares / due**2, 0.0) + left + 0.02)
        usual = due * (np.maximum(correction, 1) if is_rise else np.minimum(correction, 1))
        return np.where(due > 0, stabilised(got, grain, noise) - stabilised(usual, grain, noise), 0.0)


def _last(total: Array, span: int) -> Array:
    """The sum of the last `span` hours up to and with each hour, from running totals with a zero in front."""
    return total[:, 1:] - np.pad(total[:, 1:], ((0, 0), (span, 0)))[:, : total.shape[1] - 1]


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


def _noise(actual: Array, expected: Array, grain: Array, day_noise: Array, slate: Slate) -> Array:
    """(S, D) relative noise of an hour beyond shot and day noise, from the week before."""
    noise = slate.array("noise", grain.shape, 0.4)
    days = grain.shape[1]
    begin = max(slate.first - 7, 0)
    here = slice(begin * 24, days * 24)
    one, day_noise = (np.repeat(values[:, begin:], 24, axis=1) for values in (grain, day_noise))
    with np.errstate(divide="ignore", invalid="ignore"):
        enough = expected[:, here] > 4 * one
        residual = np.where(enough, np.log((actual[:, here] + one / 4) / (expected[:, here] + one / 4)), np.nan)
        shot = np.where(enough, one / expected[:, here], np.nan)
    for day in range(max(slate.first, 8), days):
        past = slice((day - 7 - begin) * 24, (day - begin) * 24)
        count = np.sum(enough[:, past], axis=1)
        own = spread(residual[:, past]) ** 2 - np.nan_to_num(median(shot[:, past])) - day_noise[:, past.stop] ** 2
        own = np.maximum(np.nan_to_num(own, nan=0.0), 0.1**2)
        known = count >= 20
        common = float(np.median(own[known])) if known.sum() >= 3 else 0.4**2
        noise[:, day] = np.sqrt((count * own + 24 * common) / (count + 24))
    return noise
