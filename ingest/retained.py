"""Sums of attempts that are not kept any more: written when they are pruned, and from then on part of the truth.

`retained/DATE/` holds a Parquet file for each kind of sums, and the digests of these. It appears by one rename. From
that moment on an attempt that was sent before DATE counts in these sums alone, wherever it still lies and whenever it
comes again. The folder of a later date takes the place of the ones before: its sums hold theirs.
"""

import contextlib
import datetime as dt
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb

from ingest.archive import Archive, digest, sync

TABLES = "create table if not exists store.retained (before timestamp);"

_DIGESTS = "digests.json"


class SumsDamaged(Exception):
    """The sums of pruned attempts cannot be read. The message says where, why, and what to do."""


def newest(home: Path) -> Path | None:
    """The folder of the sums that count; None where every attempt is kept."""
    return max((home / "retained").glob("????-??-??"), default=None)


def reaches(home: Path) -> dt.datetime:
    """The midnight (UTC) from which on attempts count by themselves; the beginning of time where all of them do."""
    folder = newest(home)
    return dt.datetime.fromisoformat(folder.name) if folder else dt.datetime.min


def put(home: Path, before: dt.datetime, write: Callable[[Path], None]) -> None:
    """Have sums of all that was sent before a midnight (UTC) written into a folder, and let it count."""
    with Archive(home).workplace() as place:
        folder = place / "retained"
        folder.mkdir()
        write(folder)
        digests = {file.name: digest(file) for file in sorted(folder.iterdir())}
        (folder / _DIGESTS).write_text(json.dumps(digests, indent=1), encoding="utf-8")
        for path in (*folder.iterdir(), folder):
            sync(path)
        there = home / "retained" / f"{before:%Y-%m-%d}"
        there.parent.mkdir(exist_ok=True)
        folder.rename(there)
        sync(there.parent)
        sync(home)
    sweep(home)


def sweep(home: Path) -> None:
    """Delete the folders in whose place another one counts."""
    for folder in (home / "retained").glob("????-??-??"):
        if folder != newest(home):
            shutil.rmtree(folder)


def forget(home: Path) -> None:
    """Delete all such sums, the newest last: whenever this ends, what is left says what it said."""
    sweep(home)
    if folder := newest(home):
        folder.rename(folder.with_name("forgotten"))
        sync(folder.parent)
    shutil.rmtree(home / "retained", ignore_errors=True)


def take(con: duckdb.DuckDBPyConnection, home: Path) -> None:
    """Bring the sums of a home into a store that holds none yet, each file as a table `retained_NAME`.

    Raises SumsDamaged.
    """
    folder = newest(home)
    if folder is None or con.execute("from store.retained").fetchall():
        return
    if why := what_is_wrong(home):
        raise SumsDamaged(
            f"{folder}: {why}; put this folder back from a backup, or delete it to do without the sums of what was "
            f"sent before {folder.name}"
        )
    con.execute("begin")
    for file in sorted(folder.glob("*.parquet")):
        path = str(file).replace("'", "''")
        con.execute(f"create or replace table store.retained_{file.stem} as from read_parquet('{path}')")
        if "model_raw" in (column for column, *_ in con.execute(f"describe store.retained_{file.stem}").fetchall()):
            con.execute(f"""
                insert into store.model_names select distinct model_raw from store.retained_{file.stem}
                where model_raw is not null on conflict do nothing
            """)
    reach(con, reaches(home))
    con.execute("commit")


def reach(con: duckdb.DuckDBPyConnection, before: dt.datetime) -> None:
    """From now on a store leaves out what was sent before a midnight (UTC)."""
    con.execute("insert into store.retained values ($before)", {"before": before})


def is_taken(con: duckdb.DuckDBPyConnection, home: Path) -> bool:
    """Does an attached store hold the very sums of a home, or none where there are none?"""
    try:
        held = [str(before.date()) for (before,) in con.execute("from store.retained").fetchall()]
    except duckdb.CatalogException:  # an earlier version's store
        held = []
    folder = newest(home)
    return held == ([folder.name] if folder else [])


def counts_by_itself(con: duckdb.DuckDBPyConnection) -> str:
    """What holds, in SQL, of an attempt that these sums do not hold."""
    held = con.execute("from store.retained").fetchall()
    return is_kept(held[0][0]) if held else "true"


def is_kept(before: dt.datetime) -> str:
    """What holds of an attempt that is kept when those before a midnight (UTC) are pruned.

    Of some, each part was billed at a price of its own: they are few, and in no sums.
    """
    return f"(started_at >= timestamp '{before}' or iterations is not null)"


def what_is_wrong(home: Path) -> str | None:
    """Why the sums are not those that were written; None if they are, or if there are none."""
    folder = newest(home)
    if folder is None:
        return None
    with contextlib.suppress(OSError, ValueError):
        digests = json.loads((folder / _DIGESTS).read_text(encoding="utf-8"))
        changed = [name for name, said in digests.items() if digest(folder / name) != said]
        return f"{' and '.join(changed)} changed since they were written" if changed else None
    return "they cannot be read"
