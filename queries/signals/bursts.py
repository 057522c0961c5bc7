"""Hours in which a ratio is not what it is by day: errors, cut-off answers, a cold cache, long prompts, slow answers.

An hour-long burst drowns in its day, and a day is long to wait. So the last hour, and the last three together, are held
against what was expected of their day. Far more must differ than between days, for hours wander by themselves; and what
happens in the same hours of the day or the week before is the slice's rhythm. A percentile of so few calls would be one
call, so latency is judged by its geometric mean here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from queries.signals.ratios import RATE_HISTORY
from queries.signals.rules import RHYTHM, STRANGER, Flag, third_of_past
from queries.signals.series import Slice
from queries.signals.slate import Array, Slate
from queries.signals.statistics import rate_score

SPANS = (1, 3)  # hours judged together
LEAST_TRIALS, LEAST_EVENTS = 20, 8
OVERDISPERSION, WOBBLE = 0.02, 0.12  # of a rate, and of a mean logarithm, from hour to hour
MOST_STRANGE = 3.0  # thresholds: what recurs may raise a slice's own up to so many
RHYTHMS = (24, 168)


@dataclass(frozen=True)
class Hourly:
    """A ratio by hour: `amount` over `trials`, both (S, D, 24), against what is `usual` of a day, (S, D).

    The amount counts events (`variance` is None: k of n), or sums logarithms whose variance is (S, D). gate:
    by how much the ratio must be higher than usual. matters: of rows, first hours, ends, and how far the ratio is above
    the usual, which are worth telling. is_fall: the events are the misses of the metric that is told.
    """

    metric: str
    threshold: float
    gate: float
    amount: Array
    trials: Array
    usual: Array
    variance: Array | None = None
    matters: Callable[[Array, Array, Array, Array], Array] | None = None
    is_fall: bool = False


def burst_flags(
    what: Hourly, slices: tuple[Slice, ...], old: Array, whole_hours: int, slate: Slate, first: int
) -> list[Flag]:
    """The spans of hours, from day `first` on, whose ratio stands out. old: (S, D), may be judged."""
    begin = max(first * 24 - max(RHYTHMS) - max(SPANS), 0) // 24 * 24
    sums = tuple(
        np.cumsum(np.pad(values.reshape(len(values), -1)[:, begin:], ((0, 0), (1, 0))), axis=1, dtype=float)
        for values in (what.amount, what.trials)
    )
    hours = max(whole_hours - first * 24, 0)
    best = np.full((len(slices), hours), -np.inf)
    longest = np.zeros(best.shape, np.int8)
    for span in SPANS:
        row, hour = _unlike(what, sums, span, first * 24, begin, whole_hours)
        score = _score(what, sums, row, hour - begin, span, (hour - 1) // 24)
        at = (row, hour - 1 - first * 24)
        better = score > best[at]
        at = (at[0][better], at[1][better])
        best[at], longest[at] = score[better], span
    strange = slate.array("strange", what.usual.shape, -np.inf)
    by_day = np.pad(best, ((0, 0), (0, -hours % 24)), constant_values=-np.inf).reshape(len(best), -1, 24).max(axis=2)
    strange[:, first : first + by_day.shape[1]] = by_day
    own = np.clip(STRANGER * third_of_past(strange, first), what.threshold, MOST_STRANGE * what.threshold)
    flags = []
    for row, hour in np.argwhere(best >= np.repeat(own, 24, axis=1)[:, :hours]):
        day, end = hour // 24 + first, int(hour) + 1 + first * 24
        if old[row, day]:
            start = end - int(longest[row, hour])
            values = _values(what, sums, row, slice(start - begin, end - begin), day)
            score = float(best[row, hour])
            flags.append(Flag(slices[row], what.metric, start, end, end, values, -score if what.is_fall else score))
    return flags


def _unlike(
    what: Hourly, sums: tuple[Array, ...], span: int, since: int, begin: int, until: int
) -> tuple[Array, Array]:
    """Rows and ends of the spans that differ enough to be looked at, and did not so the day or the week before."""
    ends = np.arange(max(since + 1, begin + span), until + 1)
    until_here = slice(ends[0] - begin, ends[0] - begin + len(ends)) if len(ends) else slice(0, 0)
    before_it = slice(max(until_here.start - span, 0), max(until_here.stop - span, 0))
    got, tried = (total[:, until_here] - total[:, before_it] for total in sums)
    row, at = np.nonzero(tried >= LEAST_TRIALS)
    more = got[row, at] / tried[row, at] - what.usual[row, (ends[at] - 1) // 24]
    unlike = more >= what.gate
    row, at, more = row[unlike], at[unlike], more[unlike]
    hour = ends[at]
    keep = np.ones(len(row), bool)
    for one in {0, span - 1}:  # it begins and ends with an hour that is unlike the others itself
        edge = hour - begin - one
        got_then, tried_then = (total[row, edge] - total[row, edge - 1] for total in sums)
        keep &= got_then / tried_then - what.usual[row, (hour - 1) // 24] >= what.gate / 2
    if what.variance is None:
        keep &= more * tried[row, at] >= LEAST_EVENTS
    if what.matters:
        keep &= what.matters(row, hour - span, hour, more)
    for ago in RHYTHMS:
        then = np.maximum(hour - begin - ago, span)
        before, trials = (total[row, then] - total[row, then - span] for total in sums)
        recurs = before / np.maximum(trials, 1) - what.usual[row, (hour - 1) // 24] >= RHYTHM * more
        keep &= ~(recurs & (trials > 0) & (hour - begin - ago >= span))
    return row[keep], hour[keep]


def _score(what: Hourly, sums: tuple[Array, ...], row: Array, end: Array, span: int, day: Array) -> Array:
    got, tried = (total[row, end] - total[row, end - span] for total in sums)
    usual = what.usual[row, day]
    if what.variance is None:
        return rate_score(got, tried, usual, np.full(len(row), OVERDISPERSION), np.full(len(row), 1e3))
    return (got / tried - usual) / np.sqrt(what.variance[row, day] / tried + WOBBLE**2)


def _values(
    what: Hourly, sums: tuple[Array, ...], row: int, hours: slice, day: int
) -> tuple[float, float, float, float]:
    """What it was, what was expected, and the range that holds four hours out of five."""
    got, tried = (float(total[row, hours.stop] - total[row, hours.start]) for total in sums)
    usual = float(what.usual[row, day])
    if what.variance is not None:
        reach = 1.28 * np.sqrt(what.variance[row, day] / tried + WOBBLE**2)
        logs = np.exp([got / tried, usual, usual - reach, usual + reach])
        return float(logs[0]), float(logs[1]), float(logs[2]), float(logs[3])
    reach = 1.28 * np.sqrt(usual * (1 - usual) * (1 / tried + OVERDISPERSION))
    low, high = max(usual - reach, 0.0), min(usual + reach, 1.0)
    return (1 - got / tried, 1 - usual, 1 - high, 1 - low) if what.is_fall else (got / tried, usual, low, high)


def spread_of_one(squares: Array, total: Array, count: Array) -> Array:
    """(S, D) variance of one trial, from the sums of the four weeks before each day."""

    def before(values: Array) -> Array:
        running = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
        day = np.arange(values.shape[1])
        return running[:, day] - running[:, np.maximum(day - RATE_HISTORY, 0)]

    number = np.maximum(before(count), 1)
    return np.maximum(before(squares) / number - (before(total) / number) ** 2, 0.01)
