"""What people have settled by hand, in one SQLite file beside the store: small things that change.

Each subject keeps a table of its own there and makes it where it is missing.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def choices(home: Path) -> Iterator[sqlite3.Connection]:
    """The file of an Outlay home, for one transaction: on disk when the block ends, undone when it fails."""
    home.mkdir(parents=True, exist_ok=True)
    con = sqlite3.connect(home / "outlay.sqlite", timeout=30, isolation_level=None)
    try:
        con.execute("pragma synchronous = full")
        con.execute("begin immediate")
        try:
            yield con
            con.execute("commit")
        except BaseException:
            con.execute("rollback")
            raise
    finally:
        con.close()
