"""Attempts for tests: say what matters, the rest is dull. And the store tables they are put into."""

from __future__ import annotations

from datetime import datetime
from itertools import count
from typing import Any

import duckdb
import pyarrow as pa

PILES = (
    "uncached_input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_write_unknown_ttl_tokens",
    "output_tokens",
)
_ITERATION = pa.struct([("model_raw", pa.string()), *((pile, pa.int64()) for pile in PILES)])
_ATTEMPTS = pa.schema(
    [
        ("attempt_id", pa.string()),
        ("call_id", pa.string()),
        ("attempt_no", pa.int32()),
        ("load_id", pa.string()),
        ("source_line", pa.int64()),
        ("source_format", pa.string()),
        ("fingerprint", pa.string()),
        ("started_at", pa.timestamp("us")),
        ("latency_ms", pa.float64()),
        ("ttft_ms", pa.float64()),
        ("model_raw", pa.string()),
        ("platform", pa.string()),
        *((pile, pa.int64()) for pile in PILES),
        ("thinking_tokens", pa.int64()),
        ("web_search_requests", pa.int64()),
        ("iterations", pa.list_(_ITERATION)),
        ("service_tier", pa.string()),
        ("speed", pa.string()),
        ("inference_geo", pa.string()),
        ("max_tokens", pa.int64()),
        ("stop_reason", pa.string()),
        ("http_status", pa.int32()),
        ("error_type", pa.string()),
        ("error_code", pa.string()),
        ("request_id", pa.string()),
        ("message_id", pa.string()),
        ("feature", pa.string()),
        ("user_id", pa.string()),
        ("team", pa.string()),
        ("environment", pa.string()),
        ("workspace_id", pa.string()),
        ("session_id", pa.string()),
        ("trace_id", pa.string()),
        ("cost_reported_usd", pa.decimal128(18, 12)),
        ("retry_count", pa.int32()),
    ]
)
_OTHER_TABLES = """
create table store.model_names (model_raw varchar);
create table store.loads (
    load_id varchar, source_name varchar, formats varchar[], bytes bigint, lines bigint, other_lines bigint,
    read_records bigint, new_attempts bigint, known_records bigint, folded_records bigint, refused_records bigint,
    first_started_at timestamp, last_started_at timestamp, landed_at timestamp, folded_at timestamp, notes varchar[]
);
create table store.refusals (load_id varchar, source_line bigint, reason varchar, preview varchar);
"""
_serial = count(1)


def empty_store() -> duckdb.DuckDBPyConnection:
    """A connection with an empty store attached, as ingest would attach it."""
    con = duckdb.connect(config={"threads": 2})
    con.execute("attach ':memory:' as store")
    nothing = _ATTEMPTS.empty_table()
    con.register("nothing", nothing)
    con.execute("create table store.attempts as from nothing")
    con.execute(_OTHER_TABLES)
    con.unregister("nothing")
    return con


def clear(con: duckdb.DuckDBPyConnection) -> None:
    """Take everything out of the store again."""
    for table in ("attempts", "model_names", "loads", "refusals"):
        con.execute(f"delete from store.{table}")


def fill(con: duckdb.DuckDBPyConnection, attempts: list[dict[str, Any]]) -> None:
    """Put attempts into the store."""
    con.register("given_attempts", pa.Table.from_pylist(attempts, _ATTEMPTS))
    con.execute("insert into store.attempts from given_attempts")
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
    unknown = set(what) - set(_ATTEMPTS.names)
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
