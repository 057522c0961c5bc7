"""What SQL adds up for signals, laid out: one row per slice or user, one column per day.

Laying out what is new beside what is known already gives the same as reading everything again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from queries.filters import Filters
from queries.signals.ratios import LATENCY_STEPS
from queries.signals.slate import Array

Read = Callable[[str, Filters], pa.Table]

EPOCH = date(1970, 1, 1)
HOURLY = (
    "cost_usd", "calls", "attempts", "failed_attempts", "retry_known_calls", "masked_calls", "responses",
    "truncated_responses", "cache_read_tokens", "cache_write_tokens", "sized_attempts", "log_tokens", "timed_attempts",
    "log_latency",
)  # fmt: skip


@dataclass(frozen=True)
class Grid:
    """Sums by key and day: every array is (keys, days), or (keys, days, more) with what is told within a day."""

    keys: tuple[tuple[str, str], ...]
    arrays: dict[str, Array]

    def then(self, days: int, later: Grid) -> Grid:
        """The first `days` of this, and after them what came later."""
        keys = tuple(sorted({*self.keys, *later.keys}))
        place = {key: row for row, key in enumerate(keys)}
        mine, its = ([place[key] for key in grid.keys] for grid in (self, later))
        arrays = {}
        for name, new in later.arrays.items():
            arrays[name] = np.zeros((len(keys), days + new.shape[1], *new.shape[2:]))
            old = self.arrays[name][:, :days]
            arrays[name][mine, : old.shape[1]] = old  # days between the two have no rows
            arrays[name][its, days:] = new
        return Grid(keys, arrays)


@dataclass(frozen=True)
class Sums:
    """Everything that signals are judged by. Days are on the reader's clock."""

    first_day: date
    hours: int  # from the first day's midnight to the end of the last hour with a row
    slices: Grid  # by kind and name: every column of metrics.signal_hours by day, `hourly/` some by hour, latencies
    users: pa.Table  # metrics.signal_users, in the order of days; most pairs are rare, so nothing is laid out for them

    @property
    def last_day(self) -> date:
        """The day of the last row."""
        return self.first_day + timedelta(days=(self.hours - 1) // 24)

    def then(self, later: Sums) -> Sums:
        """This until the other begins, and then the other."""
        days = (later.first_day - self.first_day).days
        old = int(np.searchsorted(by_day(self.users, self.first_day)[0], days))
        users = pa.concat_tables([self.users.slice(0, old), later.users])
        return Sums(self.first_day, 24 * days + later.hours, self.slices.then(days, later.slices), users)


def add_up(read: Read, filters: Filters) -> Sums | None:
    """Lay out what the filters ask for. None when there is nothing."""
    table = read("signal_hours", filters)
    if not table.num_rows:
        return None
    stamps = _hours(table)
    first, last = int(stamps.min()) // 24, int(stamps.max())
    if filters.since:
        first = (filters.since - EPOCH).days
    days = last // 24 - first + 1
    keys, row = _keys(table, "slice_kind", "slice")
    hour = stamps - first * 24
    sums: dict[str, Array] = {}
    for name in table.column_names:
        if name not in ("hour", "slice_kind", "slice"):
            values = floats(table, name)
            if name in HOURLY:
                told = np.bincount(row * (days * 24) + hour, values, len(keys) * days * 24)
                sums[f"hourly/{name}"] = told.reshape(len(keys), days, 24)
            sums[name] = np.bincount(row * days + hour // 24, values, len(keys) * days).reshape(len(keys), days)
    sums["latencies"] = _latencies(read("signal_latencies", filters), keys, first, days)
    users = read("signal_users", filters)
    return Sums(EPOCH + timedelta(days=first), last - first * 24 + 1, Grid(keys, sums), users)


def _latencies(table: pa.Table, keys: tuple[tuple[str, str], ...], first: int, days: int) -> Array:
    """(S, D, LATENCY_STEPS): answered tries by duration."""
    shape = (len(keys), days, LATENCY_STEPS)
    own, row = _keys(table, "slice_kind", "slice")
    place = {key: number for number, key in enumerate(keys)}
    row = np.array([place.get(key, -1) for key in own], int)[row]
    day = _days(table) - first
    step = np.clip(_numbers(table.column("step")), 0, LATENCY_STEPS - 1)
    cell = (row * days + day) * LATENCY_STEPS + step
    known = (row >= 0) & (day >= 0) & (day < days)  # a load may be folded between two questions
    return np.bincount(cell[known], floats(table, "attempts")[known], np.prod(shape)).reshape(shape)


def keys_of(table: pa.Table, column: str) -> tuple[tuple[str, ...], Array]:
    """The values that occur in a column, in order, and for each row which of them it has."""
    values = table.column(column).combine_chunks().dictionary_encode()
    names = values.dictionary.to_pylist()
    order = sorted(range(len(names)), key=names.__getitem__)
    return tuple(names[old] for old in order), np.argsort(order)[_codes(values)]


def by_day(table: pa.Table, first_day: date) -> tuple[Array, Array, Array]:
    """Of a table that has a row for each day: days since the first, attempts and dollars."""
    day = _numbers(table.column("day").cast("int32")).astype(np.int64) - (first_day - EPOCH).days
    return day, floats(table, "attempts"), floats(table, "cost_usd")


def by_hour(table: pa.Table, name: str, row: Array, rows: int, first_day: date, days: int) -> Array:
    """(rows, days, 24): one column of a table that has a row for each hour."""
    hour = _hours(table) - (first_day - EPOCH).days * 24
    known = (hour >= 0) & (hour < days * 24)
    cell = row[known] * (days * 24) + hour[known]
    return np.bincount(cell, floats(table, name)[known], rows * days * 24).reshape(rows, days, 24)


def _keys(table: pa.Table, first: str, second: str) -> tuple[tuple[tuple[str, str], ...], Array]:
    """The pairs of values that occur, in order, and for each row which of them it has."""
    if not table.num_rows:
        return (), np.zeros(0, int)
    one, two = (table.column(name).combine_chunks().dictionary_encode() for name in (first, second))
    ones, twos = one.dictionary.to_pylist(), two.dictionary.to_pylist()
    found, row = np.unique(_codes(one) * len(twos) + _codes(two), return_inverse=True)
    pairs = [(ones[int(code) // len(twos)], twos[int(code) % len(twos)]) for code in found]
    order = sorted(range(len(pairs)), key=pairs.__getitem__)
    return tuple(pairs[old] for old in order), np.argsort(order)[row]


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


def floats(table: pa.Table, name: str) -> Array:
    """A column as doubles. Money comes as decimals; a double keeps 15 of its digits, which is plenty to judge by."""
    return _numbers(table.column(name).cast("double"))
