"""What is older than the owner wants to keep: attempts sent before a moment are removed, what their loads say stays.

Of a load that holds such attempts a new one is written, named like it with `.pruned-` and the moment's date. It holds
the attempts from then on, if any; what else the load says of itself stays, with a note: it is in the ledger, the
recorder's numbers stay accounted for, and the same log is known when it comes again. It appears by one rename; from
then on it counts in place of the one it was made of, which is then deleted.

The store is declared void before the first load goes and is made anew after the last: a process that is killed anywhere
in between leaves an archive that is whole, and a store that the next process makes from it.
"""

import contextlib
import datetime as dt
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ingest import store
from ingest.archive import PRUNED, REFUSALS, Archive, attempts_writer, digest, lock_on, sync


class PruneRefused(Exception):
    """What cannot be pruned now. The message says why, and what to do."""


@dataclass(frozen=True)
class Plan:
    """What would go. Times are UTC."""

    before: dt.datetime  # what was sent before goes
    load_ids: list[str]  # loads that hold some of it
    whole_loads: int  # of these, loads that hold nothing else
    records: int
    refused_records: int  # refused lines go with the last attempts of their load
    bytes: int  # on disk; of a load that keeps something, its share
    first_started_at: dt.datetime | None
    last_started_at: dt.datetime | None


def plan(home: Path, query: Callable[[str], pa.Table], before: dt.datetime) -> Plan:
    """What was sent before a moment; of loads without attempts, those that landed before it.

    `query` answers a SELECT on the store, in which all that has landed must be folded.
    """
    lines = query(f"""
        select load_id, refused_records, coalesce(last_started_at, landed_at) < timestamp '{before}' as is_whole
        from store.loads
        where coalesce(first_started_at, landed_at) < timestamp '{before}'
            and not (read_records = 0 and contains(load_id, '{PRUNED}'))
        order by load_id
    """).to_pylist()
    folders = [Archive(home).folder / line["load_id"] for line in lines]
    whole = {line["load_id"]: line["refused_records"] for line in lines if line["is_whole"]}
    held = _held(folders, before)
    sizes = [
        sum(file.stat().st_size for file in folder.iterdir()) * (1 if folder.name in whole else held[folder.name].share)
        for folder in folders
    ]
    return Plan(
        before,
        [folder.name for folder in folders],
        len(whole),
        sum(one.records for one in held.values()),
        sum(whole.values()),
        round(sum(sizes)),
        min((one.first for one in held.values()), default=None),
        max((one.last for one in held.values()), default=None),
    )


@dataclass(frozen=True)
class _Held:
    """What a load holds from before a moment."""

    records: int
    share: float  # of all its records
    first: dt.datetime
    last: dt.datetime


def _held(folders: list[Path], before: dt.datetime) -> dict[str, _Held]:
    """For each load with attempts from before a moment, what they are."""
    if not folders:
        return {}
    with contextlib.closing(duckdb.connect()) as con:
        rows = con.execute(
            """
            select parse_path(filename)[-2], count(*) filter (started_at < $before),
                count(*) filter (started_at < $before) / count(*),
                min(started_at), max(started_at) filter (started_at < $before)
            from read_parquet($files, filename = true, union_by_name = true) group by all
            """,
            {"files": [str(folder / "attempts.parquet") for folder in folders], "before": before},
        ).fetchall()
    return {load_id: _Held(*held) for load_id, *held in rows}


def prune(home: Path, planned: Plan) -> None:
    """Remove what was planned, and make the store anew from what is left.

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
            for load in archive.superseded():  # by one that was killed on its way
                _remove(archive, load)
            for load_id in planned.load_ids:
                _replace(archive, archive.folder / load_id, planned.before)
                _remove(archive, archive.folder / load_id)
        with contextlib.closing(duckdb.connect()) as con:
            store.open_store(con, home)
            store.fold(con, home)
    finally:
        os.close(lock)


def _replace(archive: Archive, load: Path, before: dt.datetime) -> None:
    """Put what is to be kept of a load beside it. From here on it counts in its place."""
    said = Archive.read(load)
    with archive.workplace() as folder:
        left = folder / "left"
        left.mkdir()
        kept, gone = _copy_from(before, load / "attempts.parquet", left / "attempts.parquet")
        refused = said.refused_records if kept else 0
        if refused:
            shutil.copyfile(load / "refusals.parquet", left / "refusals.parquet")
        else:
            pq.write_table(REFUSALS.empty_table(), left / "refusals.parquet")
        now = replace(
            said,
            load_id=f"{load.name.partition(PRUNED)[0]}{PRUNED}{before:%Y-%m-%d}",
            read_records=kept + refused,
            refused_records=refused,
            dates_assumed=said.dates_assumed if kept else 0,
            pruned_records=said.pruned_records + gone,
            pruned_refusals=said.pruned_refusals + said.refused_records - refused,
            digests={file.name: digest(file) for file in sorted(left.iterdir())},
        )
        now.notes = [note for note in said.notes if not note.startswith("pruned: ")] + [
            f"pruned: {now.pruned_records:,} records, sent before {before:%Y-%m-%d}, and {now.pruned_refusals:,} "
            "refused lines are no longer kept; loading it again changes nothing"
        ]
        (left / "load.json").write_text(json.dumps(asdict(now), indent=1), encoding="utf-8")
        for file in left.iterdir():
            sync(file)
        sync(left)
        left.rename(archive.folder / now.load_id)
        sync(archive.folder)


def _copy_from(since: dt.datetime, source: Path, target: Path) -> tuple[int, int]:
    """Copy the attempts that were sent from a moment on: how many were, and how many were not."""
    with pq.ParquetFile(source) as rows, attempts_writer(target, rows.schema_arrow) as writer:
        for group in range(rows.num_row_groups):
            table = rows.read_row_group(group)
            writer.write_table(table.filter(pc.greater_equal(table["started_at"], since)))
    kept = pq.read_metadata(target).num_rows
    return kept, pq.read_metadata(source).num_rows - kept


def _remove(archive: Archive, load: Path) -> None:
    """Delete a load in whose place another one counts."""
    with archive.workplace() as folder:
        load.rename(folder / load.name)
    sync(archive.folder)
