"""A slice of rows into the store: each attempt once, however often it is told.

Attempts are told more than once: the same log is loaded again, a stream is logged at its start and its end, a
transcript repeats a message, a gateway and an application both log a call. Tellings that share a message id, a request
id or an event id tell of one attempt. The attempt says of each thing what its most complete telling says; what that
leaves open is taken from the next one. All distinct tellings of such attempts are kept, so the order of loading changes
nothing.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import duckdb

from ingest.archive import Archive
from ingest.attempt import COLUMNS, CONTENT, ORIGIN, TOKEN_PILES
from ingest.reader import REQUEST_KEY

# Tellings of one attempt lie close together in time; looking for them only there keeps a fold's cost that of its load.
# Where days were not logged but given by hand, nothing is known of how close.
NEARBY = timedelta(days=2)


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


def insert(con: duckdb.DuckDBPyConnection, table: str, rows: str) -> bool:
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


def fold_slice(con: duckdb.DuckDBPyConnection, loads: list[Path], changes: Changes | None) -> None:
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
        if insert(con, "outcomes", "select *, 'known' as outcome from repeated"):
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
    insert(
        con, "outcomes", "select load_id, row_no, 'new' as outcome from ids anti join meeting using (load_id, row_no)"
    )
    [(all_rows, rows, meetings)] = run(
        "select (select count(*) from staged), (select count(*) from ids), (select count(*) from meeting)"
    ).fetchall()
    some = "" if rows == all_rows else "semi join ids using (load_id, row_no)"
    others = "anti join meeting using (load_id, row_no)" if meetings else ""
    insert(con, "store.attempts", f"select * from staged {some} {others}")
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
    insert(con, "outcomes", """
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
    insert(con, "store.attempts", "select * exclude (first) from merged")
    insert(con, "store.tellings", f"""
        select t.load_id, m.attempt_id, {', '.join('t.' + name for name in COLUMNS if name != 'attempt_id')}
        from tellings t join merged m using (first)
        where t.is_first_of_its_kind
            and first in (select first from tellings where is_first_of_its_kind group by first having count(*) > 1)
    """)  # fmt: skip
