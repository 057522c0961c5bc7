"""Where lines go: a file that rotates, standard output, or Python's logging. (OTLP: see `outlay_recorder.otlp`.)

A sink is used by one thread of a process at a time, the log's own; it may raise and it may be slow.
"""

import fcntl
import json
import logging
import mmap
import os
import re
import struct
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

_NUMBER = struct.Struct("<Q")
_SEEN = re.compile(rb'"process":"([0-9a-f]{12})","seq":(\d+)')


class Tally:
    """How many lines a process was given. This one forgets, for sinks that cannot be read back."""

    def set(self, number: int) -> None:
        """So many."""

    def remove(self) -> None:
        """All of them are written: there is nothing to remember."""

    def drop(self) -> None:
        """Let go of it in a process that it does not belong to."""


class Sink(Protocol):
    """What a log writes to."""

    def send(self, lines: Sequence[bytes]) -> int:
        """Take these lines of JSON, each with its newline; how many were taken. May raise: then none was."""

    def tally(self, process: str) -> Tally:
        """A place to count the lines of a process that outlives it. Never raises."""

    def lost(self) -> Iterable[tuple[str, int, int]]:
        """The processes that ended without writing all their lines, each told once.

        With each how many are missing, and how many it had been given.
        """

    def forked(self, tally: Tally | None) -> None:
        """This is a new process now: share nothing with the parent."""


class Stream:
    """What sinks have in common that hold nothing between two batches."""

    def tally(self, process: str) -> Tally:
        """See `Sink.tally`."""
        return Tally()

    def lost(self) -> Iterable[tuple[str, int, int]]:
        """See `Sink.lost`."""
        return ()

    def forked(self, tally: Tally | None) -> None:
        """See `Sink.forked`."""


class Stdout(Stream):
    """Lines on standard output, for containers whose output is collected."""

    def send(self, lines: Sequence[bytes]) -> int:
        """See `Sink.send`."""
        sys.stdout.write(b"".join(lines).decode())
        sys.stdout.flush()
        return len(lines)


class Logging(Stream):
    """Lines as messages of a standard logger, whose handlers and level decide where they go."""

    def __init__(self, name: str = "outlay", level: int = logging.INFO) -> None:
        self._logger, self._level = logging.getLogger(name), level

    def send(self, lines: Sequence[bytes]) -> int:
        """See `Sink.send`."""
        for line in lines:
            self._logger.log(self._level, "%s", line.decode().rstrip("\n"))
        return len(lines)


class File:
    """A file of JSON lines that any number of processes may append to.

    At `max_bytes` it is renamed to `NAME.TIME.jsonl` beside it and begun anew; `keep` of these stay (None: all).
    A follower reads on in the renamed file, whose content never changes again. When something else renames or deletes
    the file, the next lines go to a new one.
    """

    def __init__(self, path: str | os.PathLike[str], max_bytes: int = 64 << 20, keep: int | None = 16) -> None:
        self._path = Path(path).absolute()
        self._max_bytes, self._keep = max_bytes, keep
        self._file: int | None = None
        self._is_torn = False
        self._renamed = re.compile(rf"{re.escape(self._path.stem)}\.\d{{8}}T\d{{12}}-\d+{re.escape(self._path.suffix)}")

    def send(self, lines: Sequence[bytes]) -> int:
        """See `Sink.send`. A line that was written in part is written again, whole, on a line of its own."""
        file = self._current(sum(map(len, lines)))
        written = os.write(file, (b"\n" if self._is_torn else b"") + b"".join(lines))
        written -= self._is_torn
        for number, line in enumerate(lines):
            if written < len(line):
                self._is_torn = written > 0
                return number
            written -= len(line)
        self._is_torn = False
        return len(lines)

    def _current(self, more: int) -> int:
        """The open file, after a look at whether the name still means it and whether it has room for `more` bytes."""
        if not self._is_named(self._file):
            self._open()
        if (size := self._size()) and size + more > self._max_bytes:
            with self._alone():
                if self._is_named(self._file) and self._size() + more > self._max_bytes:
                    self._path.rename(self._aside())
            self._open()
            self._prune()
        assert self._file is not None
        return self._file

    def _is_named(self, file: int | None) -> bool:
        with suppress(FileNotFoundError):
            return file is not None and os.path.samestat(os.fstat(file), self._path.stat())
        return False

    def _size(self) -> int:
        return os.fstat(self._file).st_size if self._file is not None else 0

    def _open(self) -> None:
        self._close()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        # Somebody was killed in mid-line, unless he is still writing it: then it is whole a moment later.
        self._is_torn = all(self._ends_in_mid_line(after) for after in (0, 0.01, 0.1))

    def _ends_in_mid_line(self, after_seconds: float) -> bool:
        time.sleep(after_seconds)
        size = self._size()
        return self._file is not None and size > 0 and os.pread(self._file, 1, size - 1) != b"\n"

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _aside(self) -> Path:
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        return self._path.with_name(f"{self._path.stem}.{moment}-{os.getpid()}{self._path.suffix}")

    def _prune(self) -> None:
        renamed = sorted(path for path in self._family() if path != self._path)
        for path in renamed[: len(renamed) - self._keep] if self._keep is not None else ():
            path.unlink(missing_ok=True)

    def _family(self) -> list[Path]:
        """The file and what was renamed of it."""
        beside = [path for path in self._path.parent.iterdir() if self._renamed.fullmatch(path.name)]
        return [*beside, self._path] if self._path.exists() else beside

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process renames meanwhile."""
        lock = os.open(self._path.with_name(f".{self._path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def tally(self, process: str) -> Tally:
        """See `Sink.tally`."""
        try:
            return _MappedTally(self._path.with_name(f".{self._path.name}.{process}.tally"))
        except OSError:
            return Tally()

    def lost(self) -> Iterable[tuple[str, int, int]]:
        """See `Sink.lost`. Files that were deleted meanwhile are missing too, and counted so."""
        for path in sorted(self._path.parent.glob(f".{self._path.name}.*.tally")):
            with suppress(OSError, struct.error), path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # a living process holds it
                if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                    process = path.name.split(".")[-2]
                    given = _NUMBER.unpack(file.read(_NUMBER.size))[0]
                    missing = given - self._accounted(process)
                    path.unlink()
                    if missing > 0:
                        yield process, missing, given

    def _accounted(self, process: str) -> int:
        """The lines of a process that are in the log, or of which the log says that they are not."""
        seen, reported = set(), 0
        for path in self._family():
            with path.open("rb") as file:
                for line in file:
                    if (mark := _SEEN.search(line)) and mark[1].decode() == process and line.endswith(b"}\n"):
                        seen.add(int(mark[2]))
                        if b'"kind":"drops"' in line:
                            said = json.loads(line)
                            reported += said["dropped"] if said["reason"] == "queue_full" else 0
        return len(seen) + reported

    def forked(self, tally: Tally | None) -> None:
        """See `Sink.forked`."""
        if tally is not None:
            tally.drop()
        self._close()
        self._is_torn = False


class _MappedTally(Tally):
    """Eight bytes of a file in memory: what is set here is in the file when the process is killed the moment after.

    The process holds a lock on the file for as long as it lives.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._file = path, os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        os.write(self._file, bytes(_NUMBER.size))
        self._map = mmap.mmap(self._file, _NUMBER.size)

    def set(self, number: int) -> None:
        """See `Tally.set`."""
        _NUMBER.pack_into(self._map, 0, number)

    def remove(self) -> None:
        """See `Tally.remove`."""
        self._path.unlink(missing_ok=True)

    def drop(self) -> None:
        """See `Tally.drop`."""
        self._map.close()
        os.close(self._file)
