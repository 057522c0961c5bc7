"""How budgets stand: what is spent, exactly; which mark is passed; when the rest will be gone."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from dashboard.alerts.rules import Budget
from queries import Filters
from queries.signals.breach import Path, path

Read = Callable[[str, Filters], pa.Table]

HISTORY = timedelta(weeks=12)  # as much as the forecast looks back


@dataclass(frozen=True)
class Standing:
    """One budget on one day. Days are on the budget's clock; the period's first and last day are included.

    spent: what each day of the period until `as_of` cost. unpriced_attempts: tries of the period whose cost is unknown
    and not in the sums. path: where the spend is heading; None where there is too little history, or the logs have
    ended before the period began. last_day: the last day that anything was logged on; None without any log.
    """

    budget: Budget
    since: date
    until: date
    as_of: date
    spent: tuple[tuple[date, Decimal], ...]
    unpriced_attempts: int
    path: Path | None
    last_day: date | None

    @property
    def spent_usd(self) -> Decimal:
        """What the period has cost so far."""
        return sum((cost for _, cost in self.spent), Decimal(0))

    @property
    def left_usd(self) -> Decimal:
        """What is left; below zero when more was spent."""
        return self.budget.amount_usd - self.spent_usd

    @property
    def percent(self) -> Decimal:
        """Percent of the amount that is spent, cut (not rounded) to a tenth: 100.0 is never said too early."""
        return (self.spent_usd * 100 / self.budget.amount_usd).quantize(Decimal("0.1"), ROUND_DOWN)

    @property
    def mark(self) -> int:
        """The highest mark that is reached; 0 while none is."""
        return max(
            (mark for mark in self.budget.marks if self.spent_usd * 100 >= mark * self.budget.amount_usd), default=0
        )

    @property
    def breached_on(self) -> date | None:
        """The day on which the amount was used up."""
        total = Decimal(0)
        for day, cost in self.spent:
            total += cost
            if total >= self.budget.amount_usd:
                return day
        return None

    @property
    def expected_on(self) -> date | None:
        """The day of the period on which the rest will be used up, as things are going; None if it lasts."""
        return None if self.breached_on or self.path is None else self.path.expected_on


def standing(read: Read, budget: Budget, now: datetime) -> Standing:
    """How a budget stands at a (UTC) moment.

    `read` reads a metric view under filters. What is logged for later days is left out.
    """
    zone = ZoneInfo(budget.filters.zone)
    today = now.astimezone(zone).date()
    since, until = budget.period.days(today)
    asked = replace(budget.filters, since=since - HISTORY, until=today)
    rows = read("spend_by_day", asked).to_pylist()
    cost = {row["day"]: row["cost_usd"] for row in rows}
    last_at = read("freshness", Filters()).column("last_started_at")[0].as_py()
    last_day = last_at and min(last_at.replace(tzinfo=UTC).astimezone(zone).date(), today)
    days = [since + timedelta(days=n) for n in range((today - since).days + 1)]
    spent = tuple((day, cost.get(day, Decimal(0))) for day in days)
    return Standing(
        budget,
        since,
        until,
        today,
        spent,
        sum(row["unpriced_attempts"] for row in rows if row["day"] >= since),
        _path(budget, cost, spent, last_day, until) if last_day and last_day >= since else None,
        last_day,
    )


def _path(
    budget: Budget, cost: dict[date, Decimal], spent: tuple[tuple[date, Decimal], ...], last_day: date, until: date
) -> Path | None:
    """From the last day that is over (the last one in the logs is still running) to the end of the period."""
    if not cost:
        return None
    as_of = last_day - timedelta(days=1)
    first = min(cost)
    history = np.array([float(cost.get(first + timedelta(days=n), 0)) for n in range((as_of - first).days + 1)])
    since = spent[0][0]
    ahead = budget.period.rolling or (until - as_of).days
    counted = [(day, float(amount)) for day, amount in spent if day <= as_of]
    kept = []
    for n in range(1, ahead + 1):
        begins = as_of + timedelta(days=n + 1 - budget.period.rolling) if budget.period.rolling else since
        kept.append(sum(amount for day, amount in counted if day >= begins))
    so_far = float(sum((amount for _, amount in spent), Decimal(0)))
    return path(history, as_of, kept, so_far, float(budget.amount_usd))


COLUMNS = (
    "budget", "period", "since", "until", "amount_usd", "spent_usd", "left_usd", "spent_percent", "mark_percent",
    "breached_on", "expected_on", "earliest_on", "latest_on", "unpriced_attempts", "zone",
)  # fmt: skip


def row(of: Standing) -> dict[str, Any]:
    """A budget as a line of a table; dates are empty where nothing is expected or too little is known."""
    ahead = None if of.breached_on else of.path
    values = (
        of.budget.name, of.budget.period.word, of.since, of.until, of.budget.amount_usd, of.spent_usd, of.left_usd,
        of.percent, of.mark, of.breached_on, of.expected_on, ahead and ahead.earliest_on, ahead and ahead.latest_on,
        of.unpriced_attempts, of.budget.filters.zone,
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))
