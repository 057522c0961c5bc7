"""Creates the views over a store and reads metrics from them."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

from queries.catalog import FOLDER, LAYERS, SLICES, by_row, catalogue, exactly, lists
from queries.contract import COLUMNS, Row
from queries.filters import Filters
from queries.rollups import source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    import duckdb
    import pyarrow as pa

# The columns of lists.contract_prices, and the stored views made from it.
CONTRACT_COLUMNS = ("line", *COLUMNS, "problem")
OF_THE_CONTRACT = ("base.contract_prices", "base.platform_rates")
# Percentiles of a store of no more attempts are read from the logged times: that takes less than a second.
EXACT_UP_TO = 1_000_000


def create_views(con: duckdb.DuckDBPyConnection, contract: Sequence[Row] = ()) -> None:
    """Create lists and views, with their comments, beside the attached catalog `store`.

    `contract`: the prices that were agreed upon, as `queries.contract.read` gives them. What the store can keep is read
    from there where it does, and otherwise worked out from the attempts at every question.
    """
    con.execute("begin")
    try:
        con.execute(
            "create schema lists; create table lists.contract_prices "
            f"({', '.join(f'{name} varchar' for name in CONTRACT_COLUMNS)});"
        )
        _list_contract(con, contract)
        for statement in _statements(con):
            con.execute(statement)
    except BaseException:
        con.execute("rollback")
        raise
    con.execute("commit")


def _statements(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    yield (FOLDER / "macros.sql").read_text()
    for schema in LAYERS:
        yield f"create schema {schema}"
    for file in lists():
        # As text: base gives the columns their types, so that no decimal ever passes through a float.
        rows = f"read_csv({_quoted(str(file))}, header = true, all_varchar = true)"
        yield f"create table lists.{file.stem} as from {rows}"
    # Creating a view binds it and all that lies below: views on top of views on top of views take seconds. So each is
    # created while what lies below is an empty table: first all as such tables, then from the top down as views.
    for view in catalogue():
        if view.layer != "metrics":
            rows = "" if view.is_stored else " limit 0"
            yield f"create table {view.path} as from (\n{view.sql}){rows}"
    for view in reversed(catalogue()):
        if not view.is_stored:
            yield f"drop table if exists {view.path}; create view {view.path} as\n{source(con, view)}"
    for view in catalogue():
        kind = "table" if view.is_stored else "view"
        yield f"comment on {kind} {view.path} is {_quoted(view.summary)}"
        if view.layer == "facts":  # the public tables; comments on all columns would double the time to connect
            for column, note in view.notes.items():
                yield f"comment on column {view.path}.{column} is {_quoted(note)}"


def agree(con: duckdb.DuckDBPyConnection, contract: Sequence[Row]) -> bool:
    """Put these agreed prices in place of those before, for every question from now on; False if they are the same.

    What the store keeps at the prices before is no longer read. `queries.keep` makes it anew.
    """
    cursor = con.cursor()
    try:
        if set(cursor.execute("from lists.contract_prices").fetchall()) == set(_cells(contract)):
            return False
        cursor.execute("begin")
        try:
            cursor.execute("delete from lists.contract_prices")
            _list_contract(cursor, contract)
            for view in catalogue():
                if view.path in OF_THE_CONTRACT:
                    cursor.execute(f"delete from {view.path}; insert into {view.path} from (\n{view.sql})")
                if view.is_kept:
                    cursor.execute(f"create or replace view {view.path} as\n{source(cursor, view)}")
        except BaseException:
            cursor.execute("rollback")
            raise
        cursor.execute("commit")
        return True
    finally:
        cursor.close()


def _list_contract(con: duckdb.DuckDBPyConnection, contract: Sequence[Row]) -> None:
    for cells in _cells(contract):
        con.execute(f"insert into lists.contract_prices values ({', '.join('?' * len(cells))})", cells)


def _cells(contract: Sequence[Row]) -> list[tuple[str | None, ...]]:
    return [tuple(row[name] for name in CONTRACT_COLUMNS) for row in contract]


def read(con: duckdb.DuckDBPyConnection, metric: str, filters: Filters | None = None) -> pa.Table:
    """The rows of one metric, in its own order, for what the filters ask for."""
    view = next((view for view in catalogue() if view.path == f"metrics.{metric}"), None)
    if view is None:
        raise KeyError(f"There is no metric {metric!r}. `python -m queries --docs` lists them all.")
    filters = filters or Filters()
    cursor = con.cursor()
    try:
        for name, value in filters.variables().items():
            if value is not None:
                cursor.execute(f"set variable {name} = $value", {"value": value})
        # Not `sql`, which plans the question twice: planning is what a question about sums takes longest for.
        return cursor.execute(_put(cursor, view.sql, filters)).to_arrow_table()
    finally:
        cursor.close()


def _put(con: duckdb.DuckDBPyConnection, question: str, filters: Filters) -> str:
    """The question as it is put: to sums where these answer it, else to the rows."""
    if filters.cuts_hours():
        return by_row(question)
    if exactly(question) != question:
        [(attempts, sums_alone)] = con.execute(
            "select count(*), exists (from base.retained) from base.attempts"
        ).fetchall()
        if attempts <= EXACT_UP_TO and not sums_alone:
            return exactly(question)
    return question


def generation(con: duckdb.DuckDBPyConnection) -> str:
    """A short word that changes whenever the data or the views do."""
    cursor = con.cursor()
    try:
        loads = cursor.execute("""
            select load_id, folded_at from store.loads
            union all select load_id, tried_at from store.set_aside
            union all select report_id, imported_at from store.bill_reports order by all
        """).fetchall()
        contract = cursor.execute("from lists.contract_prices order by all").fetchall()
    finally:
        cursor.close()
    return sha256(repr((loads, contract, _views_digest())).encode()).hexdigest()[:16]


@cache
def _views_digest() -> str:
    return sha256("\n".join(view.sql for view in catalogue()).encode()).hexdigest()


def span(con: duckdb.DuckDBPyConnection) -> tuple[datetime | None, datetime | None]:
    """When the first and the last attempt were sent, UTC."""
    cursor = con.cursor()
    try:
        [(first, last)] = cursor.execute(
            "select min(first_started_at), max(last_started_at) from facts.attempts_by_hour"
        ).fetchall()
    finally:
        cursor.close()
    return first, last


_VALUES_IN_SUMS = "select distinct {0} from facts.attempts_by_hour order by {0}"
_VALUES = {
    "user": """
        select distinct {0} from facts.users_by_day
        union
        select '(unattributed)' where (select sum(attempts) from facts.attempts_by_hour)
            > (select coalesce(sum(attempts), 0) from facts.users_by_day)
        order by {0}
    """
}


def options(con: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """For each dimension the values that occur, in order: what a filter can be set to."""
    cursor = con.cursor()
    try:
        return {
            name: [value for (value,) in cursor.execute(_VALUES.get(name, _VALUES_IN_SUMS).format(column)).fetchall()]
            for name, column in SLICES.items()
            if name != "total"
        }
    finally:
        cursor.close()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
