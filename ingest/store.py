"""The DuckDB file: every attempt once, folded from the archive. A cache: delete it and it is made again.

One process owns the file at a time. Whoever can take its lock folds what has landed since: the server while it runs,
the command line otherwise. The rows of a load and its line in the ledger become visible in one transaction.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import duckdb

from ingest import retained
from ingest.archive import Archive, is_whole
from ingest.attempt import COLUMNS, columns_sql
from ingest.bill import kept as bills
from ingest.folding import Changes, fold_slice, insert

# Raised when the tables below or the way of folding change: an older file is then made anew from the archive.
STORE_VERSION = 2

SLICE_ROWS = 122_880  # at a time: as many as a row group of DuckDB's holds

# A load that cannot be folded is set aside and tried again after this long: a full disk passes, damage does not.
TRY_AGAIN_AFTER = timedelta(minutes=10)

_TABLES = f"""
create table if not exists store.version (version integer not null);
create table if not exists store.loads (
    load_id varchar primary key, source_name varchar, formats varchar[], bytes bigint, lines bigint, other_lines bigint,
    read_records bigint, new_attempts bigint, known_records bigint, folded_records bigint, refused_records bigint,
    first_started_at timestamp, last_started_at timestamp, landed_at timestamp, folded_at timestamp, notes varchar[],
    dates_assumed bigint
);
create table if not exists store.attempts (load_id varchar, {columns_sql(COLUMNS)});
create table if not exists store.tellings (load_id varchar, {columns_sql(COLUMNS)});
create table if not exists store.refusals (load_id varchar, source_line bigint, reason varchar, preview varchar);
create table if not exists store.model_names (model_raw varchar primary key);
create table if not exists store.rollups (name varchar primary key, definition varchar);
create table if not exists store.set_aside (load_id varchar primary key, reason varchar, tried_at timestamp);
"""


# Begins to listen to a transaction that folds so many rows.
Listening = Callable[[duckdb.DuckDBPyConnection, int], Changes]


class StoreBusy(Exception):
    """Another process owns the DuckDB file: it folds what lands, and answers queries."""


@dataclass(frozen=True)
class Load:
    """A line of the ledger, with the arithmetic read = new + known + folded + refused."""

    load_id: str
    source_name: str
    formats: list[str]
    bytes: int
    lines: int
    other_lines: int
    read_records: int
    new_attempts: int
    known_records: int
    folded_records: int
    refused_records: int
    first_started_at: object
    last_started_at: object
    landed_at: object
    folded_at: object
    notes: list[str]


def open_store(con: duckdb.DuckDBPyConnection, home: Path, read_only: bool = False) -> None:
    """Attach the home's DuckDB file to `con` as catalog `store`, making it if need be.

    Raises StoreBusy when another process owns the file, FileNotFoundError when it is to be read only and is not there,
    `retained.SumsDamaged` when it has to be made and cannot.
    """
    path = home / "outlay.duckdb"
    if read_only and not path.exists():
        raise FileNotFoundError(path)
    home.mkdir(parents=True, exist_ok=True)
    if not read_only and not _fits(con, path, home):
        path.unlink()
        path.with_name(path.name + ".wal").unlink(missing_ok=True)
    _attach(con, path, read_only)
    if not read_only:
        create_tables(con)
        retained.take(con, home)
        con.execute("insert into store.version select $v where not exists (from store.version)", {"v": STORE_VERSION})


def create_tables(con: duckdb.DuckDBPyConnection) -> None:
    """The tables of the catalog `store`, where they are not there yet."""
    con.execute(_TABLES + bills.TABLES + retained.TABLES)


def _fits(con: duckdb.DuckDBPyConnection, path: Path, home: Path) -> bool:
    """Is a file, if there is one, a store of this version, with the sums that a home retains?

    A process that was killed while it made the file leaves one that DuckDB does not know; a disk may damage one.
    """
    if not path.exists():
        return True
    try:
        _attach(con, path, read_only=True)
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error:
        return False
    try:
        version = con.execute("select version from store.version").fetchall()
        return version == [(STORE_VERSION,)] and retained.is_taken(con, home)
    except duckdb.Error:
        return False
    finally:
        con.execute("detach store")


def _attach(con: duckdb.DuckDBPyConnection, path: Path, read_only: bool) -> None:
    try:
        con.execute(f"attach '{str(path).replace(chr(39), chr(39) * 2)}' as store {'(read_only)' if read_only else ''}")
    except duckdb.IOException as error:
        if "lock" in str(error):
            raise StoreBusy(f"{path} is in use by another process") from error
        raise


def fold(con: duckdb.DuckDBPyConnection, home: Path, listening: Listening | None = None) -> list[str]:
    """Fold every load that has landed and is not yet in the ledger. Returns their ids.

    Whoever keeps sums of the attempts listens, in each transaction; with nobody listening, sums that are there are
    marked as out of date.

    `con` must own the store. Of a load that cannot be folded nothing stays: it is set aside with the reason, and the
    others go on. Raises what the machine is at fault for, such as a full disk: the next time may go well.
    """
    return fold_these(con, _waiting(con, home), listening)


def fold_these(con: duckdb.DuckDBPyConnection, loads: list[Path], listening: Listening | None = None) -> list[str]:
    """Fold these loads of an archive, in this order, as `fold` does."""
    return [load_id for batch in _batches(loads) for load_id in _fold_or_set_aside(con, batch, listening)]


_OF_A_LOAD = (duckdb.Error, OSError, ValueError, TypeError)  # what damaged files raise
_OF_THE_MACHINE = (
    duckdb.IOException,
    duckdb.OutOfMemoryException,
    duckdb.FatalException,
    duckdb.TransactionException,
    OSError,
)


def _fold_or_set_aside(
    con: duckdb.DuckDBPyConnection, loads: list[Path], listening: Listening | None = None
) -> list[str]:
    """Fold these loads in one transaction. If that fails, each half by itself, until the one at fault is alone."""
    con.execute("begin")
    try:
        if listening is None:
            con.execute("delete from store.rollups")
        _fold(con, loads, listening)
        con.execute("delete from store.set_aside where load_id in (select unnest($ids))", {"ids": _names(loads)})
        con.execute("commit")
        return _names(loads)
    except BaseException as error:
        with contextlib.suppress(duckdb.Error):
            con.execute("rollback")
        if isinstance(error, duckdb.InterruptException) or not isinstance(error, _OF_A_LOAD):
            raise
        if len(loads) == 1:
            if isinstance(error, _OF_THE_MACHINE) and is_whole(loads[0]):
                raise  # a full disk, say: no fault of the load's
            _set_aside(con, loads[0].name, str(error))
            return []
    half = len(loads) // 2
    return _fold_or_set_aside(con, loads[:half], listening) + _fold_or_set_aside(con, loads[half:], listening)


def _names(loads: list[Path]) -> list[str]:
    return [path.name for path in loads]


def _set_aside(con: duckdb.DuckDBPyConnection, load_id: str, reason: str) -> None:
    con.execute(
        "insert or replace into store.set_aside values ($id, $reason, cast(now() at time zone 'UTC' as timestamp))",
        {"id": load_id, "reason": (reason.strip() or "no reason was given").splitlines()[0]},
    )


def set_aside(con: duckdb.DuckDBPyConnection, load_ids: list[str]) -> dict[str, str]:
    """Which of these loads are in the archive and could not be folded, and why."""
    return dict(
        con.execute(
            "select load_id, reason from store.set_aside where load_id in (select unnest($ids))", {"ids": load_ids}
        ).fetchall()
    )


def ledger(con: duckdb.DuckDBPyConnection, load_ids: list[str]) -> dict[str, Load]:
    """The ledger's lines for these loads, by id."""
    rows = con.execute(
        f"select {', '.join(Load.__dataclass_fields__)} from store.loads where load_id in (select unnest($ids))",
        {"ids": load_ids},
    ).fetchall()
    return {row[0]: Load(*row) for row in rows}


def _waiting(con: duckdb.DuckDBPyConnection, home: Path) -> list[Path]:
    """The loads to be folded, in the order in which they landed."""
    passed_over = con.execute(
        """
        select load_id from store.loads
        union all
        select load_id from store.set_aside where tried_at > cast(now() at time zone 'UTC' as timestamp) - $pause
        """,
        {"pause": TRY_AGAIN_AFTER},
    ).fetchall()
    known = {load_id for (load_id,) in passed_over}
    waiting = []
    for path in Archive(home).loads():
        if path.name not in known:
            try:
                waiting.append((Archive.read(path).landed_at, path))
            except (OSError, ValueError, TypeError) as error:
                _set_aside(con, path.name, f"its load.json cannot be read ({error})")
    return [path for _, path in sorted(waiting)]


def _batches(loads: list[Path]) -> Iterator[list[Path]]:
    """Small loads together, since a transaction costs as much as some thousand rows; a large one by itself."""
    batch: list[Path] = []
    size = 0
    for path in loads:
        rows = path / "attempts.parquet"
        bytes_here = rows.stat().st_size if rows.exists() else 0
        if batch and (size + bytes_here > 8 << 20 or len(batch) >= 200):
            yield batch
            batch, size = [], 0
        batch.append(path)
        size += bytes_here
    if batch:
        yield batch


def _fold(con: duckdb.DuckDBPyConnection, loads: list[Path], listening: Listening | None) -> None:
    con.execute("create or replace temp table outcomes (load_id varchar, row_no bigint, outcome varchar)")
    files = ", ".join(f"'{str(path / 'attempts.parquet').replace(chr(39), chr(39) * 2)}'" for path in loads)
    rows = f"from read_parquet([{files}], filename = true, union_by_name = true)"
    [(last, waiting)] = con.execute(f"select max(row_no), count(*) {rows}").fetchall()
    changes = listening and listening(con, waiting)
    counts = retained.counts_by_itself(con)
    for start in range(0, last or 0, SLICE_ROWS):
        con.execute(f"""
            create or replace temp view told as
            (from store.attempts limit 0)  -- columns that an earlier version did not write yet are unknown
            union all by name
            select parse_path(filename)[-2] as load_id, * exclude (filename)
            {rows} where row_no > {start} and row_no <= {start + SLICE_ROWS}
        """)
        con.execute(f"create or replace temp view staged as from told where {counts}")
        if counts != "true":
            insert(con, "outcomes", f"select load_id, row_no, 'retained' as outcome from told where not {counts}")
        if con.execute("select exists (from staged)").fetchall() == [(True,)]:  # else pruned, all of it
            fold_slice(con, loads, changes)
    if changes:
        changes.settle()
    _write_ledger(con, loads)


def _write_ledger(con: duckdb.DuckDBPyConnection, loads: list[Path]) -> None:
    jsons = [str(path / "load.json") for path in loads]
    con.execute(
        """
        insert into store.refusals
        select parse_path(filename)[-2], source_line, reason, preview from read_parquet($files, filename = true)
        """,
        {"files": [str(path / "refusals.parquet") for path in loads]},
    )
    con.execute(
        """
        insert into store.loads by name
        with said as (
            select * from read_json($files, columns = {
                load_id: 'varchar', source_name: 'varchar', formats: 'varchar[]', bytes: 'bigint', lines: 'bigint',
                other_lines: 'bigint', read_records: 'bigint', refused_records: 'bigint', landed_at: 'timestamp',
                notes: 'varchar[]', dates_assumed: 'bigint'})
        ),
        counted as (
            select load_id, count(*) filter (where outcome = 'new') as new_attempts,
                count(*) filter (where outcome in ('known', 'retained')) as known_records,
                count(*) filter (where outcome = 'folded') as folded_records,
                count(*) filter (where outcome = 'retained') as retained_records
            from outcomes group by load_id
        ),
        spans as (
            select parse_path(filename)[-2] as load_id,
                min(started_at) as first_started_at, max(started_at) as last_started_at
            from read_parquet($parquets, filename = true) group by all
        )
        select said.* exclude (notes),
            said.notes || case when retained_records > 0 then [
                format('{:,} records were sent before {}, of which only sums are kept: they changed nothing',
                    retained_records, (select strftime(before, '%Y-%m-%d') from store.retained))
            ] else [] end as notes,
            first_started_at, last_started_at, cast(now() at time zone 'UTC' as timestamp) as folded_at,
            coalesce(new_attempts, 0) as new_attempts, coalesce(known_records, 0) as known_records,
            coalesce(folded_records, 0) as folded_records
        from said left join counted using (load_id) left join spans using (load_id)
        """,
        {"files": jsons, "parquets": [str(path / "attempts.parquet") for path in loads]},
    )
