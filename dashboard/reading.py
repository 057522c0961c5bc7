"""The numbers without a running page: the same questions as `dashboard.data` answers, through any reading function."""

from dataclasses import replace
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import pyarrow as pa

import queries
from dashboard import settings
from dashboard.names import UNATTRIBUTED
from dashboard.rows import Read, Rows, view_suffix
from queries import Filters
from queries.error_patterns import patterns
from queries.signals import Explanation as Explanation
from queries.signals import Forecast as Forecast
from queries.signals import explain, forecast


class Source(Protocol):
    """Where the content of pages comes from: the module `dashboard.data` for a page, a `Reading` for all else."""

    def read(self, metric: str, filters: Filters | None = None) -> Rows:
        """The rows of one metric view in the view's own order, under these filters."""

    def errors_pass(self, by: str, filters: Filters) -> Rows:
        """For each value of a dimension that had failures: whether they pass or stay, the worst first."""

    def explain(self, before: Filters, after: Filters, by: str) -> Explanation:
        """Why spend changed from one period to the other, by a dimension."""

    def forecast(self, filters: Filters) -> Forecast | None:
        """What the month will come to for what the filters ask for, whatever their period; None with little history."""

    def span(self) -> tuple[datetime, datetime] | None:
        """First and last moment (UTC) that the data covers; None while there is no data."""

    def home(self) -> Path:
        """Where the files lie that people keep by hand: rules of allocation, exchange rates."""


class Reading:
    """Answers to a report's questions, each read once."""

    def __init__(self, read: Read, hides_users: bool = False, home: Path | None = None) -> None:
        """`hides_users`: users are called User 1, User 2 … by what they cost in all, the same in every answer.

        `home`: where files kept by hand lie; by default the environment's.
        """
        self._ask = read
        self._home = home or settings.home()
        self._answers: dict[tuple[str, Filters], pa.Table] = {}
        self._id = uuid4().hex
        users = read("spend_by_user", Filters())["user_id"].to_pylist() if hides_users else []
        named = [name for name in users if name != UNATTRIBUTED]
        self._alias = {name: f"User {place}" for place, name in enumerate(named, 1)}
        self._real = {alias: name for name, alias in self._alias.items()}

    def read(self, metric: str, filters: Filters | None = None) -> Rows:
        """The rows of one metric view in the view's own order, under these filters."""
        key = sha256(repr((self._id, metric, filters)).encode()).hexdigest()
        return Rows(key, self._table(metric, filters or Filters()), notes().get(metric, {}))

    def errors_pass(self, by: str, filters: Filters) -> Rows:
        """For each value of a dimension that had failures: whether they pass or stay, the worst first."""
        key = sha256(repr((self._id, "errors_pass", by, filters)).encode()).hexdigest()
        return errors_pass(self._table, by, filters, key)

    def explain(self, before: Filters, after: Filters, by: str) -> Explanation:
        """Why spend changed from one period to the other, by a dimension."""
        return explain(self._table, before, after, view_suffix(by))

    def forecast(self, filters: Filters) -> Forecast | None:
        """What the month will come to for what the filters ask for, whatever their period; None with little history."""
        return forecast(self._table, replace(filters, since=None, until=None))

    def span(self) -> tuple[datetime, datetime] | None:
        """First and last moment (UTC) that the data covers; None while there is no data."""
        seen = self.read("totals").first()
        first, last = seen["first_started_at"], seen["last_started_at"]
        return (first, last) if first and last else None

    def home(self) -> Path:
        """Where the files lie that people keep by hand: rules of allocation, exchange rates."""
        return self._home

    def _table(self, metric: str, filters: Filters) -> pa.Table:
        if (metric, filters) not in self._answers:
            real = replace(filters, users=tuple(self._real.get(name, name) for name in filters.users))
            self._answers[metric, filters] = self._without_users(self._ask(metric, real))
        return self._answers[metric, filters]

    def _without_users(self, table: pa.Table) -> pa.Table:
        if not self._alias or "user_id" not in table.column_names:
            return table
        names = [self._alias.get(name, name) for name in table["user_id"].to_pylist()]
        return table.set_column(table.column_names.index("user_id"), "user_id", pa.array(names, pa.string()))


def errors_pass(read: Read, by: str, filters: Filters, key: str) -> Rows:
    """For each value of a dimension that had failures: whether they pass or stay, the worst first."""
    found = patterns(read, view_suffix(by), filters)
    verdicts = sorted(found.items(), key=lambda item: (item[1].pattern == "quiet", -item[1].failed_attempts))
    columns = {
        by: [name for name, _ in verdicts],
        "error_pattern": [verdict.pattern for _, verdict in verdicts],
        "attempts": [verdict.attempts for _, verdict in verdicts],
        "failed_attempts": [verdict.failed_attempts for _, verdict in verdicts],
        "attempt_error_rate": [verdict.error_rate for _, verdict in verdicts],
    }
    return Rows(key, pa.table(columns))


@cache
def notes() -> dict[str, dict[str, str]]:
    """What every metric view says about its columns."""
    return {view.name: view.notes for view in queries.catalogue() if view.layer == "metrics"}
