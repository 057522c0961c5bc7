"""Do errors pass or stay? That decides what to do: wait for the first, mend the second.

A rate that wobbles from day to day is systematic all the same, so no test of evenness alone can tell. The order of the
questions, and their thresholds, were found on simulated logs; `tests/queries/test_error_patterns.py` holds how often
the answer is right.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from math import lgamma
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from queries.filters import Filters
from queries.signals.sums import Read

Pattern = Literal["systematic", "systematic, under load", "new and lasting", "transient", "quiet", "mixed"]
Counts = NDArray[np.int64]

NOTEWORTHY_RATE = 0.02
DAYS = 14
_FEWEST_A_DAY = 20
_FEWEST_BY_HOUR = 100  # failures, below which the hour of day in which they fall is chance
_Z = 1.96


@dataclass(frozen=True)
class Verdict:
    """What the errors of one slice look like over the last days, with the figures behind it."""

    pattern: Pattern
    attempts: int
    failed_attempts: int
    error_rate: float  # failed tries over tries
    error_rate_low: float  # 95 % interval (Wilson), lower end
    since_day: int | None  # for what is new: the number of the day, from 0, since which it lasts


def patterns(read: Read, by: str, filters: Filters) -> dict[str, Verdict]:
    """The verdict on each value of `by` (feature, model or team) that had failures, over the last days of the filters.

    `read` reads a metric view under filters.
    The days are the last `DAYS` before the end of the filters' period, whenever that period begins: a day or two could
    not tell what passes from what stays.
    """
    [last] = read("freshness", filters)["last_started_at"].to_pylist() or [None]
    if last is None:
        return {}
    until = filters.until or (last + timedelta(days=2)).date()
    rows = read(f"failures_by_hour_and_{by}", replace(filters, since=until - timedelta(days=DAYS + 2), until=until))
    if not rows.num_rows:
        return {}
    hours, slices = rows["hour"].to_numpy().astype("datetime64[h]"), np.array(rows[by].to_pylist())
    end = hours.max().astype("datetime64[D]") + 1
    day = DAYS - (end - hours.astype("datetime64[D]")).astype(int)
    hour = (hours - hours.astype("datetime64[D]")).astype(int)
    verdicts = {}
    for name in np.unique(slices):
        own = (slices == name) & (day >= 0)
        counts = np.zeros((3, DAYS, 24), np.int64)
        for row, column in enumerate(("failed_attempts", "attempts", "refused_calls")):
            np.add.at(counts[row], (day[own], hour[own]), rows[column].to_numpy()[own].astype(np.int64))
        if counts[0].any():
            verdicts[str(name)] = judge(*counts)
    return verdicts


def judge(failed: Counts, attempts: Counts, refused: Counts | None = None) -> Verdict:
    """The pattern of failures: `failed` of `attempts`, both of shape (days, 24), counts by day and hour of day.

    `refused` of the failures are the API's word that it takes no such request (status 400, say): however short the
    burst, as after a change of the API's version, no waiting will mend them.
    """
    k, n = failed[-DAYS:].astype(float), attempts[-DAYS:].astype(float)
    total_k, total_n = k.sum(), n.sum()
    rate = float(total_k / total_n) if total_n else 0.0
    low = _wilson_low(total_k, total_n)

    def verdict(pattern: Pattern, since: int | None = None) -> Verdict:
        return Verdict(pattern, int(total_n), int(total_k), rate, low, since)

    is_full = n.sum(axis=1) >= _FEWEST_A_DAY
    days_k, days_n = k.sum(axis=1)[is_full], n.sum(axis=1)[is_full]
    if not len(days_n):
        return verdict("quiet" if low < NOTEWORTHY_RATE else "mixed")
    is_high = days_k / days_n >= NOTEWORTHY_RATE
    if low >= NOTEWORTHY_RATE and (is_high.mean() >= 0.8 or _is_even(days_k, days_n)):
        return verdict("systematic, under load" if _is_tied_to_load(k, n) else "systematic")
    if (since := _begun(days_k, days_n)) is not None:
        return verdict("new and lasting", int(np.flatnonzero(is_full)[since]) + max(len(failed) - DAYS, 0))
    usual_rate = float(np.median(days_k / days_n))
    if _in_bursts(k, n, usual_rate) or _in_bursts(k.sum(axis=1), n.sum(axis=1), usual_rate):
        is_refused = refused is not None and refused[-DAYS:].sum() >= 0.5 * total_k
        return verdict("systematic" if is_refused else "transient")
    return verdict("quiet" if low < NOTEWORTHY_RATE else "mixed")


def _wilson_low(k: float, n: float) -> float:
    """The lower end of Wilson's 95 % interval of k in n; 0 for n = 0."""
    if n == 0:
        return 0.0
    return float(max(0.0, (k + _Z**2 / 2 - _Z * np.sqrt(k * (n - k) / n + _Z**2 / 4)) / (n + _Z**2)))


def _is_even(k: NDArray[np.float64], n: NDArray[np.float64]) -> bool:
    """One rate for all days: Pearson's statistic below the 99 % point of chi-square (Wilson and Hilferty, 1931)."""
    free = len(n) - 1
    p = k.sum() / n.sum()
    if free < 1 or p in (0.0, 1.0):
        return free >= 1
    statistic = float(((k - n * p) ** 2 / (n * p * (1 - p))).sum())
    return bool(statistic < free * (1 - 2 / (9 * free) + 2.326 * np.sqrt(2 / (9 * free))) ** 3)


def _is_tied_to_load(k: NDArray[np.float64], n: NDArray[np.float64]) -> bool:
    """Four in five failures fall into hours of day that hold at most 65 % of the traffic."""
    if k.sum() < _FEWEST_BY_HOUR:
        return False
    hours_k, hours_n = k.sum(axis=0), n.sum(axis=0)
    worst = np.argsort(-hours_k / np.maximum(hours_n, 1), kind="stable")
    enough = int(np.searchsorted(np.cumsum(hours_k[worst]), 0.8 * hours_k.sum())) + 1
    return bool(hours_n[worst][:enough].sum() <= 0.65 * hours_n.sum())


def _begun(k: NDArray[np.float64], n: NDArray[np.float64]) -> int | None:
    """The day since which failures are at least twice as frequent as before and stay so; None if there is none."""
    best, found = 8.0, None
    for day in range(1, len(n)):
        before, after = k[:day].sum() / n[:day].sum(), k[day:].sum() / n[day:].sum()
        gain = _log_likelihood(k[:day], n[:day]) + _log_likelihood(k[day:], n[day:]) - _log_likelihood(k, n)
        lasts = (k[day:] / n[day:] >= NOTEWORTHY_RATE).mean() >= 0.8
        is_sure = _wilson_low(k[day:].sum(), n[day:].sum()) >= NOTEWORTHY_RATE
        if gain > best and after >= 2 * before and lasts and is_sure:
            best, found = gain, day
    return found


def _log_likelihood(k: NDArray[np.float64], n: NDArray[np.float64]) -> float:
    """Of k in n at their common rate, without the binomial coefficients, which cancel."""
    failed, tried = k.sum(), n.sum()
    p = failed / tried
    return float(failed * np.log(p) + (tried - failed) * np.log(1 - p)) if 0 < p < 1 else 0.0


def _in_bursts(k: NDArray[np.float64], n: NDArray[np.float64], usual_rate: float) -> bool:
    """Hours, or days, with far more failures than the usual day explains hold at least 30 % of all failures."""
    p = min(max(1.5 * usual_rate, 1e-4), 0.999)
    held = sum(
        failed
        for failed, tried in zip(k.ravel(), n.ravel(), strict=True)
        if failed >= 4 and failed > p * tried and _binomial_tail(int(failed), int(tried), p) < 1e-5
    )
    return bool(k.sum() and held >= 0.3 * k.sum())


def _binomial_tail(k: int, n: int, p: float) -> float:
    """The chance of k or more failures in n tries at rate p."""
    failures = range(k, n + 1) if n - k < 2_000 else range(k, k + 2_000)
    terms = [
        lgamma(n + 1) - lgamma(i + 1) - lgamma(n - i + 1) + i * np.log(p) + (n - i) * np.log1p(-p) for i in failures
    ]
    return float(np.exp(np.array(terms)).sum())
