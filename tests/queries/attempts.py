"""Attempts for tests: say what matters, the rest is dull. And the store tables they are put into."""

from __future__ import annotations

from datetime import datetime
from itertools import count
from typing import Any

import duckdb
import pyarrow as pa

from ingest import store
from ingest.reader import NO_ATTEMPTS

_SCHEMA = NO_ATTEMPTS.schema.append(pa.field("load_id", pa.string()))
_serial = count(1)


def empty_store() -> duckdb.DuckDBPyConnection:
    """A connection with an empty store attached, as ingest would attach it."""
    con = duckdb.connect(config={"threads": 2})
    con.execute("attach ':memory:' as store")
    store.create_tables(con)
    return con


def clear(con: duckdb.DuckDBPyConnection) -> None:
    """Take everything out of the store again."""
    for table in ("attempts", "model_names", "loads", "refusals", "set_aside", "bill_reports", "bill_days", "billed"):
        con.execute(f"delete from store.{table}")


def fill(con: duckdb.DuckDBPyConnection, attempts: list[dict[str, Any]]) -> None:
    """Put attempts into the store."""
    con.register("given_attempts", pa.Table.from_pylist(attempts, _SCHEMA))
    con.execute("insert into store.attempts by name from given_attempts")
    con.unregister("given_attempts")
    names = {attempt["model_raw"] for attempt in attempts}
    names |= {part["model_raw"] for attempt in attempts for part in attempt.get("iterations") or []}
    known = {name for (name,) in con.execute("from store.model_names").fetchall()}
    new = sorted(names - known - {None})
    con.execute("insert into store.model_names select unnest($new::varchar[])", {"new": new})


def an_attempt(**what: Any) -> dict[str, Any]:
    """One successful attempt that costs nothing special; name only what the test is about."""
    attempt: dict[str, Any] = {
        "attempt_id": f"attempt-{next(_serial)}",
        "started_at": datetime(2026, 11, 20, 12),
        "model_raw": "claude-opus-5-5",
        "uncached_input_tokens": 1_000,
        "output_tokens": 100,
        "stop_reason": "end_turn",
        "source_format": "test",
        "load_id": "load-1",
    }
    unknown = set(what) - set(_SCHEMA.names)
    assert not unknown, f"no such column: {unknown}"
    return attempt | what


def a_failure(**what: Any) -> dict[str, Any]:
    """One attempt that the API turned away; it has no tokens and no answer."""
    return an_attempt(
        **{
            "uncached_input_tokens": None,
            "output_tokens": None,
            "stop_reason": None,
            "http_status": 529,
            "error_type": "overloaded_error",
            **what,
        }
    )


def an_iteration(**what: Any) -> dict[str, Any]:
    """One iteration of an answer that was made in several."""
    return {"model_raw": None, "uncached_input_tokens": 1_000, "output_tokens": 100, **what}
