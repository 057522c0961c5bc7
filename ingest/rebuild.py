"""The DuckDB file, made anew from the archive: built beside the old one, which it then replaces by one rename."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingest import retained, store
from ingest.archive import Archive, sync


@dataclass(frozen=True)
class Figures:
    """How much a store holds."""

    loads: int
    attempts: int
    refusals: int
    set_aside: int


def rebuild(home: Path) -> tuple[Figures, Figures]:
    """Replace the store by one that is derived from the archive alone: (what the old one held, what the new one holds).

    Killed at any moment it leaves the old store or the new one. Raises `store.StoreBusy` while another process has it.
    """
    path = home / "outlay.duckdb"
    with contextlib.closing(duckdb.connect()) as old, Archive(home).workplace() as folder:
        store.open_store(old, home)
        before = _figures(old)
        with contextlib.closing(duckdb.connect()) as new:
            store.open_store(new, folder)
            retained.take(new, home)
            store.fold(new, home)
            after = _figures(new)
        sync(folder / path.name)
        old.execute("checkpoint store")  # a write-ahead log of the old file must not meet the new one
        path.with_name(path.name + ".wal").unlink(missing_ok=True)
        os.replace(folder / path.name, path)  # noqa: PTH105 - the lock on the old file is held until here
        sync(home)
    return before, after


def _figures(con: duckdb.DuckDBPyConnection) -> Figures:
    [row] = con.execute("""
        select (select count(*) from store.loads), (select count(*) from store.attempts),
            (select count(*) from store.refusals), (select count(*) from store.set_aside)
    """).fetchall()
    return Figures(*row)
