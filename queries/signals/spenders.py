"""Users whose own use has changed, over all features, by the day and by the hour: the costliest of them.

Their cost, requests and errors are judged, and only when they rise. A thousand users with ten metrics each would add
false alarms and little else.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from queries.signals.bursts import Hourly, burst_flags
from queries.signals.hours import expect_hours
from queries.signals.levels import expect
from queries.signals.ratios import expect_rate, judged
from queries.signals.rules import Flag, Rule, day_flags, hour_flags
from queries.signals.series import Series, Slice
from queries.signals.slate import Array, Slate
from queries.signals.sums import Sums, by_hour, floats, keys_of

if TYPE_CHECKING:
    import pyarrow as pa

MOST_USERS = 100
USER_COST, USER_REQUESTS, USER_ERRORS = Rule(6.0), Rule(6.0), Rule(6.5)


def costliest(sums: Sums) -> tuple[str, ...]:
    """The users who have cost most, at most so many."""
    users, row = keys_of(sums.users, "user_id")
    spent = np.bincount(row, floats(sums.users, "cost_usd"), len(users))
    return tuple(users[one] for one in np.argsort(-spent, kind="stable")[:MOST_USERS])


def spender_flags(table: pa.Table, series: Series, floor: Array, grace_days: int) -> list[Flag]:
    """The flags of the users in `table`, rows of metrics.signal_user_hours. floor: (D,) dollars a flag is about."""
    if not table.num_rows:
        return []
    days, weekend, whole = len(series.covered), series.weekend, series.whole_days
    keys, row = keys_of(table, "user_id")
    hours = {
        name: by_hour(table, name, row, len(keys), series.first_day, days)
        for name in ("cost_usd", "calls", "attempts", "failed_attempts")
    }
    cost_usd, calls, attempts, failed = (of.sum(axis=2) for of in hours.values())
    squares = by_hour(table, "cost_squares", row, len(keys), series.first_day, days).sum(axis=2)
    born = ((attempts > 0) | (calls > 0)).argmax(axis=1)
    logged = np.broadcast_to(series.covered.mean(axis=1), cost_usd.shape)
    old = np.arange(days) - born[:, None] >= grace_days
    grown = old & (np.arange(days) < whole) & (series.covered.sum(axis=1) >= 8)
    slices = tuple(Slice("user", name) for name in keys)
    nothing_shared = np.zeros((2, days), bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        grain = np.where(cost_usd > 0, squares / cost_usd, 0)
        cost = expect(cost_usd, grain, logged, born, weekend, whole, Slate())
        requests = expect(calls, np.ones(calls.shape), logged, born, weekend, whole, Slate())
        errors = expect_rate(failed, attempts, None, whole, 0.002, 0.05, Slate())
        due = expect_hours(hours["cost_usd"], cost, series.covered, weekend, series.whole_hours, Slate())
        more_usd = cost_usd - cost.expected
        many = (calls / requests.expected - 1) * cost.expected >= floor
        broken = (errors.actual - errors.expected >= 0.1) & (failed >= 10) & (attempts >= 30)
        burst = Hourly("error_rate", 8.0, 0.2, hours["failed_attempts"], hours["attempts"], errors.expected)
        flags = [
            *day_flags("cost", USER_COST, judged(cost, cost_usd), grown & (more_usd >= floor), slices, 0),
            *day_flags("requests", USER_REQUESTS, judged(requests, calls), grown & many, slices, 0),
            *day_flags("error_rate", USER_ERRORS, errors, grown & broken, slices, 0),
            *hour_flags("cost", hours["cost_usd"], due, cost, np.ones(cost_usd.shape), floor, old, None, slices,
                        nothing_shared, 0),
            *burst_flags(burst, slices, old, series.whole_hours, Slate(days), 0),
        ]  # fmt: skip
    place = {of: row for row, of in enumerate(slices)}
    return [
        replace(flag, stake_usd=float(np.nansum(more_usd[place[flag.of], flag.start // 24 : (flag.end - 1) // 24 + 1])))
        for flag in flags
    ]
