"""Loading in one line, for tests: bytes in, what the store holds out."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from ingest import store
from ingest.load import Loader
from ingest.reader import Options


@contextmanager
def opened(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    con = duckdb.connect()
    store.open_store(con, home)
    try:
        yield con
    finally:
        con.close()


def load(home: Path, data: bytes | str, name: str = "a.log", **options: Any) -> list[store.Load]:
    """Land and fold; the ledger's lines."""
    content = data.encode() if isinstance(data, str) else data
    outcomes = list(Loader(home, Options(**options)).load_stream(io.BufferedReader(io.BytesIO(content)), name))
    with opened(home) as con:
        store.fold(con, home)
        ledger = store.ledger(con, [outcome.landed.load_id for outcome in outcomes])
    return [ledger[outcome.landed.load_id] for outcome in outcomes]


def attempts(home: Path, columns: str = "*") -> list[dict[str, Any]]:
    """The stored attempts, without the columns that are unknown."""
    with opened(home) as con:
        rows = (
            con.sql(f"select {columns} from store.attempts order by started_at, attempt_id")
            .to_arrow_table()
            .to_pylist()
        )
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def refusals(home: Path) -> list[tuple[int, str]]:
    with opened(home) as con:
        return con.execute("select source_line, reason from store.refusals order by 1, 2").fetchall()


def counts(line: store.Load) -> tuple[int, int, int, int, int]:
    """read, new, known, folded, refused"""
    return line.read_records, line.new_attempts, line.known_records, line.folded_records, line.refused_records
