"""What is worth a look, said so that finance understands it: what, when, how much, what was expected, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

import numpy as np

from queries.filters import Filters
from queries.signals.causes import main_cause, parts
from queries.signals.judge import Verdict
from queries.signals.memory import Memory
from queries.signals.rules import Flag
from queries.signals.series import Series, Slice
from queries.signals.slate import Array
from queries.signals.sums import Read
from queries.signals.wording import sentence

APART_HOURS = 24  # flags of one metric and slice less than so far apart are one signal
EXPLAINED = 0.5  # of a whole's excess that its features' own signals must explain for it not to be told twice
DRIVER = 0.5  # of the excess that one user must account for to be named
SUMS = {"cost": "cost_usd", "requests": "calls"}


@dataclass(frozen=True)
class Signal:
    """One event of one metric of one slice. Times are on the reader's clock, values in the metric's unit.

    signal_id: stays the same while more becomes known of the event, so that what was decided about it holds.
    raised_at: when it could first be known. score: standard deviations. stake_usd: what its days cost more or less than
    expected. cause: the factor that moved the cost; None where no money moves. is_open: it lasts until the data ends.
    """

    signal_id: str
    slice_kind: str
    slice: str
    metric: str
    start: datetime
    end: datetime
    raised_at: datetime
    actual: float
    expected: float
    low: float
    high: float
    score: float
    stake_usd: float
    cause: str | None
    parts: dict[str, float]
    driver_user: str | None
    is_open: bool

    @property
    def sentence(self) -> str:
        """The signal in words."""
        return sentence(self)


class Expected(NamedTuple):
    """What one day of one slice cost and was expected to cost, with the range that holds four days out of five."""

    day: datetime
    slice_kind: str
    slice: str
    cost_usd: float
    expected_usd: float
    low_usd: float
    high_usd: float


@dataclass(frozen=True)
class Findings:
    """Everything that one look at the data yields: compute once per generation of the data, keep, and read from it."""

    signals: tuple[Signal, ...]
    expected: tuple[Expected, ...]


def find(read: Read, filters: Filters, memory: Memory | None = None) -> Findings:
    """Judge what the filters ask for. The period only says which signals to tell; what was usual comes from before it.

    `read` reads a metric view under filters. With the memory of an earlier look by the same filters, only days whose
    rows may have changed since are read and judged; what is found is the same.
    """
    looked = (memory or Memory()).look(read, replace(filters, since=None))
    if looked is None:
        return Findings((), ())
    series, verdict = looked
    episodes = _told_once([_signal(series, verdict, flags, filters.zone) for flags in _episodes(verdict.flags)])
    since = datetime.combine(filters.since, datetime.min.time()) if filters.since else datetime.min
    signals = sorted((of for of in episodes if of.end > since), key=lambda of: (of.start, of.slice_kind, of.slice))
    return Findings(tuple(signals), tuple(of for of in _expected(series, verdict) if of.day >= since))


def _episodes(flags: list[Flag]) -> list[list[Flag]]:
    """Flags of one metric and slice that belong together, each group in the order of time. A rise is no fall.

    Of a ratio, a day that stands out because some of its hours do is told by those hours.
    """

    def subject(flag: Flag) -> tuple[str, str, str, bool]:
        return flag.of.kind, flag.of.name, flag.metric, flag.score > 0

    bursts = {(subject(of), of.start // 24) for of in flags if of.metric not in SUMS and of.end - of.start < 24}
    flags = [of for of in flags if of.end - of.start < 24 or (subject(of), of.start // 24) not in bursts]
    groups: list[list[Flag]] = []
    end = -APART_HOURS
    for flag in sorted(flags, key=lambda flag: (subject(flag), flag.start, flag.end)):
        if groups and subject(groups[-1][0]) == subject(flag) and flag.start - end < APART_HOURS:
            groups[-1].append(flag)
            end = max(end, flag.end)
        else:
            groups.append([flag])
            end = flag.end
    return groups


def _signal(series: Series, verdict: Verdict, flags: list[Flag], zone: str) -> Signal:
    of, metric = flags[0].of, flags[0].metric
    start, end = flags[0].start, max(flag.end for flag in flags)
    strongest = max(flags, key=lambda flag: abs(flag.score))
    row = next((row for row, other in enumerate(series.slices) if other == of), None)
    actual, expected, low, high = strongest.values
    first, last = start // 24, (end - 1) // 24
    found: dict[str, float] = {}
    cause = None
    driver = of.name if of.kind == "user" else None
    stake = strongest.stake_usd
    if row is not None:
        if metric in SUMS:
            hours = verdict.cost_hours if metric == "cost" else verdict.request_hours
            whole = expected
            told = np.unique(np.concatenate([np.arange(flag.start, flag.end) for flag in flags]))
            actual = float(series.hours[SUMS[metric]][row].reshape(-1)[told].sum())
            expected = float(hours.expected[row, told].sum())
            scale = expected / whole if whole > 0 else 1.0
            low, high = low * scale, high * scale
        days = slice(first, last + 1)
        calls = series.days["calls"][row]
        usual = float(np.nansum(verdict.requests.expected[row, days]))
        if (
            metric in SUMS and end - start < 24
        ):  # only what came in these hours is news; the rest of the day is as it is
            got = float(series.hours["calls"][row].reshape(-1)[start:end].sum())
            usual = float(calls[days].sum()) - got + float(verdict.request_hours.expected[row, start:end].sum())
        found = parts(series, row, first, last, usual)
        cause = main_cause(metric, found, strongest.score > 0)
        stake = float(np.nansum(series.days["cost_usd"][row, days] - verdict.cost.expected[row, days]))
        driver = next((flag.user for flag in flags if flag.user), None) or _driver(series, row, first, last, metric)
    first_told = min(flags, key=lambda flag: (flag.raised, flag.start))
    return Signal(
        _signal_id(zone, of, metric, series.moment(first_told.start)), of.kind, of.name, metric,
        series.moment(start), series.moment(end),
        series.moment(first_told.raised), actual, expected, low, high, strongest.score, stake,
        cause, found, driver, end >= series.whole_days * 24,
    )  # fmt: skip


def _signal_id(zone: str, of: Slice, metric: str, start: datetime) -> str:
    """A digest of what was first told of an event: flags that are raised later may widen it, but not rename it."""
    return sha256(repr((zone, of.kind, of.name, metric, start)).encode()).hexdigest()[:16]


def _driver(series: Series, row: int, first: int, last: int, metric: str) -> str | None:
    """The user who made at least half of the excess tries of these days; None when no one did."""
    users = series.users
    mine = np.flatnonzero(users.feature == row)
    if metric not in SUMS or not len(mine) or first < 7:
        return None
    past = slice(max(first - 14, 0), first)
    length = last - first + 1
    usual = users.attempts[mine, past].mean(axis=1) * length
    excess = users.attempts[mine, first : last + 1].sum(axis=1) - usual
    tries = series.days["attempts"][row]
    whole = tries[first : last + 1].sum() - tries[past].mean() * length
    most = int(np.argmax(excess))
    return users.names[mine[most]] if whole > 0 and excess[most] >= DRIVER * whole and len(mine) > 1 else None


def _told_once(signals: list[Signal]) -> list[Signal]:
    """Without what the total, a model, a team or a user shows only because a feature that has its own signal does."""
    features = [of for of in signals if of.slice_kind == "feature"]
    told = list(features)
    for of in signals:
        if of.slice_kind == "feature":
            continue
        overlapping = {
            other.slice: other.stake_usd for other in features if other.start < of.end and other.end > of.start
        }
        same = sum(stake for stake in overlapping.values() if stake * of.stake_usd > 0)
        if of.metric not in SUMS and overlapping:
            continue
        if abs(same) < EXPLAINED * abs(of.stake_usd):
            told.append(of)
    return told


def _expected(series: Series, verdict: Verdict) -> list[Expected]:
    level: dict[str, Array] = {name: getattr(verdict.cost, name) for name in ("expected", "low", "high")}
    return [
        Expected(series.moment(24 * day), of.kind, of.name, float(series.days["cost_usd"][row, day]),
                 *(float(level[name][row, day]) for name in ("expected", "low", "high")))
        for row, of in enumerate(series.slices) if of.kind in ("total", "feature")
        for day in range(series.whole_days) if not np.isnan(level["expected"][row, day])
    ]  # fmt: skip
