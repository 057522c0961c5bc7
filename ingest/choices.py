"""What people have settled by hand, in one SQLite file beside the store: small things that change.

Each subject keeps a table of its own there and makes it where it is missing.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

# Threads of one process wait for one another here. SQLite's own way of waiting, which is left to processes, is to sleep
# and look again: a hundred changes at once take five times as long.
_changing = threading.Lock()


@contextlib.contextmanager
def choices(home: Path, changes: bool = True) -> Iterator[sqlite3.Connection]:
    """The file of an Outlay home, for one transaction: on disk when the block ends, undone when it fails.

    changes: one at a time; without them any number look things up side by side.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (
        _changing if changes else contextlib.nullcontext(),
        contextlib.closing(sqlite3.connect(home / "outlay.sqlite", timeout=30, isolation_level=None)) as con,
    ):
        con.execute("pragma synchronous = full")
        con.execute("begin immediate" if changes else "begin")
        try:
            yield con
            con.execute("commit")
        except BaseException:
            con.execute("rollback")
            raise
