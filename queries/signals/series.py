"""The series that signals are judged by: one row per slice, one column per day or hour, and how much was logged.

A day without rows is a zero where the log covers it and unknown where it does not: missing logs are not zero spend.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from queries.signals.slate import Array
from queries.signals.sums import HOURLY, Sums, by_day, keys_of

BUSY_ATTEMPTS = 20  # in one day: users who never made so many cannot drive anything
GAP_CALLS = 8.0  # an hour in which at least so many tries are usual and none came was not logged


@dataclass(frozen=True)
class Slice:
    """What a series is about: the total, or one feature, model, team or user."""

    kind: str
    name: str


@dataclass(frozen=True)
class Users:
    """Who made the tries of each feature: P pairs of feature and user over D days, without the never busy ones."""

    feature: Array  # (P,): the row of its feature among the slices
    names: tuple[str, ...]
    attempts: Array  # (P, D)
    cost_usd: Array  # (P, D)


@dataclass(frozen=True)
class Series:
    """S slices over D days. Hourly arrays are (S, D, 24), daily ones (S, D); days are on the reader's clock."""

    slices: tuple[Slice, ...]
    first_day: date
    hours: dict[str, Array]  # what is judged by hour
    days: dict[str, Array]  # every column of metrics.signal_hours, summed
    latencies: Array  # (S, D, LATENCY_STEPS): answered tries by duration
    users: Users
    covered: Array  # (D, 24), 0 to 1: how much of each hour the log covers
    born: Array  # (S,): the first day with a row
    whole_days: int  # days that are over; the day after them is still being logged
    whole_hours: int  # hours that are over, counted from the first day's midnight

    @property
    def weekend(self) -> Array:
        """(D,): is the day a Saturday or a Sunday."""
        return (np.arange(self.covered.shape[0]) + self.first_day.weekday()) % 7 >= 5

    def moment(self, hour: float) -> datetime:
        """The moment so many hours after the first day's midnight, on the reader's clock."""
        return datetime.combine(self.first_day, datetime.min.time()) + timedelta(hours=float(hour))


def lay_out(sums: Sums, until: datetime | None = None) -> Series:
    """The series of some sums.

    `until` is the moment, on the reader's clock, up to which the log is known; later hours have not happened yet.
    """
    kinds = [kind for kind, _ in sums.slices.keys]
    # A kind of slices that has but one member is the total by another name. (Features keep theirs: they are asked for.)
    kept = [row for row, kind in enumerate(kinds) if kind in ("total", "feature") or kinds.count(kind) > 1]
    slices = tuple(Slice(*sums.slices.keys[row]) for row in kept)
    arrays = sums.slices.arrays if len(kept) == len(kinds) else {n: a[kept] for n, a in sums.slices.arrays.items()}
    hours = sums.hours
    if until is not None:
        hours = min(hours, int((until - datetime.combine(sums.first_day, datetime.min.time())) / timedelta(hours=1)))
    total = next(row for row, of in enumerate(slices) if of.kind == "total")
    present = arrays["attempts"] + arrays["calls"] > 0
    return Series(
        slices, sums.first_day, {name: arrays[f"hourly/{name}"] for name in HOURLY},
        {name: array for name, array in arrays.items() if array.ndim == 2}, arrays["latencies"], _busy(sums, slices),
        _covered(arrays["hourly/attempts"][total], hours), present.argmax(axis=1), hours // 24, hours,
    )  # fmt: skip


def _busy(sums: Sums, slices: tuple[Slice, ...]) -> Users:
    place = {of.name: row for row, of in enumerate(slices) if of.kind == "feature"}
    days = sums.slices.arrays["attempts"].shape[1]
    features, feature = keys_of(sums.users, "feature")
    users, user = keys_of(sums.users, "user_id")
    day, attempts, cost_usd = by_day(sums.users, sums.first_day)
    known = np.array([name in place for name in features], bool)[feature] & (day >= 0) & (day < days)
    pair = feature * len(users) + user
    busy = np.unique(pair[known & (attempts >= BUSY_ATTEMPTS)])
    mine = known & np.isin(pair, busy)
    cell = np.searchsorted(busy, pair[mine]) * days + day[mine]
    laid_out = (
        np.bincount(cell, told[mine], len(busy) * days).reshape(len(busy), days) for told in (attempts, cost_usd)
    )
    of_feature = np.array([place[features[one]] for one in busy // max(len(users), 1)], int)
    return Users(of_feature, tuple(users[one] for one in busy % max(len(users), 1)), *laid_out)


def _covered(attempts: Array, whole_hours: int) -> Array:
    """(D, 24): how much of each hour is in the log, judged by the total and by what was usual before.

    An hour without a single try is a hole when the same hour of the last two weeks' like days usually had some. Beside
    a hole, an hour that came up short was cut by its edge.
    """
    days = attempts.shape[0]
    covered = np.ones((days, 24))
    covered.reshape(-1)[whole_hours:] = 0
    usual = np.zeros((days, 24))
    for day in range(1, days):
        past = slice(max(day - 14, 0), day)
        weights = covered[past] * (covered[past] > 0.9)
        usual[day] = (attempts[past] * weights).sum(axis=0) / np.maximum(weights.sum(axis=0), 1e-9)
        seldom_empty = ((attempts[past] == 0) * weights).sum(axis=0) <= 0.1 * weights.sum(axis=0)
        covered[day][(attempts[day] == 0) & (usual[day] >= GAP_CALLS) & seldom_empty] = 0
    flat, share = covered.reshape(-1), attempts.reshape(-1) / np.maximum(usual.reshape(-1), 1e-9)
    holes = np.flatnonzero(flat[:whole_hours] == 0)
    for hour in {int(edge) for hole in holes for edge in (hole - 1, hole + 1)} - set(holes.tolist()):
        if 0 <= hour < whole_hours and share[hour] < 0.9:
            flat[hour] = max(float(share[hour]), 0.02)
    return covered
