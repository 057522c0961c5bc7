"""The DuckDB file: every attempt once, folded from the archive. A cache: delete it and it is made again.

One process owns the file at a time. Whoever can take its lock folds what has landed since: the server while it runs,
the command line otherwise. The rows of a load and its line in the ledger become visible in one transaction.

Attempts are told more than once: the same log is loaded again, a stream is logged at its start and its end, a
transcript repeats a message, a gateway and an application both log a call. Tellings that share a message id, a request
id or an event id tell of one attempt. The attempt says of each thing what its most complete telling says; what that
leaves open is taken from the next one. All distinct tellings of such attempts are kept, so the order of loading changes
nothing.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import duckdb

from ingest.archive import Archive, is_whole
from ingest.attempt import COLUMNS, CONTENT, ORIGIN, TOKEN_PILES, columns_sql
from ingest.bill import kept as bills
from ingest.reader import REQUEST_KEY

# Raised when the tables below or the way of folding change: an older file is then made anew from the archive.
STORE_VERSION = 2

SLICE_ROWS = 122_880  # at a time: as many as a row group of DuckDB's holds

# Tellings of one attempt lie close together in time; looking for them only there keeps a fold's cost that of its load.
# Where days were not logged but given by hand, nothing is known of how close.
NEARBY = timedelta(days=2)

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


class Changes(Protocol):
    """Hears which attempts a transaction changes: whoever keeps sums of them."""

    @property
    def wants_rows(self) -> bool:
        """Whether each change is to be told; otherwise it is enough to hear when all are made."""

    def take(self, rows: str, times: int) -> None:
        """The attempts in the table `rows` are there from now on (1), or no longer (-1).

        Of a call whose tries change all tries are told of, as they were and as they are.
        """

    def settle(self) -> None:
        """The transaction is about to be committed."""


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

    Raises StoreBusy when another process owns the file, FileNotFoundError when it is to be read only and is not there.
    """
    path = home / "outlay.duckdb"
    if read_only and not path.exists():
        raise FileNotFoundError(path)
    home.mkdir(parents=True, exist_ok=True)
    if not read_only and _version(con, path) not in (None, STORE_VERSION):
        path.unlink()
        path.with_name(path.name + ".wal").unlink(missing_ok=True)
    _attach(con, path, read_only)
    if not read_only:
        create_tables(con)
        con.execute("insert into store.version select $v where not exists (from store.version)", {"v": STORE_VERSION})


def create_tables(con: duckdb.DuckDBPyConnection) -> None:
    """The tables of the catalog `store`, where they are not there yet."""
    con.execute(_TABLES + bills.TABLES)


def _version(con: duckdb.DuckDBPyConnection, path: Path) -> int | None:
    """The version of the tables in a file; None if there is no file, 0 if it is none of ours or cannot be opened.

    A process that was killed while it made the file leaves one that DuckDB does not know; a disk may damage one.
    """
    if not path.exists():
        return None
    try:
        _attach(con, path, read_only=True)
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error:
        return 0
    try:
        rows = con.execute("select version from store.version").fetchall()
    except duckdb.Error:
        rows = []
    con.execute("detach store")
    return int(rows[0][0]) if rows else 0


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
    for start in range(0, last or 0, SLICE_ROWS):
        con.execute(f"""
            create or replace temp view staged as
            (from store.attempts limit 0)  -- columns that an earlier version did not write yet are unknown
            union all by name
            select parse_path(filename)[-2] as load_id, * exclude (filename)
            {rows} where row_no > {start} and row_no <= {start + SLICE_ROWS}
        """)
        _fold_slice(con, loads, changes)
    if changes:
        changes.settle()
    _write_ledger(con, loads)


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: str) -> bool:
    """Insert what a SELECT yields, if it yields anything.

    DuckDB 2.0.0 hides a large INSERT from every reader, until the file is opened again, when an INSERT of no rows into
    the same table came before it in the transaction.
    """
    [(is_any,)] = con.execute(f"select exists (from ({rows}))").fetchall()
    if is_any:
        con.execute(f"insert into {table} by name {rows}")
    return bool(is_any)


def _hold(con: duckdb.DuckDBPyConnection, name: str, select: str, given: dict[str, Any] | None = None) -> None:
    """Keep the rows of a SELECT under a name, as Arrow.

    A temporary table that is replaced keeps its memory until the transaction ends, which is as long as the load is.
    """
    rows = con.sql(select, params=given or {})
    assert rows is not None
    con.register(name, rows.to_arrow_table())


def _fold_slice(con: duckdb.DuckDBPyConnection, loads: list[Path], changes: Changes | None) -> None:
    """Fold the rows that are staged of each load: those met for the first time as they are, the others by merging."""
    run = con.execute
    _hold(
        con,
        "ids",
        f"""
        select list_position($loads, load_id) as load_no, load_id, row_no, attempt_id, started_at, message_id, event_id,
            {REQUEST_KEY} as request_key
        from staged
        """,
        {"loads": [path.name for path in loads]},
    )
    _take_model_names(con)
    span = _span(con, loads)
    # 1. Told before, word for word: nothing to do. (The common case of a log that is loaded again, or overlaps.)
    _hold(con, "again", """
        select * from ids semi join (
            select attempt_id from store.attempts where started_at between $since and $until
        ) using (attempt_id)
    """, span)  # fmt: skip
    if con.execute("select exists (from again)").fetchall() == [(True,)]:
        _hold(con, "repeated", f"""
            select s.load_id, s.row_no
            from (select * from staged semi join again using (load_id, row_no)) s
            join (select * from store.attempts where started_at between $since and $until) a using (attempt_id)
            where ({_content_of("s")}) is not distinct from ({_content_of("a")})
        """, span)  # fmt: skip
        if _insert(con, "outcomes", "select *, 'known' as outcome from repeated"):
            _hold(con, "ids", "select * from ids anti join repeated using (load_id, row_no)")
    # 2. What else the store may hold of them: attempts nearby in time that share an id of any kind.
    run(f"""
        create or replace temp table met as
        with nearby as (
            select attempt_id, message_id, event_id, {REQUEST_KEY} as request_key
            from store.attempts where started_at between $since and $until
            union all
            select attempt_id, message_id, event_id, {REQUEST_KEY}
            from store.tellings where started_at between $since and $until
        )
        select distinct attempt_id from nearby
        where attempt_id in (select attempt_id from ids)
            or message_id in (select message_id from ids)
            or request_key in (select request_key from ids)
            or event_id in (select event_id from ids)
    """, span)  # fmt: skip
    run("""
        create or replace temp table met_rows as
        select a.* from store.attempts a semi join met using (attempt_id)
        where a.attempt_id not in (select attempt_id from store.tellings)
        union all by name
        select t.* from store.tellings t semi join met using (attempt_id)
    """)
    # 3. Of the rows at hand, those that share an id with one another or with what was met.
    run(f"""
        create or replace temp table meeting as
        with keys as (
            select load_id, row_no, attempt_id as key from ids
            union select load_id, row_no, message_id from ids where message_id <> attempt_id
            union select load_id, row_no, request_key from ids where request_key <> attempt_id
            union select load_id, row_no, event_id from ids where event_id <> attempt_id
        ),
        met_keys as (
            select attempt_id as key from met_rows
            union select message_id from met_rows where message_id is not null
            union select {REQUEST_KEY} from met_rows where request_id is not null
            union select event_id from met_rows where event_id is not null
        )
        select distinct load_id, row_no from keys
        where key in (select key from keys group by key having count(*) > 1) or key in (select key from met_keys)
    """)
    # 4. Who keeps sums takes off what changes: the attempts that were met, and the other tries of all calls at hand.
    if changes and changes.wants_rows:
        _tell_of_old(con, changes, span)
    # 5. Met for the first time, told once: into the store as they are. The rest is merged with what it meets.
    _insert(
        con, "outcomes", "select load_id, row_no, 'new' as outcome from ids anti join meeting using (load_id, row_no)"
    )
    [(all_rows, rows, meetings)] = run(
        "select (select count(*) from staged), (select count(*) from ids), (select count(*) from meeting)"
    ).fetchall()
    some = "" if rows == all_rows else "semi join ids using (load_id, row_no)"
    others = "anti join meeting using (load_id, row_no)" if meetings else ""
    _insert(con, "store.attempts", f"select * from staged {some} {others}")
    if meetings:
        _merge(con)
    if changes and changes.wants_rows:
        _tell_of_new(con, changes, f"select * from staged {some} {others}", bool(meetings))


def _tell_of_old(con: duckdb.DuckDBPyConnection, changes: Changes, span: dict[str, datetime]) -> None:
    con.execute("""
        create or replace temp table touched_calls as
        select call_id from staged semi join ids using (load_id, row_no) where call_id is not null
        union select call_id from met_rows where call_id is not null
    """)
    con.execute("""
        create or replace temp table rows_before as
        select * from store.attempts
        where started_at between $since and $until
            and (call_id in (from touched_calls) or attempt_id in (select attempt_id from met))
    """, span)  # fmt: skip
    changes.take("rows_before", -1)


def _tell_of_new(con: duckdb.DuckDBPyConnection, changes: Changes, new: str, is_merged: bool) -> None:
    merged = "union all by name select * exclude (first) from merged" if is_merged else ""
    _hold(con, "rows_after", f"""
        select * from rows_before where attempt_id not in (select attempt_id from met)
        union all by name {new} {merged}
    """)  # fmt: skip
    changes.take("rows_after", 1)
    con.unregister("rows_after")


def _span(con: duckdb.DuckDBPyConnection, loads: list[Path]) -> dict[str, datetime]:
    """Between which times other tellings of the rows at hand can lie."""
    [(first, last, by_hand)] = con.execute("""
        select min(started_at), max(started_at), exists (from store.loads where dates_assumed > 0) from ids
    """).fetchall()
    landed = [Archive.read(path) for path in loads]
    if by_hand or any(load.dates_assumed for load in landed):
        return {"since": datetime.min, "until": datetime.max}
    return {"since": first - NEARBY, "until": last + NEARBY}


def _take_model_names(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        insert into store.model_names
        with here as (select model_raw, iterations from staged),
        named as (
            select model_raw from here
            union select unnest(iterations).model_raw from here where iterations is not null
        )
        select model_raw from named where model_raw is not null on conflict do nothing
    """)


# The best telling of an attempt comes first: its own transcript before a sub-agent's, then the one that saw the most
# tokens (a stream's first line holds a placeholder), then the one that knows most; what is left is settled by content.
_TOKENS = " + ".join(f"coalesce({pile}, 0)" for pile in TOKEN_PILES)
_KNOWN = " + ".join(f"({name} is not null)::integer" for name in CONTENT)
_RANK = f"""(
    not coalesce(is_sidechain, false), {_TOKENS}, {_KNOWN}, md5(concat_ws(chr(31), {
    ", ".join(f"coalesce(cast({name} as varchar), '')" for name in CONTENT)
}))
)"""
_SAME = "(" + ", ".join(CONTENT) + ")"


def _content_of(table: str) -> str:
    return ", ".join(f"{table}.{name}" for name in CONTENT)


def _merge(con: duckdb.DuckDBPyConnection) -> None:
    """Work out which tellings are of one attempt, and what the attempt says when all have been heard."""
    run = con.execute
    columns = ", ".join(COLUMNS)
    run(f"""
        create or replace temp table heard as
        select row_number() over (order by load_no nulls first, load_id, row_no) as n, *
        from (
            select null::integer as load_no, load_id, {columns} from met_rows
            union all
            select load_no, load_id, {", ".join("s." + name for name in COLUMNS)}
            from staged s semi join meeting using (load_id, row_no)
            join (select load_no, load_id, row_no from ids) using (load_id, row_no)
        )
    """)
    # Tellings with a key in common carry the lowest number among them; that is spread until it changes nothing.
    run(f"""
        create or replace temp table heard_keys as
        select n, message_id as key from heard where message_id is not null
        union select n, {REQUEST_KEY} from heard where request_id is not null
        union select n, event_id from heard where event_id is not null
        union select n, attempt_id from heard
    """)
    run("create or replace temp table groups as select n, n as first from heard")
    while True:
        run("""
            create or replace temp table spread as
            with lowest as (select key, min(first) as first from heard_keys join groups using (n) group by key)
            select n, min(lowest.first) as first from heard_keys join lowest using (key) group by n
        """)
        [(changed,)] = run(
            "select count(*) from spread join groups using (n) where spread.first <> groups.first"
        ).fetchall()
        run("create or replace temp table groups as from spread")
        if not changed:
            break
    run(f"""
        create or replace temp table tellings as
        select first, heard.*, {_RANK} as rank,
            row_number() over (partition by first, {_SAME} order by n) = 1 as is_first_of_its_kind,
            row_number() over (partition by first order by n) = 1 as is_first_telling
        from heard join groups using (n)
    """)
    _insert(con, "outcomes", """
        select load_id, row_no, case
            when is_first_telling then 'new' when not is_first_of_its_kind then 'known' else 'folded' end as outcome
        from tellings where load_no is not null
    """)  # fmt: skip
    run("delete from store.attempts where attempt_id in (select attempt_id from met)")
    run("delete from store.tellings where attempt_id in (select attempt_id from met)")
    # Piles of tokens belong together, so they are taken from one telling; everything else from the best that has it.
    piles = "{" + ", ".join(f"{pile}: {pile}" for pile in (*TOKEN_PILES, "thinking_tokens")) + "}"
    origin = ["load_id", *(name for name in ORIGIN if name != "attempt_id")]
    together = {*TOKEN_PILES, "thinking_tokens"}
    merged = ", ".join(f"piles.{name} as {name}" if name in together else f"best_{name} as {name}" for name in CONTENT)
    best = ", ".join(f"max_by({name}, rank) as best_{name}" for name in CONTENT if name not in together)
    run(f"""
        create or replace temp table merged as
        with best as (
            select
                first,
                coalesce(min(message_id), min({REQUEST_KEY}), min(event_id), min(attempt_id)) as attempt_id,
                max_by({{{", ".join(f"{name}: {name}" for name in origin)}}}, rank) as origin,
                max_by({piles}, rank) as piles,
                {best}
            from tellings where is_first_of_its_kind group by first
        )
        select first, attempt_id,
            {", ".join(f"origin.{name} as {name}" for name in origin)}, {merged}
        from best
    """)
    _insert(con, "store.attempts", "select * exclude (first) from merged")
    _insert(con, "store.tellings", f"""
        select t.load_id, m.attempt_id, {', '.join('t.' + name for name in COLUMNS if name != 'attempt_id')}
        from tellings t join merged m using (first)
        where t.is_first_of_its_kind
            and first in (select first from tellings where is_first_of_its_kind group by first having count(*) > 1)
    """)  # fmt: skip


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
                count(*) filter (where outcome = 'known') as known_records,
                count(*) filter (where outcome = 'folded') as folded_records
            from outcomes group by load_id
        ),
        spans as (
            select parse_path(filename)[-2] as load_id,
                min(started_at) as first_started_at, max(started_at) as last_started_at
            from read_parquet($parquets, filename = true) group by all
        )
        select said.*, first_started_at, last_started_at, cast(now() at time zone 'UTC' as timestamp) as folded_at,
            coalesce(new_attempts, 0) as new_attempts, coalesce(known_records, 0) as known_records,
            coalesce(folded_records, 0) as folded_records
        from said left join counted using (load_id) left join spans using (load_id)
        """,
        {"files": jsons, "parquets": [str(path / "attempts.parquet") for path in loads]},
    )
