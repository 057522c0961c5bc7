"""Keeps the store's rollups: what the views of that layer say of all attempts, brought up to date as these change."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from queries.catalog import SOURCE, View, catalogue

if TYPE_CHECKING:
    import duckdb

MUCH = 8  # a load of more than one in so many of the stored attempts


def rollups() -> list[View]:
    """The views that a store keeps."""
    return [view for view in catalogue() if view.layer == "rollups"]


def kept(con: duckdb.DuckDBPyConnection) -> set[str]:
    """The names of the rollups that the attached catalog `store` keeps as today's views define them."""
    found = con.execute(
        "select 1 from information_schema.tables where table_catalog = 'store' and table_name = 'rollups'"
    ).fetchall()
    told = dict(con.execute("select name, definition from store.rollups").fetchall()) if found else {}
    return {view.name for view in rollups() if told.get(view.name) == _definition(view)}


def keep(con: duckdb.DuckDBPyConnection) -> None:
    """Make the rollups anew from all attempts where the store keeps none, or some that were defined otherwise."""
    current = kept(con)
    if all(view.name in current for view in rollups()):
        return
    con.execute("begin")
    try:
        _make(con)
    except BaseException:
        con.execute("rollback")
        raise
    con.execute("commit")


def _make(con: duckdb.DuckDBPyConnection) -> None:
    for view in rollups():
        select = f"{_over(view, 'store.attempts')} order by {view.grain[0]}"
        con.execute(f"create or replace table store.rolled_{view.name} as {select}")
        con.execute("insert or replace into store.rollups values ($name, $definition)", _named(view))


class Changes:
    """What the attempts that change within one transaction add to the rollups, and take from them.

    `rows` is how many attempts are to come. Where that is much beside what is there, all is added up anew in the end.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, rows: int) -> None:
        self._con = con
        [(stored,)] = con.execute("select count(*) from store.attempts").fetchall()
        self.wants_rows = rows * MUCH < stored
        if not self.wants_rows:
            return
        for view in rollups():
            con.execute(f"create or replace temp table change_of_{view.name} as from store.rolled_{view.name} limit 0")

    def take(self, rows: str, times: int) -> None:
        """Count attempts once more (1) or once less (-1). `rows` is the name of a table of them.

        The tries of one call come together: all of them, as they are before the change, and as they are after it.
        """
        for view in rollups():
            changed = ", ".join(_times(column, times) for column in self._measures(view))
            keys = ", ".join(view.grain)
            self._con.execute(
                f"insert into change_of_{view.name} by name select {keys}, {changed} from ({_over(view, rows)})"
            )

    def settle(self) -> None:
        """Bring the change into the rollups."""
        if not self.wants_rows:
            _make(self._con)
            return
        for view in rollups():
            [(first, last)] = self._con.execute(
                f"select min({view.grain[0]}), max({view.grain[0]}) from change_of_{view.name}"
            ).fetchall()
            if first is None:
                continue
            measures = self._measures(view)
            keys = ", ".join(view.grain)
            same = " and ".join(f"kept.{key} is not distinct from change.{key}" for key in view.grain)
            self._con.execute(
                f"""
                merge into store.rolled_{view.name} as kept
                using (
                    select {keys}, {", ".join(_together(column) for column in measures)}
                    from change_of_{view.name} group by {keys}
                ) as change
                on kept.{view.grain[0]} between timestamp '{first}' and timestamp '{last}' and {same}
                when matched then update set {", ".join(f"{column} = {_after(column)}" for column in measures)}
                when not matched then insert by name
                """
            )
            self._con.execute(
                f"delete from store.rolled_{view.name} "
                f"where {measures[0]} = 0 and {view.grain[0]} between $first and $last",
                {"first": first, "last": last},
            )

    def _measures(self, view: View) -> list[str]:
        """The columns that are no part of the grain, the count of things first."""
        columns = [name for name, *_ in self._con.execute(f"describe change_of_{view.name}").fetchall()]
        return [column for column in columns if column not in view.grain]


def _is_moment(column: str) -> bool:
    return column.startswith(("first_", "last_"))


def _times(column: str, times: int) -> str:
    """A measure counted once more or less. When something was first or last seen is not unseen."""
    if _is_moment(column):
        return f"{column if times > 0 else 'null'} as {column}"
    return f"{times} * {column} as {column}"


def _together(column: str) -> str:
    combine = {"first": "min", "last": "max"}.get(column.partition("_")[0], "sum") if _is_moment(column) else "sum"
    return f"{combine}({column}) as {column}"


def _after(column: str) -> str:
    if _is_moment(column):
        return f"{'least' if column.startswith('first_') else 'greatest'}(kept.{column}, change.{column})"
    return f"case when kept.{column} is null then change.{column} else kept.{column} + coalesce(change.{column}, 0) end"


def _over(view: View, rows: str) -> str:
    """The SELECT of a view, of these attempts instead of the stored ones."""
    by_path = {each.path: each for each in catalogue()}
    tables = {"store.attempts": rows}
    tables |= {path: f"({_over(by_path[path], rows)}\n)" for path in SOURCE.findall(view.sql) if path in by_path}
    return SOURCE.sub(lambda found: found[0].removesuffix(found[1]) + tables[found[1]], view.sql)


def _definition(view: View) -> str:
    return sha256(_over(view, "store.attempts").encode()).hexdigest()[:16]


def _named(view: View) -> dict[str, str]:
    return {"name": view.name, "definition": _definition(view)}
