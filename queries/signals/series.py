"""The series that signals are judged by: one row per slice, one column per day or hour, and how much was logged.

Sums come from SQL, one query per grain; here they are only laid out. A day without rows is a zero where the log covers
it and NaN where it does not: missing logs are not zero spend.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from queries.filters import Filters

if TYPE_CHECKING:
    import pyarrow as pa

Array = Any  # numpy's own annotations say nothing about shapes; the docstrings do
Read = Callable[[str, Filters], "pa.Table"]

KINDS = ("total", "feature", "model", "team")
LATENCY_STEPS = 176  # histogram steps kept: the last begins at 2**22 ms, more than an hour
BUSY_ATTEMPTS = 20  # in one day: users who never made so many cannot drive anything
GAP_CALLS = 8.0  # an hour in which at least so many tries are usual and none came was not logged


@dataclass(frozen=True)
class Slice:
    """What a series is about."""

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
    hours: dict[str, Array]  # cost_usd, calls, attempts
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


def load(read: Read, filters: Filters, until: datetime | None = None) -> Series | None:
    """Lay out what the filters ask for. None when there is nothing.

    `until` is the moment, on the reader's clock, up to which the log is known; later hours have not happened yet.
    """
    table = read("signal_hours", filters)
    if not table.num_rows:
        return None
    stamps = _hours(table)
    first = int(stamps.min()) // 24
    last = int(stamps.max())
    days = last // 24 - first + 1
    kinds = table.column("slice_kind").combine_chunks().dictionary_encode()
    names = table.column("slice").combine_chunks().dictionary_encode()
    pairs = _codes(kinds) * len(names.dictionary) + _codes(names)
    found, row = np.unique(pairs, return_inverse=True)
    slices = tuple(
        Slice(kinds.dictionary[int(pair) // len(names.dictionary)].as_py(),
              names.dictionary[int(pair) % len(names.dictionary)].as_py())
        for pair in found
    )  # fmt: skip
    # A kind of slices that has but one member is the total by another name. (Features keep theirs: they are asked for.)
    kept = np.array([of.kind in ("total", "feature") or _count(slices, of.kind) > 1 for of in slices])
    used, row = kept[row], (np.cumsum(kept) - 1)[row]
    slices = tuple(of for of, is_kept in zip(slices, kept, strict=True) if is_kept)
    row, hour = row[used], (stamps - first * 24)[used]
    flat_hours = row * (days * 24) + hour
    flat_days = row * days + hour // 24
    sums = [name for name in table.column_names if name not in ("hour", "slice_kind", "slice")]
    values = {name: _floats(table, name)[used] for name in sums}
    hourly = {
        name: np.bincount(flat_hours, values[name], len(slices) * days * 24).reshape(len(slices), days, 24)
        for name in ("cost_usd", "calls", "attempts")
    }
    daily = {
        name: np.bincount(flat_days, column, len(slices) * days).reshape(len(slices), days)
        for name, column in values.items()
    }
    whole_hours = last - first * 24 + 1
    if until is not None:
        passed = int((np.datetime64(until, "m") - np.datetime64(first, "D")) / np.timedelta64(1, "m")) // 60
        whole_hours = min(whole_hours, passed)
    total = next(number for number, of in enumerate(slices) if of.kind == "total")
    covered = _covered(hourly["attempts"][total], whole_hours)
    present = daily["attempts"] + daily["calls"] > 0
    return Series(
        slices, date(1970, 1, 1) + timedelta(days=first), hourly, daily, _latencies(read, filters, slices, first, days),
        _users(read, filters, slices, first, days), covered, present.argmax(axis=1), whole_hours // 24, whole_hours,
    )  # fmt: skip


def _count(slices: tuple[Slice, ...], kind: str) -> int:
    return sum(of.kind == kind for of in slices)


def _codes(column: Any) -> Array:
    return np.from_dlpack(column.indices).astype(np.int64)


def _numbers(column: Any) -> Array:
    """A column without nulls as it lies in memory. (Arrow's own way to numpy would load pandas.)"""
    return np.from_dlpack(column.combine_chunks())


def _hours(table: pa.Table) -> Array:
    """Hours since 1970."""
    return _numbers(table.column("hour").cast("timestamp[us]").cast("int64")) // 3_600_000_000


def _days(table: pa.Table) -> Array:
    """Days since 1970."""
    return _numbers(table.column("day").cast("int32")).astype(np.int64)


def _floats(table: pa.Table, name: str) -> Array:
    """A column as doubles. Money comes as decimals; a double keeps 15 of its digits, which is plenty to judge by."""
    return _numbers(table.column(name).cast("double"))


def _latencies(read: Read, filters: Filters, slices: tuple[Slice, ...], first: int, days: int) -> Array:
    table = read("signal_latencies", filters)
    shape = (len(slices), days, LATENCY_STEPS)
    if not table.num_rows:
        return np.zeros(shape)
    kinds = table.column("slice_kind").combine_chunks().dictionary_encode()
    names = table.column("slice").combine_chunks().dictionary_encode()
    place = {(of.kind, of.name): number for number, of in enumerate(slices)}
    lookup = np.array([
        [place.get((kind, name), -1) for name in names.dictionary.to_pylist()] for kind in kinds.dictionary.to_pylist()
    ])  # fmt: skip
    row = lookup[_codes(kinds), _codes(names)]
    day = _days(table) - first
    step = np.clip(_numbers(table.column("step")), 0, LATENCY_STEPS - 1)
    cell = (row * days + day) * LATENCY_STEPS + step
    return np.bincount(cell[row >= 0], _floats(table, "attempts")[row >= 0], np.prod(shape)).reshape(shape)


def _users(read: Read, filters: Filters, slices: tuple[Slice, ...], first: int, days: int) -> Users:
    table = read("signal_users", filters)
    if not table.num_rows:
        return Users(np.zeros(0, int), (), np.zeros((0, days)), np.zeros((0, days)))
    features = table.column("feature").combine_chunks().dictionary_encode()
    names = table.column("user_id").combine_chunks().dictionary_encode()
    place = {of.name: number for number, of in enumerate(slices) if of.kind == "feature"}
    row = np.array([place.get(name, -1) for name in features.dictionary.to_pylist()])[_codes(features)]
    attempts, cost_usd = _floats(table, "attempts"), _floats(table, "cost_usd")
    spelled = names.dictionary.to_pylist()
    pairs = row * len(spelled) + _codes(names)
    busy = np.unique(pairs[(attempts >= BUSY_ATTEMPTS) & (row >= 0)])
    at = np.searchsorted(busy, pairs)
    known = (
        (at < len(busy)) & (busy[np.minimum(at, len(busy) - 1)] == pairs) if len(busy) else np.zeros(len(pairs), bool)
    )
    day = _days(table) - first
    cell = at[known] * days + day[known]
    shape = (len(busy), days)
    return Users(
        busy // len(spelled), tuple(spelled[int(pair) % len(spelled)] for pair in busy),
        *(np.bincount(cell, values[known], len(busy) * days).reshape(shape) for values in (attempts, cost_usd)),
    )  # fmt: skip


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
