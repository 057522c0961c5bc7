"""Keeps in the store what the views marked `kept` say of all attempts, and brings it up to date as these change.

Rollups are sums of what base holds, so what comes and goes is added and taken off. Facts are worked out from these or
from attempts, and prices: anew for the hours that changed, and altogether when prices do.

Of attempts that were pruned only their sums are left (`retain`): they are part of every rollup that is made anew.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

from queries.catalog import FOLDER, SOURCE, View, catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import duckdb

MUCH = 8  # a load of more than one in so many of the stored attempts


def kept() -> list[View]:
    """What a store keeps, each view after what it is made of."""
    return [view for view in catalogue() if view.is_kept]


def rollups() -> list[View]:
    """The sums among them."""
    return [view for view in kept() if view.layer == "rollups"]


def _added_up() -> list[View]:
    """The sums to which each attempt or call adds by itself, whatever went on around it."""
    return [view for view in rollups() if not view.looks_around]


def table(view: View) -> str:
    """Where the store keeps the rows of a view."""
    return f"store.{'rolled' if view.layer == 'rollups' else 'kept'}_{view.name}"


def source(con: duckdb.DuckDBPyConnection, view: View) -> str:
    """The SELECT that a view is made of: of what the store keeps, if that is as views, lists and prices have it now."""
    return f"from {table(view)}" if view.is_kept and _is_current(con, view) else view.sql


def keep(con: duckdb.DuckDBPyConnection) -> None:
    """Make what the store is to keep, from all attempts, where it keeps nothing or what was defined otherwise.

    Facts are left to a connection that has the views (`queries.create_views`).
    """
    for view in _reachable(con):
        if _is_current(con, view):
            continue
        con.execute("begin")
        try:
            _make(con, view)
        except BaseException:
            con.execute("rollback")
            raise
        con.execute("commit")
        if _has_views(con):
            con.execute(f"create or replace view {view.path} as {source(con, view)}")


def _reachable(con: duckdb.DuckDBPyConnection) -> list[View]:
    """What this connection can work out, each after what it is made of."""
    return kept() if _has_views(con) else rollups()


def _has_views(con: duckdb.DuckDBPyConnection) -> bool:
    return con.execute("from duckdb_schemas() where schema_name = 'facts'").fetchall() != []


def _is_current(con: duckdb.DuckDBPyConnection, view: View) -> bool:
    if not con.execute(
        "from information_schema.tables where table_catalog = 'store' and table_name = 'rollups'"
    ).fetchall():
        return False
    told = con.execute("select definition from store.rollups where name = $path", {"path": view.path}).fetchall()
    return told == [(_definition(con, view),)]


def _make(con: duckdb.DuckDBPyConnection, view: View) -> None:
    """All rows anew."""
    put(con, view, with_retained(con, view, made_of(view)))


def made_of(view: View) -> str:
    """The SELECT that makes all rows of a kept view from the stored attempts."""
    return _over(view, "store.attempts", of_kept=True) if view in rollups() else view.sql


def with_retained(con: duckdb.DuckDBPyConnection, view: View, select: str) -> str:
    """A SELECT that makes all rows of a kept view, with the sums added that are left of attempts that were pruned.

    Sums of sums are made of those that are kept.
    """
    if view not in rollups():
        return select
    if view not in _of_attempts():
        return made_of(view)
    _lay_out_retained(con, view)
    if not con.execute("from store.retained").fetchall():
        return select
    keys, measures = ", ".join(view.grain), _measures(con, view, _retained(view))
    return f"""
        select {keys}, {_together(measures)}
        from (from ({select}) union all by name from {_retained(view)})
        group by {keys} having sum({next(iter(measures))}) <> 0
    """


def retain(con: duckdb.DuckDBPyConnection, remaining: str, folder: Path) -> None:
    """Write what the sums lose when only the attempts in the table `remaining` are left, a Parquet file for each view.

    It is what they are, less what they would be: a call of which some tries are left is in it in part.
    """
    keep(con)
    for view in _of_attempts():
        keys, measures = ", ".join(view.grain), _measures(con, view, table(view))
        less = ", ".join(_times(column, -1) for column in measures)
        file = str(folder / f"{view.name}.parquet").replace("'", "''")
        con.execute(f"""
            copy (
                select {keys}, {_together(measures)}
                from (from {table(view)} union all by name select {keys}, {less} from ({_over(view, remaining)}))
                group by {keys}
                having {" or ".join(f"sum({column}) <> 0" for column in measures if not _is_moment(column))}
                order by {_time(view)}
            ) to '{file}' (format parquet, compression zstd)
        """)


def _of_attempts() -> list[View]:
    """The rollups that are not sums of other rollups."""
    return [view for view in rollups() if "from rollups." not in view.sql]


def _retained(view: View) -> str:
    """Where the store has the sums of pruned attempts."""
    return f"store.retained_{view.name}"


def _lay_out_retained(con: duckdb.DuckDBPyConnection, view: View) -> None:
    """Have a table of such sums, with the columns of the view: what an earlier version did not write is null."""
    empty = f"(from ({made_of(view)}) limit 0)"
    here = con.execute(
        "select column_name from duckdb_columns() where database_name = 'store' and table_name = $name",
        {"name": f"retained_{view.name}"},
    ).fetchall()
    wanted = [*view.grain, *_measures(con, view, empty)]
    if {name for (name,) in here} != set(wanted):
        held = [name for name in wanted if (name,) in here]
        rows = f"union all by name select {', '.join(held)} from {_retained(view)}" if held else ""
        con.execute(f"create or replace table {_retained(view)} as {empty} {rows}")


def _measures(con: duckdb.DuckDBPyConnection, view: View, rows: str) -> dict[str, str]:
    """The columns that are no part of the grain with their types, the count of things first."""
    columns = con.execute(f"describe from {rows}").fetchall()
    return {column: kind for column, kind, *_ in columns if column not in view.grain}


def put(con: duckdb.DuckDBPyConnection, view: View, select: str) -> None:
    """Keep the rows of a SELECT as those of a view: its own, or one that reads what another engine made of the same."""
    con.execute(f"create or replace table {table(view)} as from (\n{select}) order by {_time(view)}")
    con.execute(
        "insert or replace into store.rollups values ($path, $definition)",
        {"path": view.path, "definition": _definition(con, view)},
    )


def proof(view: View) -> str:
    """A SELECT that counts the kept rows of a view that are not what the attempts say, and those that lack."""
    if view in rollups():
        # Sums of nothing are null or 0, and when something was first and last seen is not unseen when it goes.
        grain, keys = ", ".join(view.grain), ", ".join(f"'{key}'" for key in view.grain)
        measures = f"lambda c: c not in ({keys}) and not starts_with(c, 'first_') and not starts_with(c, 'last_')"
        made, end = f"from ({made_of(view)}", ""
        if view in _of_attempts():
            made += f" union all by name from {_retained(view)}"
            end = f"having sum({re.findall(r'count[(][*][)] as ([a-z]+)', view.sql)[0]}) <> 0"
        sums, end = f"select {grain}, coalesce(sum(columns({measures})), 0)", f"group by {grain} {end}"
        made, held = f"{sums} {made}) {end}", f"{sums} from {table(view)} {end}"
    else:
        made, held = f"from ({view.sql})", f"from {table(view)}"
    return f"select count(*) from (({made} except all {held}) union all ({held} except all {made}))"


class Changes:
    """What the attempts that change within one transaction add to what is kept of them, and take from it.

    `rows` is how many attempts are to come. Where that is much beside what is there, all is added up anew in the end.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, rows: int) -> None:
        self._con = con
        [(stored,)] = con.execute("select count(*) from store.attempts").fetchall()
        self.wants_rows = rows * MUCH < stored
        if not self.wants_rows:
            return
        con.execute("create or replace temp table changed_hours (begins_at timestamp)")
        for view in _added_up():
            con.execute(f"create or replace temp table change_of_{view.name} as from {table(view)} limit 0")

    def take(self, rows: str, times: int) -> None:
        """Count attempts once more (1) or once less (-1). `rows` is the name of a table of them.

        The tries of one call come together: all of them, as they are before the change, and as they are after it.
        """
        self._con.execute(f"insert into changed_hours select distinct date_trunc('hour', started_at) from {rows}")
        for view in _added_up():
            changed = ", ".join(
                _times(column, times) for column in _measures(self._con, view, f"change_of_{view.name}")
            )
            keys = ", ".join(view.grain)
            self._con.execute(
                f"insert into change_of_{view.name} by name select {keys}, {changed} from ({_over(view, rows)})"
            )

    def settle(self) -> None:
        """Bring the change into what is kept."""
        reachable = _reachable(self._con)
        for view in reachable:
            if not self.wants_rows:
                _make(self._con, view)
            elif view in _added_up():
                self._add(view)
            else:
                self._work_out(view)
        for view in kept():
            if view not in reachable:
                self._con.execute("delete from store.rollups where name = $path", {"path": view.path})

    def _add(self, view: View) -> None:
        """Add the sums that changed to those that are there.

        Rows go and come again, because DuckDB changes many columns of scattered rows in place only slowly.
        """
        run, change = self._con.execute, f"change_of_{view.name}"
        [(first, last)] = run(f"select min({_time(view)}), max({_time(view)}) from {change}").fetchall()
        if first is None:
            return
        measures = _measures(self._con, view, change)
        keys = ", ".join(view.grain)
        same = " and ".join(f"kept.{key} is not distinct from change.{key}" for key in view.grain)
        run(f"""
            create or replace temp table met_sums as
            select kept.rowid as place, kept.* from {table(view)} as kept
            semi join {change} as change
            on kept.{_time(view)} between timestamp '{first}' and timestamp '{last}' and {same}
        """)
        run(f"delete from {table(view)} where rowid in (select place from met_sums)")
        run(f"""
            insert into {table(view)} by name
            select {keys}, {_together(measures)}
            from (select * exclude (place) from met_sums union all by name from {change})
            group by {keys}
            having sum({next(iter(measures))}) <> 0
        """)

    def _work_out(self, view: View) -> None:
        """Replace the rows of the hours that changed, and of those next to them where the view looks around."""
        next_to = 1 if view.looks_around else 0
        of_them = self._near_changes(_time(view), next_to)
        seen = f"(select * from store.attempts {self._near_changes('started_at', 2 * next_to)})"
        select = with_retained(self._con, view, _over(view, seen)) if view.looks_around else view.sql
        self._con.execute(f"delete from {table(view)} {of_them}")
        self._con.execute(f"insert into {table(view)} by name from (\n{select}) {of_them}")

    def _near_changes(self, time: str, hours: int) -> str:
        """The WHERE clause of the rows in an hour that changed or at most so many hours from one."""
        [(first, last)] = self._con.execute(f"""
            select min(begins_at) - {hours} * interval 1 hour, max(begins_at) + {hours + 1} * interval 1 hour
            from changed_hours
        """).fetchall()
        if first is None:
            return "where false"
        # The bounds say nothing more, but let the engine pass over what lies outside.
        return f"""
            where {time} >= timestamp '{first}' and {time} < timestamp '{last}'
                and date_trunc('hour', {time}) in (
                    select begins_at + away * interval 1 hour from changed_hours, range(-{hours}, {hours + 1}) t(away)
                )
        """


def _time(view: View) -> str:
    """The column that says of which hour or day a row is, or when its attempt was sent."""
    return next((column for column in view.grain if column.endswith("_at")), "started_at")


def _is_moment(column: str) -> bool:
    return column.startswith(("first_", "last_"))


def _times(column: str, times: int) -> str:
    """A measure counted once more or less. When something was first or last seen is not unseen."""
    if _is_moment(column):
        return f"{column if times > 0 else 'null'} as {column}"
    return f"{times} * {column} as {column}"


def _together(measures: dict[str, str]) -> str:
    """The columns of what is added up, of the types that they have."""
    combine = {
        column: {"first": "min", "last": "max"}[column.partition("_")[0]] for column in filter(_is_moment, measures)
    }
    return ", ".join(
        f"cast({combine.get(column, 'sum')}({column}) as {kind}) as {column}" for column, kind in measures.items()
    )


def _over(view: View, rows: str, of_kept: bool = False) -> str:
    """The SELECT of a kept view, of these attempts instead of the stored ones; or of the rollups kept before it."""
    by_path = {each.path: each for each in catalogue() if not each.is_stored}
    tables = {"store.attempts": rows}
    for path in SOURCE.findall(view.sql):
        if path in by_path:
            is_there = of_kept and by_path[path].is_kept
            tables[path] = table(by_path[path]) if is_there else f"({_over(by_path[path], rows)}\n)"
    return SOURCE.sub(lambda found: found[0].removesuffix(found[1]) + tables.get(found[1], found[1]), view.sql)


def _definition(con: duckdb.DuckDBPyConnection, view: View) -> str:
    """A short word that changes when anything does that the rows are made of, but for the attempts."""
    parts = [part for path in sorted(_below(view)) for part in _content(con, path)]
    if view not in rollups():
        parts.append((FOLDER / "macros.sql").read_text())
    return sha256("\n".join([view.sql, *parts]).encode()).hexdigest()[:16]


def _below(view: View) -> set[str]:
    """All that a view is made of, views and tables."""
    by_path = {each.path: each for each in catalogue()}
    sources = set(SOURCE.findall(view.sql))
    return sources.union(*(_below(by_path[path]) for path in sources if path in by_path))


def _content(con: duckdb.DuckDBPyConnection, path: str) -> Iterator[str]:
    layer, _, name = path.partition(".")
    if path == "lists.contract_prices":
        yield repr(con.execute(f"from {path} order by all").fetchall())
    elif layer == "lists":
        yield (FOLDER / "lists" / f"{name}.csv").read_text()
    else:
        yield from (view.sql for view in catalogue() if view.path == path)
