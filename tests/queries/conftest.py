"""given(attempts) puts them into a real DuckDB; ask(metric, filters) reads a metric; rows(sql) reads anything else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pytest
from attempts import clear, empty_store, fill

from queries import Filters, create_views, read

Rows = list[dict[str, Any]]


@pytest.fixture(scope="session")
def warehouse() -> duckdb.DuckDBPyConnection:
    """Views over a store; made once, because making them takes longer than a test."""
    con = empty_store()
    create_views(con)
    return con


@pytest.fixture
def con(warehouse: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """Views over an empty store."""
    yield warehouse
    clear(warehouse)


@pytest.fixture
def given(con: duckdb.DuckDBPyConnection) -> Callable[..., None]:
    """given(an_attempt(...), ...): these attempts are in the store."""
    return lambda *attempts: fill(con, list(attempts))


@pytest.fixture
def ask(con: duckdb.DuckDBPyConnection) -> Callable[..., Rows]:
    """ask(metric, **filters): its rows."""
    return lambda metric, **filters: read(con, metric, Filters(**filters)).to_pylist()


@pytest.fixture
def rows(con: duckdb.DuckDBPyConnection) -> Callable[[str], Rows]:
    """rows(sql): the rows of any query."""
    return lambda sql: con.sql(sql).to_arrow_table().to_pylist()
