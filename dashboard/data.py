"""The door to the numbers: the only module that calls `queries`, and the cache that all pages share.

Whoever serves the pages hands over its connection with `serve_from`; without one, the store file is opened read-only.
Answers are cached by the data's generation, so they never go stale and nobody has to press a refresh button.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import cache, cached_property
from hashlib import sha256
from typing import Any

import duckdb
import pyarrow as pa
import streamlit as st

import queries
from dashboard.settings import home
from queries import Filters, error_patterns
from queries.signals import Signal, find

DIMENSIONS = ("feature", "model", "user_id", "team", "environment")
_FILTER_OF = {
    "feature": "features",
    "model": "models",
    "user_id": "users",
    "team": "teams",
    "environment": "environments",
}

_supplied: Callable[[], duckdb.DuckDBPyConnection] | None = None


@dataclass(frozen=True)
class Rows:
    """The answer to one question. The key names question, filters and data generation: equal keys, equal rows."""

    key: str
    table: pa.Table
    notes: dict[str, str] = field(default_factory=dict)
    """What the view says about its columns."""

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __getitem__(self, column: str) -> list[Any]:
        return self.columns[column]

    def __contains__(self, column: str) -> bool:
        return column in self.table.column_names

    @cached_property
    def columns(self) -> dict[str, list[Any]]:
        """Every column as a list of Python values; money stays Decimal."""
        return {name: self.table.column(name).to_pylist() for name in self.table.column_names}

    def first(self) -> dict[str, Any]:
        """The only row of a one-row answer; every value None where there is no row."""
        return {name: values[0] if values else None for name, values in self.columns.items()}

    def total(self, column: str) -> Any:
        """The exact sum of a column."""
        return sum((value for value in self[column] if value is not None), Decimal(0) if column.endswith("_usd") else 0)

    def pick(self, *names: str) -> "Rows":
        """Some of the columns, in this order."""
        return Rows(
            f"{self.key}/{','.join(names)}", self.table.select([name for name in names if name in self]), self.notes
        )


def serve_from(connection: Callable[[], duckdb.DuckDBPyConnection]) -> None:
    """Read through the server's own connection from now on (the views must exist in it)."""
    global _supplied
    _supplied = connection


def read(metric: str, filters: Filters | None = None) -> Rows:
    """The rows of one metric view in the view's own order, under these filters."""
    return _read(metric, filters, generation())


def errors_pass(by: str, filters: Filters) -> Rows:
    """For each value of a dimension that had failures: whether they pass or stay, the worst first."""
    return _errors_pass(view_suffix(by), by, filters, generation())


def signals_found() -> tuple[Signal, ...]:
    """What was unusual in all that there is, for texts that go by it; the first look takes seconds."""
    return _signals_found(generation())


def look() -> None:
    """See which generation of the data there is: once per run of the pages, so that a page shows one and not two."""
    connection = _connection()
    st.session_state["generation"] = queries.generation(connection) if connection else ""


def generation() -> str:
    """Changes when data or views change; empty while there is no store."""
    return str(st.session_state["generation"])


def span() -> tuple[datetime, datetime] | None:
    """First and last moment (UTC) that the data covers; None while there is no data."""
    return _span(generation())


def options() -> dict[str, list[str]]:
    """The values each filter can take."""
    return _options(generation())


def costliest(by: str, filters: Filters, count: int) -> list[str]:
    """The costliest values of a dimension."""
    return read(f"spend_by_{view_suffix(by)}", filters)[by][:count]


def narrowed(filters: Filters, by: str, values: list[str]) -> Filters:
    """The same filters with one dimension set to these values."""
    chosen: dict[str, Any] = {_FILTER_OF[by]: tuple(values)}
    return replace(filters, **chosen)


def view_suffix(dimension: str) -> str:
    """What a dimension is called in the name of a view."""
    return "user" if dimension == "user_id" else dimension


def _connection() -> duckdb.DuckDBPyConnection | None:
    if _supplied:
        return _supplied()
    path = home() / "outlay.duckdb"
    return _opened(str(path), path.stat().st_mtime_ns) if path.exists() else None


@st.cache_resource(max_entries=2, show_spinner=False)
def _opened(path: str, changed_at: int) -> duckdb.DuckDBPyConnection:
    """A locked read-only look at the store file, opened anew when the file has changed."""
    connection = duckdb.connect(":memory:", config={"python_enable_replacements": "false"})
    quoted = path.replace("'", "''")
    connection.execute(f"attach '{quoted}' as store (read_only)")
    queries.create_views(connection)
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection


@st.cache_data(max_entries=2000, show_spinner=False)
def _read(metric: str, filters: Filters | None, generation: str) -> Rows:
    connection = _connection()
    if connection is None:
        return Rows(metric, pa.table({}))
    key = sha256(repr((metric, filters, generation)).encode()).hexdigest()
    return Rows(key, queries.read(connection, metric, filters), _notes().get(metric, {}))


@st.cache_data(max_entries=200, show_spinner=False)
def _errors_pass(suffix: str, by: str, filters: Filters, generation: str) -> Rows:
    connection = _connection()
    found = error_patterns.patterns(connection, suffix, filters) if connection else {}
    verdicts = sorted(found.items(), key=lambda item: (item[1].pattern == "quiet", -item[1].failed_attempts))
    columns = {
        by: [name for name, _ in verdicts],
        "error_pattern": [verdict.pattern for _, verdict in verdicts],
        "attempts": [verdict.attempts for _, verdict in verdicts],
        "failed_attempts": [verdict.failed_attempts for _, verdict in verdicts],
        "attempt_error_rate": [verdict.error_rate for _, verdict in verdicts],
    }
    return Rows(sha256(repr(("errors_pass", by, filters, generation)).encode()).hexdigest(), pa.table(columns))


@st.cache_data(max_entries=2, show_spinner="Looking for what is unusual …")
def _signals_found(generation: str) -> tuple[Signal, ...]:
    connection = _connection()
    return (
        find(lambda metric, filters: queries.read(connection, metric, filters), Filters()).signals if connection else ()
    )


@cache
def _notes() -> dict[str, dict[str, str]]:
    return {view.name: view.notes for view in queries.catalogue() if view.layer == "metrics"}


@st.cache_data(max_entries=4, show_spinner=False)
def _span(generation: str) -> tuple[datetime, datetime] | None:
    connection = _connection()
    first, last = queries.span(connection) if connection else (None, None)
    return (first, last) if first and last else None


@st.cache_data(max_entries=4, show_spinner=False)
def _options(generation: str) -> dict[str, list[str]]:
    connection = _connection()
    return queries.options(connection) if connection else {}
