"""How far month-end forecasts are off, and how often the 80 % range holds: `python -m benchmarks.forecast`.

Five groups of daily spend, each of 16 series over 240 days: steady, growing, calm and wild companies (noise of a day,
weekly rhythm, a wandering level, launches, spikes, lasting shifts), and one whose level jumps. From the second month
on every month is forecast on days 3 to 25 of its 30 days. Beside it stands the run rate: spent so far, times days of
the month over days gone. Errors are means over groups of the mean absolute part of the month's total.
"""

import numpy as np

from queries.signals.forecast import T8_90, month_end
from queries.signals.slate import Array

DAYS, MONTH, SERIES = 240, 30, 16
# noise of a day; spread of the level's walk from week to week; growth a week; chance a day of a spike, of a jump
GROUPS = {
    "steady": (0.10, 0.02, 0.0, 0.0, 0.0),
    "growing": (0.15, 0.04, 0.04, 0.005, 0.0),
    "calm": (0.20, 0.08, 0.02, 0.01, 0.004),
    "wild": (0.40, 0.18, 0.0, 0.02, 0.008),
    "jumping": (0.15, 0.03, 0.0, 0.0, 0.02),
}


def spend(rng: np.random.Generator, group: str) -> Array:
    """(DAYS,) dollars a day."""
    noise, walk, growth, spikes, jumps = GROUPS[group]
    weekday = np.ones(7)
    weekday[5:] = rng.uniform(0.1, 1.3)
    weekday *= np.exp(rng.normal(0, 0.08, 7))
    weeks = np.repeat(np.cumsum(rng.normal(growth, walk, DAYS // 7 + 2)), 7)[:DAYS]
    jumped = np.cumsum((rng.random(DAYS) < jumps) * rng.choice([-1, 1], DAYS) * rng.uniform(0.3, 0.9, DAYS))
    daily = np.exp(weeks + jumped + rng.normal(0, noise, DAYS)) * np.resize(weekday, DAYS)
    return 100 * daily * np.where(rng.random(DAYS) < spikes, rng.uniform(2, 5, DAYS), 1)


def back_test(seed: int) -> dict[str, tuple[float, float, float]]:
    """For each group: mean error of the forecast and of the run rate, as a part, and how often the range held."""
    found = {}
    for number, group in enumerate(GROUPS):
        rng = np.random.default_rng([seed, number])
        errors, naive, held = [], [], []
        for _ in range(SERIES):
            amounts = spend(rng, group)
            for start in range(MONTH, DAYS - MONTH + 1, MONTH):
                whole = amounts[start : start + MONTH].sum()
                for day in range(3, 26, 2):
                    so_far = float(amounts[start : start + day].sum())
                    _, expected, width = month_end(amounts[: start + day], so_far, MONTH - day)
                    reach, left = float(np.exp(T8_90 * width)), expected - so_far
                    errors.append(abs(expected / whole - 1))
                    naive.append(abs(so_far / day * MONTH / whole - 1))
                    held.append(so_far + left / reach <= whole <= so_far + left * reach)
        found[group] = (float(np.mean(errors)), float(np.mean(naive)), float(np.mean(held)))
    return found


def mean_of(found: dict[str, tuple[float, float, float]]) -> tuple[float, float, float]:
    """The same of all groups together, each counting alike."""
    error, rate, cover = np.mean(list(found.values()), axis=0).tolist()
    return error, rate, cover


def main() -> None:
    """Print a table."""
    found = back_test(2026)
    print("| spend | forecast off by | run rate off by | ratio | 80 % range holds |\n| --- | --- | --- | --- | --- |")
    found["mean"] = mean_of(found)
    for group, (error, rate, cover) in found.items():
        print(f"| {group} | {error:.1%} | {rate:.1%} | {error / rate:.2f} | {cover:.2f} |")


if __name__ == "__main__":
    main()
