"""When a score is worth a look: thresholds, gates, and what keeps many slices quiet.

Three things hold false alarms down beside a metric's own threshold. On noisy data all thresholds of a metric rise, by
how far its scores of the last four weeks have spread. A slice must be stranger than on any but two of its last 28 days.
And of many slices judged on one day, only so many stand out as leave few false ones (Benjamini and Hochberg).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from queries.signals.hours import LEFT, Hours
from queries.signals.levels import Level
from queries.signals.ratios import Judged
from queries.signals.series import BUSY_ATTEMPTS, Series, Slice
from queries.signals.slate import Array
from queries.signals.statistics import amount_at, first_discoveries, rate_score, stabilised

DISCOVERIES = 0.075  # share of false ones among the flags of a day that is borne
WINDOW = 28  # days that tell how strange is usual
ALONE = 3.45  # the normal score that stands for a metric's own threshold when many are compared
STRANGER = 1.1  # than the third strangest of the last 28 days
RUN_AWAY, DROP = {"cost": 4.5, "requests": 3.8}, 4.3  # hourly scores; a few heavy calls make cost burst by itself
RUN_AWAY_PART = 0.2  # of a usual day's amount must have come on top
DROP_CALLS = 20  # must have been expected
RHYTHM = 0.5  # of what is strange now was so in the same hours a week before: that is how this slice runs
DROP_FLOOR = 0.4  # of the dollars of other flags: a feature that is broken saves little
STEP = {3: 3.9, 5: 3.9, 7: 4.0}  # score of so many days together
STANDS_OUT, WANDERS = 0.75, 0.3  # a day of a new level; a level within a week by itself
SHARED = 0.15  # so many features moving alike on one day are one event of the whole, not many
USER_SCORE, USER_PART, USER_BUSY, USER_OVERDISPERSION = 5.0, 0.15, 0.3, 0.005


@dataclass(frozen=True)
class Rule:
    """From which score on a day's value is worth a look, and in which direction."""

    threshold: float
    up: bool = True
    down: bool = False


@dataclass(frozen=True)
class Flag:
    """One metric of one slice over some hours, counted from the first day's midnight; values in the metric's unit.

    `raised` is the hour at whose beginning this could first be known. `user` is who drove it, where one alone did.
    stake_usd: what its days cost more than expected, where its slice is not among the series.
    """

    of: Slice
    metric: str
    start: int
    end: int
    raised: int
    values: tuple[float, float, float, float]  # actual, expected, low, high
    score: float
    user: str | None = None
    stake_usd: float = 0.0


def day_flags(
    metric: str, rule: Rule, what: Judged, matters: Array, slices: tuple[Slice, ...], first: int,
    shared: Array | None = None,
) -> list[Flag]:  # fmt: skip
    """The days (S, D), from `first` on, whose score stands out and that `matters` lets through.

    `shared` (2, D) tells on which days a fall, or a rise, is the whole's and not a feature's.
    """
    kinds = np.array([of.kind for of in slices])
    flags = []
    for kind in dict.fromkeys(kinds):
        rows = np.flatnonzero(kinds == kind)
        threshold = rule.threshold * _noisiness(what.score[rows], max(first - WINDOW, 0))
        score = what.score[rows] / threshold * ALONE
        for direction, is_judged in ((1, rule.up), (-1, rule.down)):
            if not is_judged:
                continue
            side = direction * score
            own = np.minimum(STRANGER * third_of_past(np.nan_to_num(side, nan=-np.inf), first), 1.5 * ALONE)
            side = side[:, first:]
            stands_out = (side >= ALONE) & (side >= own) & matters[rows, first:] & first_discoveries(side, DISCOVERIES)
            if shared is not None and kind == "feature":
                stands_out &= ~shared[0 if direction < 0 else 1, first:]
            for row, day in np.argwhere(stands_out):
                at = (rows[row], day + first)
                values = _values((what.actual, what.expected, what.low, what.high), at)
                start = int(day + first) * 24
                flags.append(
                    Flag(slices[rows[row]], metric, start, start + 24, start + 24, values, float(what.score[at]))
                )
    return flags


def step_flags(
    metric: str, level: Level, actual: Array, gate: Array, matters: Array, slices: tuple[Slice, ...], shared: Array,
    first: int,
) -> list[Flag]:  # fmt: skip
    """Days in a row that are each unremarkable and together are not: a new level, seen before it is the usual one."""
    kinds = np.array([of.kind for of in slices])
    more = np.cumsum(np.pad(np.nan_to_num(actual - level.expected), ((0, 0), (1, 0))), axis=1)
    flags = []
    for run, threshold in STEP.items():
        score, is_steady = _together(run, level, actual, shared)
        excess = more[:, 1:] - np.pad(more, ((0, 0), (run, 0)))[:, 1 : more.shape[1]]
        for kind in dict.fromkeys(kinds):
            rows = np.flatnonzero(kinds == kind)
            found = is_steady[rows] & (score[rows] / _noisiness(score[rows], first) >= threshold)
            for row, day in np.argwhere((found & matters[rows] & (excess[rows] >= gate))[:, first:]):
                row, end = rows[row], int(day) + first + 1
                values = _values((actual, level.expected, level.low, level.high), (row, slice(end - run, end)))
                flags.append(
                    Flag(slices[row], metric, (end - run) * 24, end * 24, end * 24, values, float(score[row, end - 1]))
                )
    return flags


def _together(run: int, level: Level, actual: Array, shared: Array) -> tuple[Array, Array]:
    """(S, D): the score of so many days together, up to and with each day, and whether all but the odd one stand out.

    All are held against the level before the first of them, for the level follows what is new. By how far it wanders of
    itself is noise that they share.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        usual = level.whole / level.factor
        here = stabilised(actual, level.grain, level.sigma)
        scores = np.full((run, *actual.shape), np.nan)
        for ago in range(run):
            last = actual.shape[1] - ago
            then, noise = np.full((len(actual), last), np.nan), (level.grain[:, :last], level.sigma[:, :last])
            lag = run - 1 - ago
            then[:, lag:] = usual[:, : last - lag]
            due = stabilised(level.expected[:, :last] * then / usual[:, :last], *noise)
            scores[ago, :, ago:] = here[:, :last] - due
            scores[ago, :, ago:][:, shared.any(axis=0)[:last]] = 0
    scores = np.sort(np.clip(scores, -4, 4), axis=0)
    is_steady = (scores[0] > 0) & (scores[run // 7] > STANDS_OUT)
    return scores.sum(axis=0) / np.sqrt(run + (run * WANDERS) ** 2), is_steady


def hour_flags(
    metric: str, amount: Array, hours: Hours, level: Level, each_usd: Array, floor: Array, grown: Array,
    quiet: Array | None, slices: tuple[Slice, ...], shared: Array, first: int,
) -> list[Flag]:  # fmt: skip
    """What ran away, and (where `quiet` (H,) is given) what went quiet alone, within hours.

    each_usd: (S, D) what one unit of the amount usually costs. floor: (D,) dollars. grown: (S, D) may be judged. first:
    the day to begin with.
    """
    flat = amount.reshape(len(amount), -1)
    got, due = (np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1) for values in (flat, hours.expected))
    more, old = got - due, np.repeat(grown, 24, axis=1)
    sides = [(1, hours.up, hours.up_span, RUN_AWAY[metric])]
    sides += [] if quiet is None else [(-1, hours.down, hours.down_span, DROP)]
    flags = []
    for direction, score, spans, threshold in sides:
        strange = np.where(np.isfinite(score), direction * score, -np.inf)
        daily = strange.reshape(len(score), -1, 24).max(axis=2)
        own = np.clip(STRANGER * third_of_past(daily, first), threshold, 2 * threshold)
        begin = first * 24
        for row, hour in np.argwhere((strange[:, begin:] >= np.repeat(own, 24, axis=1)) & old[:, begin:]):
            hour = int(hour) + begin
            end, day = hour + 1, hour // 24
            start = end - int(spans[row, hour])
            actual, expected = got[row, end] - got[row, start], due[row, end] - due[row, start]
            if direction > 0 and actual - expected < RUN_AWAY_PART * np.nan_to_num(level.whole[row, day]):
                continue
            if direction < 0 and (expected < DROP_CALLS or (quiet is not None and quiet[hour])):
                continue
            if direction < 0 and shared[0, start // 24 : end // 24].any():  # a holiday, now that it is over
                continue
            before = more[row, end - 168] - more[row, start - 168] if start >= 168 else 0.0
            if before / (actual - expected) >= RHYTHM:
                continue
            if abs(actual - expected) * each_usd[row, day] < floor[day] * (1 if direction > 0 else DROP_FLOOR):
                continue
            grain = level.grain[row, day]
            noise = np.sqrt(level.sigma[row, day] ** 2 + 0.3**2 / (end - start))
            low, high = (amount_at(stabilised(expected, grain, noise) + reach, grain, noise) for reach in (-1.28, 1.28))
            if direction < 0 and low < LEFT * expected:  # on and off at random: nothing left is nothing new
                continue
            values = (float(actual), float(expected), float(low), float(high))
            flags.append(Flag(slices[row], metric, start, end, end, values, float(score[row, hour])))
    return flags


def user_flags(series: Series, requests: Level, floor: Array, grown: Array, first: int) -> list[Flag]:
    """Days, from `first` on, on which one user made far more of a busy feature's tries than is usual for him."""
    users, whole = series.users, series.days["attempts"][series.users.feature]
    made, all_made = (np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1) for values in (users.attempts, whole))
    days = np.arange(whole.shape[1])
    begin = np.maximum(days - 14, 0)
    known = all_made[:, days] - all_made[:, begin]
    usual = (made[:, days] - made[:, begin] + 0.5) / (known + 1)
    score = rate_score(users.attempts, whole, usual, np.full(whole.shape, USER_OVERDISPERSION), known)
    excess = users.attempts - usual * whole
    worth = excess * users.cost_usd / np.maximum(users.attempts, 1) >= floor
    feature = users.feature
    large = excess >= USER_PART * np.nan_to_num(requests.expected[feature], nan=np.inf)
    busy = np.nan_to_num(requests.score[feature]) >= USER_BUSY
    found = (days >= first) & (score >= USER_SCORE) & (excess >= BUSY_ATTEMPTS) & large & busy & worth & grown[feature]
    flags = []
    for pair, day in np.argwhere(found):
        at = (feature[pair], day)
        values = _values((series.days["calls"], requests.expected, requests.low, requests.high), at)
        start, score_here = int(day) * 24, float(score[pair, day])
        of = series.slices[feature[pair]]
        flags.append(Flag(of, "requests", start, start + 24, start + 24, values, score_here, users.names[pair]))
    return flags


def shared_days(score: Array, slices: tuple[Slice, ...]) -> Array:
    """(2, D): on which days so many features fell, or rose, together that it is one event of the whole: a holiday."""
    features = np.array([of.kind == "feature" for of in slices])
    count = np.maximum((~np.isnan(score[features])).sum(axis=0), 1)
    fell, rose = (np.sum(direction * np.nan_to_num(score[features]) > 2, axis=0) for direction in (-1, 1))
    return np.stack([(moved >= 4) & (moved / count >= SHARED) for moved in (fell, rose)])


def shared_hours(actual: Array, expected: Array, slices: tuple[Slice, ...]) -> Array:
    """(H,): when many features were quiet at the same time: a hole in the log or a holiday, not many outages."""
    features = np.array([of.kind == "feature" for of in slices])
    quiet, active = np.zeros(actual.shape[1]), np.zeros(actual.shape[1])
    for span in (6, 10):
        got, due = (np.cumsum(np.pad(values[features], ((0, 0), (span, 0))), axis=1) for values in (actual, expected))
        got, due = got[:, span:] - got[:, :-span], due[:, span:] - due[:, :-span]
        fell = (due >= 4) & (got < 0.6 * due) & (due - got > 2.5 * np.sqrt(np.maximum(due, 0)))
        quiet, active = np.maximum(quiet, fell.sum(axis=0)), np.maximum(active, (due >= 4).sum(axis=0))
    return (quiet >= 4) & (quiet >= 0.2 * active)


def _values(columns: tuple[Array, Array, Array, Array], at: object) -> tuple[float, float, float, float]:
    """The four columns at one place, or summed over several days of one slice."""
    actual, expected, low, high = (float(np.sum(column[at])) for column in columns)
    return actual, expected, low, high


def third_of_past(score: Array, first: int) -> Array:
    """(S, D - first): for each day from `first` on the third highest score of the slice's 28 days before."""
    third = np.full((len(score), score.shape[1] - first), -np.inf)
    for day in range(max(first, 3), score.shape[1]):
        past = score[:, max(day - WINDOW, 0) : day]
        third[:, day - first] = np.partition(past, past.shape[1] - 3, axis=1)[:, -3]
    return third


def _noisiness(score: Array, first: int) -> Array:
    """(D,): by how much scores spread more than a normal's would, over all slices and the last 28 days; at least 1.

    Days before `first` are not looked at: 1.
    """
    wide = np.ones(score.shape[1])
    for day in range(max(first, 7), score.shape[1]):
        seen = np.abs(score[:, max(day - WINDOW, 0) : day])
        seen = seen[~np.isnan(seen)]
        if len(seen) >= 100:
            wide[day] = np.clip(np.quantile(seen, 0.95) / 2.2, 1, 2.5)
    return wide
