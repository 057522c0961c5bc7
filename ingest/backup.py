"""Copies of a home that can be put back: whole, dated, and known to be right by their digests.

A backup is a folder that is named by its moment and appears by one rename. It holds everything in the home but what can
be made again (the DuckDB file, judged signals) and what is on its way (loads and uploads being read). Positions and
decisions are copied before the archive: what they say has landed is in the copy, and what is there twice counts once.

Loads never change. Those that the backup before holds are linked, not copied again: each backup is complete, and costs
what is new. `SHA256SUMS` is as `sha256sum` writes it, so that a backup can be checked without Outlay.
"""

import contextlib
import datetime as dt
import hashlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ingest.archive import Archive, digest, lock_on, sync

SUMS = "SHA256SUMS"

# Not copied: what can be made again, what is on its way, and the address of a running server.
LEFT_OUT = frozenset(
    {"outlay.duckdb", "outlay.duckdb.wal", "signals", "landing", "uploads", "restoring", "server.json"}
)

_NAMED, _ANY_NAME, _UNFINISHED = "%Y-%m-%dT%H-%M-%SZ", "????-??-??T??-??-??Z", ".unfinished-"
_BLOCK_BYTES = 1 << 20


class BackupRefused(Exception):
    """What cannot be copied or put back. The message says why, and what to do."""


@dataclass
class Backup:
    """What a backup holds, or what was put back from it."""

    folder: Path
    loads: int = 0
    files: int = 0
    bytes: int = 0
    linked_bytes: int = 0  # of these, shared with the backup before
    damaged: list[str] = field(default_factory=list)  # loads that are not what they were when they landed


def backups(folder: Path) -> list[Path]:
    """The backups in a folder, the oldest first."""
    return sorted(path for path in folder.glob(_ANY_NAME) if (path / SUMS).is_file())


# --- making one ----------------------------------------------------------------------------------------------------


def backup(home: Path, to: Path) -> Backup:
    """Copy a home into a new folder below `to`, while others go on writing to the home.

    Raises BackupRefused where there is nothing to copy, or where the copy would lie in the home.
    """
    if not home.is_dir() or not any(home.iterdir()):
        raise BackupRefused(f"{home}: there is nothing in this home to copy")
    if to.resolve().is_relative_to(home.resolve()):
        raise BackupRefused(f"{to} lies in the home itself; name a folder elsewhere, best on another disk")
    to.mkdir(parents=True, exist_ok=True, mode=0o700)
    _sweep(to)
    unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=to))  # for its owner's eyes only
    locks = [lock_on(unfinished), lock_on(home)]
    try:
        if locks[1] is None:
            raise BackupRefused(f"{home} is being backed up or pruned by another process; wait for it to end")
        made = _Copying(home, unfinished, next(reversed(backups(to)), None)).everything()
        os.sync()
        made.folder = to / dt.datetime.now(dt.UTC).strftime(_NAMED)
        if made.folder.exists():
            raise BackupRefused(f"{made.folder} was made this very second; nothing else was kept")
        unfinished.rename(made.folder)
        sync(to)
        return made
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        for lock in locks:
            if lock is not None:
                os.close(lock)


def drop_older(to: Path, keep: int) -> list[Path]:
    """Delete all backups in a folder but the newest `keep`, which is one or more; those that are gone."""
    gone = backups(to)[: -max(keep, 1)]
    for path in gone:
        (path / SUMS).unlink()  # half a backup is none
        shutil.rmtree(path)
    return gone


def _sweep(to: Path) -> None:
    """Remove what backups that were killed have left."""
    for left in to.glob(f"{_UNFINISHED}*"):
        if (lock := lock_on(left)) is not None:
            shutil.rmtree(left, ignore_errors=True)
            os.close(lock)


class _Copying:
    """One backup in the making."""

    def __init__(self, home: Path, into: Path, before: Path | None) -> None:
        """`before`: the backup that loads are taken from where it holds them."""
        self._home, self._into, self._before = home, into, before
        self._sums: dict[str, str] = {}
        self._sums_before = _sums_of(before) if before else {}
        self._made = Backup(into)

    def everything(self) -> Backup:
        """Copy the home, in the one order that holds together."""
        for database in sorted(self._home.glob("*.sqlite")):
            self._database(database)
        for top in sorted(self._home.iterdir()):
            if top.name != "archive" and top.name not in LEFT_OUT and ".sqlite" not in top.name:
                self._below(top)
        for load in Archive(self._home).loads():
            self._load(load)
        lines = [f"{said}  {name}\n" for name, said in sorted(self._sums.items())]
        (self._into / SUMS).write_text("".join(lines), encoding="utf-8")
        return self._made

    def _below(self, top: Path) -> None:
        """Copy a file, or all files in a folder, but for those in the making."""
        for path in [top, *sorted(top.rglob("*"))]:
            inside = path.relative_to(self._home)
            is_unfinished = path.suffix == ".unfinished" or any(part.startswith(".") for part in inside.parts)
            if path.is_file() and not is_unfinished:
                with contextlib.suppress(FileNotFoundError):  # landed, replaced or revoked since
                    self._file(path, inside.as_posix())

    def _load(self, load: Path) -> None:
        """Link or copy the files of a load."""
        try:
            said = {"load.json": digest(load / "load.json"), **Archive.read(load).digests}
        except (OSError, ValueError, TypeError):
            said = {}
        is_whole = bool(said)
        for file in sorted(load.iterdir()):
            name = f"archive/{load.name}/{file.name}"
            wanted = said.get(file.name)
            if wanted is None or self._sums_before.get(name) != wanted or not self._linked(name, wanted):
                is_whole &= self._file(file, name) == (wanted or self._sums[name])
        self._made.loads += 1
        if not is_whole:
            self._made.damaged.append(load.name)

    def _linked(self, name: str, said: str) -> bool:
        """Share a file with the backup before. False where the disk shares none."""
        assert self._before
        target = self._into / name
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            os.link(self._before / name, target)
        except OSError:
            return False
        size = target.stat().st_size
        self._made.linked_bytes += size
        self._count(name, said, size)
        return True

    def _file(self, source: Path, name: str) -> str:
        """Copy a file; its digest."""
        said, size = _copied(source, self._into / name)
        self._count(name, said, size)
        return said

    def _database(self, source: Path) -> None:
        """Copy a SQLite file as it is at one moment, whoever writes to it."""
        target = self._into / source.name
        with (
            contextlib.closing(sqlite3.connect(source, timeout=30)) as live,
            contextlib.closing(sqlite3.connect(target)) as copy,
        ):
            live.backup(copy)
            copy.execute("pragma journal_mode = delete")  # one file, without a log beside it
        target.chmod(0o600)
        self._count(source.name, digest(target), target.stat().st_size)

    def _count(self, name: str, said: str, size: int) -> None:
        if "\n" in name or "\\" in name:
            raise BackupRefused(f"{name!r}: a name with a line break or a backslash cannot be listed; rename the file")
        self._sums[name] = said
        self._made.files += 1
        self._made.bytes += size


# --- putting one back ----------------------------------------------------------------------------------------------


def restore(source: Path, home: Path, settle: Callable[[Path], None]) -> Backup:
    """Put a backup back into an empty home; of a folder of backups, the newest. What cannot be proved whole is not.

    settle: what is done to the copy before it becomes the home. Killed before the end it leaves the folder `restoring`
    in the home, and the next try begins anew. Raises BackupRefused.
    """
    folder = source if (source / SUMS).is_file() else next(reversed(backups(source)), None)
    if folder is None:
        raise BackupRefused(f"{source}: there is no backup in it (a folder with {SUMS})")
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    copy = home / "restoring"
    shutil.rmtree(copy, ignore_errors=True)
    if there := sorted(path.name for path in home.iterdir() if path.name != "lost+found"):
        raise BackupRefused(
            f"{home} is not empty (it holds {', '.join(there[:5])}); restore into an empty home, with --home"
        )
    copy.mkdir(mode=0o700)
    try:
        put = _put_back(folder, copy)
        settle(copy)
        os.sync()
        for path in sorted(copy.iterdir(), key=lambda path: path.name == "archive"):  # the archive last
            path.rename(home / path.name)
        sync(home)
        return put
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def _put_back(folder: Path, into: Path) -> Backup:
    put = Backup(folder)
    loads = set()
    for name, said in _sums_of(folder).items():
        parts = PurePosixPath(name).parts
        if name.startswith("/") or ".." in parts:
            raise BackupRefused(f"{folder / SUMS} names {name}, which lies outside; this is no backup of Outlay's")
        try:
            found, size = _copied(folder / name, into / name)
        except FileNotFoundError as error:
            raise BackupRefused(f"{folder} lacks {name}; nothing was restored, try an older backup") from error
        if found != said:
            raise BackupRefused(
                f"{folder / name} is not what it was when it was copied; nothing was restored, try an older backup"
            )
        put.files += 1
        put.bytes += size
        if parts[0] == "archive":
            loads.add(parts[1])
    put.loads = len(loads)
    return put


def _sums_of(folder: Path) -> dict[str, str]:
    """What each file of a backup is said to be, by its name."""
    lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    return {name: said for said, _, name in (line.partition("  ") for line in lines)}


def _copied(source: Path, target: Path) -> tuple[str, int]:
    """Copy a file for its owner's eyes only; its SHA-256 and its size as it was read."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    seen, size = hashlib.sha256(), 0
    with (
        source.open("rb") as read,
        os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out,
    ):
        while block := read.read(_BLOCK_BYTES):
            seen.update(block)
            out.write(block)
            size += len(block)
    return seen.hexdigest(), size
