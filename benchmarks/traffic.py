"""Traffic of any size, the same for the same number: as a log file, and as rows of a store."""

import json
import random
import resource
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from ingest import store
from ingest.attempt import COLUMNS

DAYS = 90
FIRST = datetime(2026, 8, 24)
MODELS = ("claude-opus-5", "claude-sonnet-5", "claude-haiku-4-5")


def log_lines(requests: int) -> Iterator[str]:
    """Application log lines of some 420 bytes, in the order of time."""
    rng = random.Random(1)
    for number in range(requests):
        failed = rng.random() < 0.01
        record = {
            "timestamp": (FIRST + timedelta(days=DAYS * number / requests)).isoformat(timespec="milliseconds") + "Z",
            "level": "info",
            "event": "claude_call",
            "request_id": f"req_{rng.getrandbits(96):024x}",
            "model": rng.choice(MODELS),
            "input_tokens": None if failed else rng.randint(50, 20_000),
            "cache_read_input_tokens": None if failed else rng.randint(0, 9_000),
            "cache_creation_input_tokens": None if failed else rng.randint(0, 900),
            "output_tokens": None if failed else rng.randint(5, 2_000),
            "stop_reason": None if failed else rng.choice(("end_turn", "tool_use", "max_tokens")),
            "latency_ms": round(rng.uniform(300, 9_000), 1),
            "max_tokens": 2048,
            "feature": f"feature_{(feature := rng.randrange(12))}",
            "user_id": f"u_{rng.randrange(3_000)}",
            "team": f"team_{feature % 4}",
            "status": 529 if failed else 200,
            "retries_taken": rng.choice((0, 0, 0, 1)),
            "service_tier": "standard",
        }
        yield json.dumps(record) + "\n"


def peak_megabytes() -> float:
    """The most memory that this process has held. (Linux: rusage would count the parent's as well.)"""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def write_log(path: Path, requests: int) -> None:
    """Write the log, unless it is there."""
    if not path.exists():
        with path.open("w", encoding="utf-8") as file:
            file.writelines(log_lines(requests))


def fill_store(home: Path, requests: int) -> None:
    """A store of so many attempts like those of the log, made by DuckDB itself, unless it is there."""
    if (home / "outlay.duckdb").exists():
        return
    con = duckdb.connect()
    store.open_store(con, home)
    known = {
        "load_id": "'generated'",
        "attempt_id": "'req_' || i",
        "source_format": "'app_log'",
        "source_line": "i",
        "row_no": "i",
        "started_at": f"timestamp '{FIRST}' + to_milliseconds(cast(i * {DAYS * 86_400_000 / requests} as bigint))",
        "latency_ms": "300 + random() * 8700",
        "ttft_ms": "100 + random() * 900",
        "model_raw": f"{list(MODELS)}[1 + cast(random() * 2 as integer)]",
        "uncached_input_tokens": "case when not failed then cast(50 + random() * 20000 as bigint) end",
        "cache_read_tokens": "case when not failed then cast(random() * 9000 as bigint) end",
        "cache_write_5m_tokens": "case when not failed then cast(random() * 900 as bigint) end",
        "output_tokens": "case when not failed then cast(5 + random() * 2000 as bigint) end",
        "max_tokens": "2048",
        "stop_reason": "case when not failed then "
        "['end_turn', 'tool_use', 'max_tokens'][1 + cast(random() * 2 as integer)] end",
        "http_status": "case when failed then 529 else 200 end",
        "error_type": "case when failed then 'overloaded_error' end",
        "request_id": "'req_' || i",
        "feature": "'feature_' || feature",
        "user_id": "'u_' || cast(random() * 2999 as integer)",
        "team": "'team_' || feature % 4",
        "retry_count": "case when random() < 0.25 then 1 else 0 end",
    }
    columns = ", ".join(f"cast({known.get(name, 'null')} as {kind}) as {name}" for name, kind in COLUMNS.items())
    con.execute("select setseed(0.5)").fetchall()
    con.execute(f"""
        insert into store.attempts by name
        select 'generated' as load_id, {columns}
        from (
            select i, random() < 0.01 as failed, cast(floor(random() * 12) as integer) as feature
            from range(1, {requests} + 1) t(i)
        )
    """)
    con.execute("insert into store.model_names select distinct model_raw from store.attempts")
    con.execute(
        """
        insert into store.loads by name
        select 'generated' as load_id, 'generated' as source_name, $n as read_records, $n as new_attempts,
            0 as refused_records, timestamp '2026-11-22' as landed_at, timestamp '2026-11-22' as folded_at
        """,
        {"n": requests},
    )
    con.close()
