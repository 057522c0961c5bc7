"""Users whose own spend has changed, over all features, by the day and by the hour: the costliest of them.

Only their cost is judged. A thousand users with ten metrics each would add false alarms and little else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from queries.signals.hours import expect_hours
from queries.signals.levels import expect
from queries.signals.ratios import Judged
from queries.signals.rules import Flag, Rule, day_flags, hour_flags
from queries.signals.series import Series, Slice
from queries.signals.slate import Array, Slate
from queries.signals.sums import Sums, by_hour, keys_of

if TYPE_CHECKING:
    import pyarrow as pa

MOST_USERS = 100
USER_COST = Rule(6.0)


def costliest(sums: Sums) -> tuple[str, ...]:
    """The users who have cost most, at most so many."""
    spent: dict[str, float] = {}
    for (_, user), cost in zip(sums.users.keys, sums.users.arrays["cost_usd"].sum(axis=1), strict=True):
        spent[user] = spent.get(user, 0.0) + float(cost)
    return tuple(sorted(spent, key=lambda user: (-spent[user], user))[:MOST_USERS])


def spender_flags(table: pa.Table, series: Series, floor: Array, grace_days: int) -> list[Flag]:
    """The flags of the users in `table`, rows of metrics.signal_user_hours. floor: (D,) dollars a flag is about."""
    if not table.num_rows:
        return []
    days, weekend, whole = len(series.covered), series.weekend, series.whole_days
    keys, row = keys_of(table, "user_id")
    hourly, attempts, squares = (
        by_hour(table, name, row, len(keys), series.first_day, days)
        for name in ("cost_usd", "attempts", "cost_squares")
    )
    cost = hourly.sum(axis=2)
    born = (attempts.sum(axis=2) > 0).argmax(axis=1)
    logged = np.broadcast_to(series.covered.mean(axis=1), cost.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        grain = np.where(cost > 0, squares.sum(axis=2) / cost, 0)
        level = expect(cost, grain, logged, born, weekend, whole, Slate())
        hours = expect_hours(hourly, level, series.covered, weekend, series.whole_hours, Slate())
        old = np.arange(days) - born[:, None] >= grace_days
        whole_days = (np.arange(days) < whole) & (series.covered.sum(axis=1) >= 8)
        matters = old & whole_days & (cost - level.expected >= floor)
        slices = tuple(Slice("user", name) for name in keys)
        what = Judged(cost, level.expected, level.low, level.high, level.score)
        return [
            *day_flags("cost", USER_COST, what, matters, slices, 0),
            *hour_flags("cost", hourly, hours, level, np.ones(cost.shape), floor, old, None, slices, 0),
        ]
