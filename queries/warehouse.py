"""Creates the views over a store and reads metrics from them."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from queries.catalog import FOLDER, LAYERS, SLICES, catalogue, lists
from queries.filters import Filters

if TYPE_CHECKING:
    from datetime import datetime

    import duckdb
    import pyarrow as pa


def create_views(con: duckdb.DuckDBPyConnection) -> None:
    """Create lists and views, with their comments, beside the attached catalog `store`."""
    con.execute("begin")
    try:
        for statement in _statements():
            con.execute(statement)
    except BaseException:
        con.execute("rollback")
        raise
    con.execute("commit")


def _statements() -> list[str]:
    statements = [(FOLDER / "macros.sql").read_text()]
    statements += [f"create schema {schema};" for schema in ("lists", *LAYERS)]
    statements += [
        # As text: base gives the columns their types, so that no decimal ever passes through a float.
        f"create table lists.{file.stem} as from read_csv({_quoted(str(file))}, header = true, all_varchar = true);"
        for file in lists()
    ]
    # Creating a view binds it and all that lies below: views on top of views on top of views take seconds. So each is
    # created while what lies below is an empty table: first all as such tables, then from the top down as views.
    for view in catalogue():
        if view.layer != "metrics":
            rows = "" if view.is_stored else " limit 0"
            statements.append(f"create table {view.path} as from (\n{view.sql}){rows}")
    for view in reversed(catalogue()):
        if not view.is_stored:
            statements.append(f"drop table if exists {view.path}; create view {view.path} as\n{view.sql}")
    for view in catalogue():
        kind = "table" if view.is_stored else "view"
        statements.append(f"comment on {kind} {view.path} is {_quoted(view.summary)};")
        if view.layer == "facts":  # the public tables; comments on all columns would double the time to connect
            statements += [
                f"comment on column {view.path}.{column} is {_quoted(note)};" for column, note in view.notes.items()
            ]
    return statements


def read(con: duckdb.DuckDBPyConnection, metric: str, filters: Filters | None = None) -> pa.Table:
    """The rows of one metric, in its own order, for what the filters ask for."""
    if not any(view.layer == "metrics" and view.name == metric for view in catalogue()):
        raise KeyError(f"There is no metric {metric!r}. `python -m queries --docs` lists them all.")
    cursor = con.cursor()
    try:
        for name, value in (filters or Filters()).variables().items():
            if value is not None:
                cursor.execute(f"set variable {name} = $value", {"value": value})
        return cursor.sql(f"from metrics.{metric}").to_arrow_table()
    finally:
        cursor.close()


def generation(con: duckdb.DuckDBPyConnection) -> str:
    """A short word that changes whenever the data or the views do."""
    cursor = con.cursor()
    try:
        loads = cursor.execute("""
            select load_id, folded_at from store.loads
            union all select load_id, tried_at from store.set_aside
            union all select report_id, imported_at from store.bill_reports order by all
        """).fetchall()
    finally:
        cursor.close()
    return sha256(repr((loads, [view.sql for view in catalogue()])).encode()).hexdigest()[:16]


def span(con: duckdb.DuckDBPyConnection) -> tuple[datetime | None, datetime | None]:
    """When the first and the last attempt were sent, UTC."""
    cursor = con.cursor()
    try:
        first, last = cursor.execute("select min(started_at), max(started_at) from base.attempts").fetchall()[0]
    finally:
        cursor.close()
    return first, last


def options(con: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """For each dimension the values that occur, in order: what a filter can be set to."""
    cursor = con.cursor()
    try:
        return {
            name: [
                value
                for (value,) in cursor.execute(
                    f"select distinct {column} from facts.attempts order by {column}"
                ).fetchall()
            ]
            for name, column in SLICES.items()
            if name != "total"
        }
    finally:
        cursor.close()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
