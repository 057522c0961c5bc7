"""How fast logs are taken in, against DuckDB's bare read_json into a table of the same file in the same run.

Beside it what polars and pandas take to bring the same file to disk as Parquet, as a script of one's own would.
"""

import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import duckdb

import queries
from benchmarks.traffic import peak_megabytes, write_log
from ingest import store
from ingest.load import Loader

BARE_COLUMNS = {
    "timestamp": "TIMESTAMP",
    "request_id": "VARCHAR",
    "model": "VARCHAR",
    "input_tokens": "BIGINT",
    "cache_read_input_tokens": "BIGINT",
    "cache_creation_input_tokens": "BIGINT",
    "output_tokens": "BIGINT",
    "stop_reason": "VARCHAR",
    "latency_ms": "DOUBLE",
    "max_tokens": "BIGINT",
    "feature": "VARCHAR",
    "user_id": "VARCHAR",
    "team": "VARCHAR",
    "status": "INTEGER",
    "retries_taken": "INTEGER",
    "service_tier": "VARCHAR",
}


def bare(log: Path, home: Path) -> None:
    """The baseline: no validation, no identity, no archive."""
    con = duckdb.connect(str(home / "bare.duckdb"))
    con.execute("create table requests as from read_json($log, format = 'newline_delimited', columns = $columns)",
                {"log": str(log), "columns": BARE_COLUMNS})  # fmt: skip
    con.close()


def polars(log: Path, home: Path) -> None:
    """Polars, streaming into Parquet."""
    import polars as pl

    pl.scan_ndjson(log).sink_parquet(home / "polars.parquet")


def pandas(log: Path, home: Path) -> None:
    """Pandas, whole file into Parquet."""
    import pandas as pd

    pd.read_json(log, lines=True).to_parquet(home / "pandas.parquet")


def acknowledged(log: Path, home: Path) -> None:
    """Parsed, validated and on disk."""
    list(Loader(home).load_path(log))


def visible(log: Path, home: Path) -> None:
    """The same, and folded: on the pages."""
    acknowledged(log, home)
    con = duckdb.connect()
    store.open_store(con, home)
    queries.create_views(con)
    queries.keep(con)
    store.fold(con, home, queries.Changes)
    con.close()


def again(log: Path, home: Path) -> None:
    """The same file a second time (the first is not timed)."""
    acknowledged(log, home)


WAYS = {way.__name__: way for way in (bare, polars, pandas, acknowledged, visible, again)}


def run(requests: int, folder: Path, repeats: int = 3) -> None:
    """Print the table for a log of so many requests. Each run is a process of its own; the figures are medians."""
    log = folder / f"requests-{requests}.jsonl"
    write_log(log, requests)
    megabytes = log.stat().st_size / 1e6
    seconds: dict[str, list[float]] = {name: [] for name in WAYS}
    peaks: dict[str, float] = {}
    for _ in range(repeats):
        for name in WAYS:
            home = folder / "home"
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir()
            if name == "again":
                acknowledged(log, home)
            said = subprocess.run([sys.executable, "-m", "benchmarks.ingest", name, str(log), str(home)],
                                  capture_output=True, text=True, check=True).stdout.split()  # fmt: skip
            seconds[name].append(float(said[0]))
            peaks[name] = max(peaks.get(name, 0), float(said[1]))
    print(f"\nIngest of {requests:,} requests ({megabytes:,.0f} MB); medians of {repeats}, own process each\n")
    print("| way | seconds | rows/s | MB/s | rate against bare | peak memory |\n|---|---|---|---|---|---|")
    for name in WAYS:
        took = median(seconds[name])
        ratio = median(b / t for b, t in zip(seconds["bare"], seconds[name], strict=True))
        what = (WAYS[name].__doc__ or "").split(".")[0].lower()
        rates = f"{requests / took:,.0f} | {megabytes / took:,.0f} | {ratio:.2f}"
        print(f"| {name}: {what} | {took:.2f} | {rates} | {peaks[name]:,.0f} MB |")


if __name__ == "__main__":
    way, log_path, home_path = sys.argv[1:]
    started = time.perf_counter()
    WAYS[way](Path(log_path), Path(home_path))
    print(time.perf_counter() - started, peak_megabytes())
