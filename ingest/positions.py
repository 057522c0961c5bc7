"""How far each followed file has been read, and which files of a watched folder have been loaded: in one SQLite file.

A position is written after what lies before it has landed. A crash in between means that something is read again, which
changes nothing: known rows are not counted twice.
"""

import sqlite3
from dataclasses import astuple, dataclass
from pathlib import Path

_TABLES = """
create table if not exists tails (
    path text, device integer, inode integer, head_bytes integer, head text, offset integer, lines integer,
    modified_ns integer, primary key (path, device, inode)
);
create table if not exists files (path text primary key, inode integer, size integer, modified_ns integer);
"""


@dataclass
class Position:
    """How far one file has been read. The digest of its first bytes tells it from another file in its place."""

    device: int
    inode: int
    head_bytes: int = 0
    head: str = ""
    offset: int = 0
    lines: int = 0
    modified_ns: int = 0


FileState = tuple[int, int, int]  # inode, size in bytes, time of the last change in nanoseconds


class Positions:
    """The file that remembers, in an Outlay home. Not to be shared between threads."""

    def __init__(self, home: Path) -> None:
        """Made if need be."""
        home.mkdir(parents=True, exist_ok=True)
        self._con = sqlite3.connect(home / "follow.sqlite", timeout=30)
        self._con.execute("pragma journal_mode = wal")
        self._con.execute("pragma synchronous = full")
        self._con.executescript(_TABLES)

    def close(self) -> None:
        """Let go of the file."""
        self._con.close()

    def of_tail(self, path: Path) -> list[Position]:
        """The files that were being read under this name when it was last followed, the oldest first."""
        rows = self._con.execute(
            "select device, inode, head_bytes, head, offset, lines, modified_ns from tails where path = ? "
            "order by modified_ns",
            (str(path),),
        )
        return [Position(*row) for row in rows]

    def write_tail(self, path: Path, position: Position) -> None:
        """The file has been read so far, and all before it has landed."""
        with self._con:
            self._con.execute(
                "insert or replace into tails values (?, ?, ?, ?, ?, ?, ?, ?)", (str(path), *astuple(position))
            )

    def forget_tail(self, path: Path, position: Position) -> None:
        """Nothing more will come from this file."""
        with self._con:
            self._con.execute(
                "delete from tails where path = ? and device = ? and inode = ?",
                (str(path), position.device, position.inode),
            )

    def of_file(self, path: Path) -> FileState | None:
        """The state in which a file of a watched folder was last loaded or refused."""
        row = self._con.execute("select inode, size, modified_ns from files where path = ?", (str(path),)).fetchone()
        return row and (row[0], row[1], row[2])

    def write_file(self, path: Path, state: FileState) -> None:
        """The file has been dealt with in this state."""
        with self._con:
            self._con.execute("insert or replace into files values (?, ?, ?, ?)", (str(path), *state))
