"""How long 500 slices over 90 days take to judge, all metrics, days and hours: `python -m benchmarks.signals_speed`.

Seconds of processor time, best of three: everything anew, and the daily refresh, which has yesterday's look in memory
and one more day to judge. The baseline is the plainest detector there is, over the same arrays: for every metric, slice
and day the distance from the median of the four weeks before in median absolute deviations. Reading from SQL is told
on its own, for a store of a million requests.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.traffic import fill_store
from dashboard.owner import Owner
from queries import Filters
from queries.signals.judge import judge
from queries.signals.ratios import LATENCY_STEPS
from queries.signals.series import Series, lay_out
from queries.signals.slate import Array, Slate
from queries.signals.sums import HOURLY, Grid, Sums, add_up

SLICES, DAYS = 500, 90
METRICS = ("cost_usd", "calls", "log_tokens", "attempts", "truncated_responses", "failed_attempts", "masked_calls",
           "cache_read_tokens", "output_tokens")  # fmt: skip


def busy_company(days: int = DAYS) -> Series:
    """SLICES slices with office hours and noise from day to day; the same slices and days for every length."""
    rng = np.random.default_rng(7)
    profile = np.exp(-(((np.arange(24) - 13) / 4) ** 2))
    size = rng.lognormal(3, 1, (SLICES, 1, 1)) * np.exp(rng.normal(0, 0.15, (SLICES, DAYS, 1)))
    calls = rng.poisson(size * profile).astype(float)
    by_day = calls.sum(axis=2)
    price = rng.uniform(0.001, 0.1, (SLICES, 1))
    tokens = 7 + rng.normal(0, 0.05, (SLICES, DAYS))
    rare = rng.binomial(by_day.astype(int), 0.01).astype(float)
    daily = {
        "cost_usd": by_day * price, "cost_squares": 2 * by_day * price**2, "calls": by_day, "attempts": by_day + rare,
        "billed_attempts": by_day, "failed_attempts": rare, "retry_known_calls": by_day,
        "retry_known_attempts": by_day + rare, "retry_known_squares": by_day + 3 * rare, "masked_calls": rare,
        "sized_attempts": by_day, "log_tokens": by_day * tokens, "log_tokens_squares": by_day * (tokens**2 + 0.5),
        "responses": by_day, "truncated_responses": rare, "cache_read_tokens": 900 * by_day,
        "cache_write_tokens": 100 * by_day, "output_tokens": 200 * by_day, "timed_attempts": by_day,
        "log_latency": by_day * tokens, "log_latency_squares": by_day * (tokens**2 + 0.5),
    }  # fmt: skip
    latencies = np.zeros((SLICES, DAYS, LATENCY_STEPS))
    latencies[:, :, 70:90] = rng.poisson(by_day[:, :, None] / 20, (SLICES, DAYS, 20))
    part = calls / np.maximum(by_day, 1)[:, :, None]
    hourly = {f"hourly/{name}": daily[name][:, :, None] * part for name in HOURLY}
    arrays = {name: array[:, :days] for name, array in (daily | hourly | {"latencies": latencies}).items()}
    keys = (*(("feature", f"f{number:03}") for number in range(SLICES - 1)), ("total", "total"))
    kinds = {"day": pa.date32(), "feature": pa.string(), "user_id": pa.string(), "attempts": pa.int64()}
    nobody = pa.schema(kinds | {"cost_usd": pa.float64()}).empty_table()
    return lay_out(Sums(date(2026, 8, 3), 24 * days, Grid(keys, arrays), nobody))


def robust_z(values: Array) -> Array:
    """The baseline: (S, D) distance from the median of the 28 days before, in median absolute deviations."""
    score = np.zeros(values.shape)
    for row in range(values.shape[0]):
        for day in range(14, values.shape[1]):
            past = values[row, max(day - 28, 0) : day]
            middle = np.median(past)
            score[row, day] = (values[row, day] - middle) / (1.4826 * np.median(np.abs(past - middle)) + 1e-9)
    return score


def seconds(work: Callable[[], object], times: int = 3) -> float:
    """Processor time of the quickest of some runs."""
    best = np.inf
    for _ in range(times):
        begun = time.process_time()
        work()
        best = min(best, time.process_time() - begun)
    return float(best)


def refresh(whole: Series) -> Callable[[], object]:
    """Judging the last day, with all days before it judged."""
    slate = Slate(DAYS - 1)
    told = judge(busy_company(DAYS - 1), slate).flags
    return lambda: judge(whole, Slate(DAYS, DAYS - 1, np.arange(SLICES), slate), told)


def main() -> None:
    """Print the table."""
    whole = busy_company()
    baseline = seconds(lambda: [robust_z(whole.days[name]) for name in METRICS], 1)
    print(f"{SLICES} slices, {DAYS} days; processor seconds, and over those of a plain robust z\n")
    print(f"| what | seconds | ratio |\n| --- | --- | --- |\n| plain robust z, days only | {baseline:.2f} | 1 |")
    for name, work in (("everything anew", lambda: judge(whole)), ("daily refresh", refresh(whole))):
        took = seconds(work)
        print(f"| {name} | {took:.2f} | {took / baseline:.3f} |")
    with tempfile.TemporaryDirectory() as folder:
        fill_store(Path(folder), 1_000_000)
        owner = Owner(Path(folder))
        everything = add_up(owner.read, Filters())
        assert everything
        last = replace(Filters(), since=everything.last_day)
        for name, filters in (("reading a million requests", Filters()), ("reading their last day", last)):
            took = seconds(partial(add_up, owner.read, filters))
            print(f"| {name} | {took:.2f} | |")
        owner.close()


if __name__ == "__main__":
    main()
