"""Loads that are older than the owner wants to keep: their rows are removed, and what they say of themselves stays.

A load goes as a whole, once its newest attempt is old enough. What is left is a load of no rows under its name with
`.pruned`: it is in the ledger with a note, the recorder's numbers stay accounted for, and the same log is known when it
comes again. It appears by one rename, which is the moment at which the load counts as pruned.

The store is declared void before the first load goes and is made anew after the last: a process that is killed anywhere
in between leaves an archive that is whole, and a store that the next process makes from it.
"""

import contextlib
import datetime as dt
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ingest import store
from ingest.archive import PRUNED, REFUSALS, Archive, digest, lock_on, sync
from ingest.reader import NO_ATTEMPTS


class PruneRefused(Exception):
    """What cannot be pruned now. The message says why, and what to do."""


@dataclass(frozen=True)
class Plan:
    """What would go: loads, and what they hold. Times are UTC."""

    load_ids: list[str]
    records: int
    refused_records: int
    bytes: int  # on disk
    first_started_at: dt.datetime | None
    last_started_at: dt.datetime | None


def plan(home: Path, query: Callable[[str], pa.Table], before: dt.datetime) -> Plan:
    """The loads whose newest attempt was sent before a moment; where they have none, that landed before it.

    `query` answers a SELECT on the store, in which all that has landed must be folded.
    """
    lines = query(f"""
        select load_id, read_records, refused_records, first_started_at, last_started_at from store.loads
        where coalesce(last_started_at, landed_at) < timestamp '{before:%Y-%m-%d %H:%M:%S}'
            and not ends_with(load_id, '{PRUNED}')
        order by load_id
    """).to_pylist()
    folders = [Archive(home).folder / line["load_id"] for line in lines]
    return Plan(
        [line["load_id"] for line in lines],
        sum(line["read_records"] - line["refused_records"] for line in lines),
        sum(line["refused_records"] for line in lines),
        sum(file.stat().st_size for folder in folders for file in folder.iterdir()),
        min((line["first_started_at"] for line in lines if line["first_started_at"]), default=None),
        max((line["last_started_at"] for line in lines if line["last_started_at"]), default=None),
    )


def prune(home: Path, load_ids: Iterable[str]) -> None:
    """Remove the rows of these loads, and make the store anew from what is left.

    Raises PruneRefused while a backup is made, `store.StoreBusy` while another process has the store.
    """
    lock = lock_on(home)
    if lock is None:
        raise PruneRefused(f"{home} is being backed up or pruned by another process; wait for it to end")
    try:
        archive = Archive(home)
        with contextlib.closing(duckdb.connect()) as con:
            store.open_store(con, home)  # nobody folds until it is closed
            con.execute("update store.version set version = 0")
            con.execute("checkpoint store")
            for load_id in load_ids:
                _prune(archive, load_id)
            for pruned in sorted(archive.folder.glob(f"*{PRUNED}")):  # of one that was killed on its way
                _remove(archive, pruned.with_suffix(""))
        with contextlib.closing(duckdb.connect()) as con:
            store.open_store(con, home)
            store.fold(con, home)
    finally:
        os.close(lock)


def _prune(archive: Archive, load_id: str) -> None:
    """Put what is left of a load beside it. From here on it counts as pruned."""
    load = archive.folder / load_id
    said = Archive.read(load)
    today = dt.datetime.now(dt.UTC).date()
    note = (
        f"pruned on {today}: its {said.read_records - said.refused_records:,} records and {said.refused_records:,} "
        "refused lines are no longer kept; loading it again changes nothing"
    )
    with archive.workplace() as folder:
        left = folder / "left"
        left.mkdir()
        pq.write_table(NO_ATTEMPTS, left / "attempts.parquet")
        pq.write_table(REFUSALS.empty_table(), left / "refusals.parquet")
        now = replace(
            said,
            load_id=load_id + PRUNED,
            read_records=0,
            refused_records=0,
            dates_assumed=0,
            notes=[*said.notes, note],
            digests={file.name: digest(file) for file in sorted(left.iterdir())},
        )
        (left / "load.json").write_text(json.dumps(asdict(now), indent=1), encoding="utf-8")
        for file in left.iterdir():
            sync(file)
        sync(left)
        left.rename(archive.folder / now.load_id)
        sync(archive.folder)


def _remove(archive: Archive, load: Path) -> None:
    """Take the rows of a load that counts as pruned away, if they are still there."""
    if load.exists():
        with archive.workplace() as folder:
            load.rename(folder / load.name)
        sync(archive.folder)
