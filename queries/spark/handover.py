"""What a store and a cluster hand each other, as Parquet files in a folder that both can reach.

`given/` holds what the views read: the store's attempts, each once, with the lists. `made/` holds what the cluster made
of them, a folder for each view.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queries.catalog import View, catalogue, lists
from queries.rollups import made_of, put, rollups, table, with_retained

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

STORED = (
    "attempts", "model_names", "loads", "refusals", "set_aside", "retained", "bill_reports", "bill_days", "billed",
)  # fmt: skip
SCHEMAS = ("store", "lists")


def give(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Write what the views read below `folder`/given, in place of what was there. `con` has the store and the views."""
    tables = [f"store.{name}" for name in STORED]
    tables += ["lists.contract_prices", *(f"lists.{file.stem}" for file in lists())]
    for name in tables:
        into = folder / "given" / name
        into.mkdir(parents=True, exist_ok=True)
        for part in into.glob("*.parquet"):
            part.unlink()
        # A file for each piece of work that a cluster can share out.
        con.execute(
            f"copy (from {name}) to {_quoted(into)} "
            "(format parquet, compression zstd, overwrite, file_size_bytes '128MB', per_thread_output true)"
        )


def take(con: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, int]:
    """Keep the sums that a cluster made below `folder`, in one transaction. Gives the rows of each view.

    `con` has the store and the views, and the attempts are still those that were given.
    """
    taken = {}
    con.execute("begin")
    try:
        for view in rollups():
            kinds = [(name, kind) for name, kind, *_ in con.execute(f"describe {made_of(view)}").fetchall()]
            columns = ", ".join(f"cast({name} as {kind}) as {name}" for name, kind in kinds)
            files = _quoted(made(folder, view) / "*.parquet")
            put(con, view, with_retained(con, view, f"select {columns} from read_parquet({files})"))
            [(taken[view.path],)] = con.execute(f"select count(*) from {table(view)}").fetchall()
    except BaseException:
        con.execute("rollback")
        raise
    con.execute("commit")
    return taken


def made(folder: Path, view: View) -> Path:
    """Where a cluster puts the rows of a view."""
    return folder / "made" / view.path


def views(paths: tuple[str, ...]) -> list[View]:
    """The views of these names, or of these layers, in the order in which they can be made.

    Raises KeyError for a name that is none.
    """
    known = {view.path for view in catalogue()} | {view.layer for view in catalogue()}
    for path in paths:
        if path not in known:
            raise KeyError(f"There is no view {path!r}. `python -m queries --docs` lists them all.")
    return [view for view in catalogue() if view.path in paths or view.layer in paths]


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
