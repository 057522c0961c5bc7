"""What is older than the owner wants to keep: attempts sent before a moment are removed, what their loads say stays.

Their sums stay as well (ingest/retained.py), unless they are to be forgotten too.

Of a load that holds such attempts a new one is written, named like it with `.pruned-` and the moment's date. It holds
the attempts from then on, if any; what else the load says of itself stays, with a note: it is in the ledger, the
recorder's numbers stay accounted for, and the same log is known when it comes again. It appears by one rename; from
then on it counts in place of the one it was made of, which is then deleted.

The store is declared void before the first load goes and is made anew after the last: a process that is killed anywhere
in between leaves an archive that is whole, and a store that the next process makes from it. The sums come before the
first load goes; from then on what they hold counts in them alone.
"""

import contextlib
import datetime as dt
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ingest import retained, store
from ingest.archive import PRUNED, REFUSALS, Archive, attempts_writer, digest, lock_on, sync


class PruneRefused(Exception):
    """What cannot be pruned now. The message says why, and what to do."""


@dataclass(frozen=True)
class Plan:
    """What would go. Times are UTC."""

    before: dt.datetime  # what was sent before goes
    is_kept: str  # what holds, in SQL, of the attempts that stay
    load_ids: list[str]  # loads that hold some of it
    whole_loads: int  # of these, loads that hold nothing else
    records: int
    refused_records: int  # refused lines go with the last attempts of their load
    bytes: int  # on disk; of a load that keeps something, its share
    first_started_at: dt.datetime | None
    last_started_at: dt.datetime | None


def plan(home: Path, query: Callable[[str], pa.Table], before: dt.datetime, forgets: bool = False) -> Plan:
    """What was sent before a moment; of loads without attempts, those that landed before it.

    `query` answers a SELECT on the store, in which all that has landed must be folded. `forgets`: without keeping sums.
    """
    is_kept = f"(started_at >= timestamp '{before}')" if forgets else retained.is_kept(before)
    lines = query(f"""
        select load_id, refused_records
        from store.loads
        where coalesce(first_started_at, landed_at) < timestamp '{before}'
            and not (read_records = 0 and contains(load_id, '{PRUNED}'))
        order by load_id
    """).to_pylist()
    folders = [Archive(home).folder / line["load_id"] for line in lines]
    held = _held(folders, is_kept)
    shares = {folder: held[folder.name].share if folder.name in held else 1.0 for folder in folders}
    going = [one for one in held.values() if one.records]
    return Plan(
        before,
        is_kept,
        [folder.name for folder, share in shares.items() if share],
        sum(share == 1 for share in shares.values()),
        sum(one.records for one in going),
        sum(line["refused_records"] for line, share in zip(lines, shares.values(), strict=True) if share == 1),
        round(sum(share * sum(file.stat().st_size for file in folder.iterdir()) for folder, share in shares.items())),
        min((one.first for one in going), default=None),
        max((one.last for one in going), default=None),
    )


@dataclass(frozen=True)
class _Held:
    """What a load holds that is to go."""

    records: int
    share: float  # of all its records
    first: dt.datetime
    last: dt.datetime


def _held(folders: list[Path], is_kept: str) -> dict[str, _Held]:
    """For each load that holds attempts, those that are to go."""
    if not folders:
        return {}
    with contextlib.closing(duckdb.connect()) as con:
        rows = con.execute(
            f"""
            select parse_path(filename)[-2], count(*) filter (goes), count(*) filter (goes) / count(*),
                min(started_at) filter (goes), max(started_at) filter (goes)
            from (
                select filename, started_at, not {is_kept} as goes from (
                    from read_parquet($files, filename = true, union_by_name = true)
                    union all by name select null as iterations where false  -- which an earlier version did not write
                )
            )
            group by all
            """,
            {"files": [str(folder / "attempts.parquet") for folder in folders]},
        ).fetchall()
    return {load_id: _Held(*held) for load_id, *held in rows}


# Writes what the sums of a store's attempts are more than those of the attempts in another table, into a folder.
Sums = Callable[[duckdb.DuckDBPyConnection, str, Path], None]


def prune(home: Path, planned: Plan, sums: Sums | None) -> None:
    """Remove what was planned, and make the store anew from what is left. Without `sums` their sums are forgotten.

    Raises PruneRefused while a backup is made, `store.StoreBusy` while another process has the store.
    """
    lock = lock_on(home)
    if lock is None:
        raise PruneRefused(f"{home} is being backed up or pruned by another process; wait for it to end")
    try:
        archive = Archive(home)
        with contextlib.closing(duckdb.connect()) as con:
            store.open_store(con, home)  # nobody folds until it is closed
            store.fold(con, home)
            if sums and retained.reaches(home) < planned.before:
                _retain(con, home, planned.before, sums)
            if not sums:
                retained.forget(home)
            con.execute("update store.version set version = 0")
            con.execute("checkpoint store")
            for load in archive.superseded():  # by one that was killed on its way
                _remove(archive, load)
            for load_id in planned.load_ids:
                _replace(archive, archive.folder / load_id, planned)
                _remove(archive, archive.folder / load_id)
        with contextlib.closing(duckdb.connect()) as con:
            store.open_store(con, home)
            store.fold(con, home)
    finally:
        os.close(lock)


def _retain(con: duckdb.DuckDBPyConnection, home: Path, before: dt.datetime, sums: Sums) -> None:
    """Write what the sums lose. What is left is folded to see: tellings of one attempt may lie on both sides."""
    with Archive(home).workplace() as folder:
        with contextlib.closing(duckdb.connect()) as left:
            store.open_store(left, folder)
            retained.reach(left, before)
            store.fold(left, home)
        path = str(folder / "outlay.duckdb").replace("'", "''")
        con.execute(f"attach '{path}' as remaining (read_only)")
        try:
            retained.put(home, before, partial(sums, con, "remaining.attempts"))
        finally:
            con.execute("detach remaining")


def _replace(archive: Archive, load: Path, planned: Plan) -> None:
    """Put what is to be kept of a load beside it. From here on it counts in its place."""
    said, before = Archive.read(load), planned.before
    with archive.workplace() as folder:
        left = folder / "left"
        left.mkdir()
        kept, gone = _copy(planned.is_kept, load / "attempts.parquet", left / "attempts.parquet")
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


def _copy(is_kept: str, source: Path, target: Path) -> tuple[int, int]:
    """Copy the attempts of which a condition in SQL holds: how many are, and how many are not."""
    with contextlib.ExitStack() as stack:
        con = stack.enter_context(contextlib.closing(duckdb.connect()))
        rows = stack.enter_context(pq.ParquetFile(source))
        writer = stack.enter_context(attempts_writer(target, rows.schema_arrow))
        columns = rows.schema_arrow.names
        known = "attempts" if "iterations" in columns else "(select *, null as iterations from attempts)"
        for group in range(rows.num_row_groups):
            con.register("attempts", rows.read_row_group(group))
            kept: pa.Table = con.execute(f"select {', '.join(columns)} from {known} where {is_kept}").to_arrow_table()
            writer.write_table(kept.cast(rows.schema_arrow))
    here = pq.read_metadata(target).num_rows
    return here, pq.read_metadata(source).num_rows - here


def _remove(archive: Archive, load: Path) -> None:
    """Delete a load in whose place another one counts."""
    with archive.workplace() as folder:
        load.rename(folder / load.name)
    sync(archive.folder)
