"""One log file that is still being written: what has been added to it, whatever rotates it.

A file is known by device, inode and the digest of its first bytes. Renamed files are read to their end before the new
one; a file that was cut to nothing is read from its beginning, and so is what its copy holds beyond our position. Only
whole lines are taken, until a renamed file has been quiet for a while: its last line then ends where it ends.
"""

import hashlib
import io
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ingest.chunk import LONGEST_LINE, Unreadable
from ingest.load import Loader, Outcome
from ingest.pace import Pace
from ingest.positions import Position, Positions
from ingest.reader import TwoFormats
from ingest.tables import is_csv

HEAD_BYTES = 1024
CSV_HEAD_BYTES = 64 << 10  # of a file, to tell whether it is a CSV
PIECE_BYTES = 64 << 20  # landed at once, however much is waiting
QUIET_SECONDS = 30.0  # a renamed file may still be written to: its writer is told later than its name is changed

_COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"BZh", b"\xfd7zXZ")


class Tail:
    """Follows one path. `poll` lands what has been added since."""

    def __init__(self, path: Path, loader: Loader, positions: Positions, say: Callable[[str], None]) -> None:
        """Goes on where it stood when the path was last followed, otherwise from the file's beginning."""
        self._path, self._loader, self._positions, self._say = path, loader, positions, say
        self._pace = Pace()
        self._files: list[_Open] = []  # the last one is what the path leads to; those before it were renamed
        self._resume()

    def poll(self, is_last: bool = False) -> Iterator[Outcome]:
        """Land what has been added, if it is time to; all of it if this `is_last`."""
        self._notice_rotation()
        waiting = sum(file.waiting() for file in self._files)
        if waiting and (is_last or waiting >= PIECE_BYTES or self._pace.is_due()):
            for file in self._files:
                yield from self._land(file)
        for file in [file for file in self._files[:-1] if file.is_over()]:
            yield from self._land(file, to_its_end=True)
            self._positions.forget_tail(self._path, file.position)
            file.close()
            self._files.remove(file)

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files:
            file.close()

    def _land(self, file: "_Open", to_its_end: bool = False) -> Iterator[Outcome]:
        while end := file.end_of_lines(to_its_end):
            position = file.position
            header = file.header()
            first = position.lines + 1 - bool(header)  # a header stands where the line before was
            name = self._path.name if not position.lines else f"{self._path.name} from line {first:,}"
            try:
                outcomes = list(self._loader.load_stream(io.BufferedReader(_Slice(file, end, header)), name))
            except (Unreadable, TwoFormats) as error:
                outcomes = [self._loader.refuse(name, str(error), f"{position.inode} {position.offset} {end}")]
            lines = file.count_lines(end)
            file.advance(end, lines)
            self._positions.write_tail(self._path, file.position)
            self._pace.landed()
            yield from outcomes

    def _resume(self) -> None:
        known = self._positions.of_tail(self._path)
        current = _Open.at(self._path)
        for position in known:
            if current and current.is_at(position):
                self._positions.forget_tail(self._path, position)
                current.take_over(position)
                self._positions.write_tail(self._path, current.position)
                continue
            if found := self._elsewhere(position):
                self._files.append(found)
            else:
                self._say(
                    f"{self._path}: the file that was being read is gone. What it held after byte {position.offset:,} "
                    "was not read; if it is kept elsewhere, compressed say, load that with `outlay ingest`: nothing is "
                    "counted twice"
                )
                self._positions.forget_tail(self._path, position)
        if known:
            self._files += self._rotated_since(max(position.modified_ns for position in known), current)
        if current:
            self._files.append(current)

    def _notice_rotation(self) -> None:
        """Where does the path lead now? And has what it leads to been cut?"""
        current = self._files[-1] if self._files else None
        if current and not current.is_at(current.position):
            if copy := self._elsewhere(current.position, but_not=current):
                self._files.insert(-1, copy)
                self._positions.write_tail(self._path, copy.position)
            current.position = Position(current.position.device, current.position.inode)
            self._positions.write_tail(self._path, current.position)
        new = _Open.at(self._path)
        if new and current and new.identity == current.identity:
            new.close()
        elif new:
            if current:
                current.watch_for_quiet()
                self._files += self._rotated_since(current.modified_ns(), new)
            self._positions.write_tail(self._path, new.position)
            self._files.append(new)

    def _siblings(self) -> Iterator[Path]:
        folder = self._path.parent
        return (path for path in sorted(folder.iterdir()) if path != self._path and path.is_file())

    def _elsewhere(self, position: Position, but_not: "_Open | None" = None) -> "_Open | None":
        """The file at this position under the name that rotation gave it, or its copy."""
        for path in self._siblings():
            file = _Open.at(path)
            if file is None:
                continue
            is_it = file.identity == (position.device, position.inode) or (
                position.head_bytes > 0 and path.name.startswith(self._path.name)
            )
            if is_it and file.is_at(position) and not (but_not and file.identity == but_not.identity):
                file.take_over(position)
                return file
            file.close()
        return None

    def _rotated_since(self, modified_ns: int, current: "_Open | None") -> "list[_Open]":
        """Files that came and were renamed while nobody was looking, the oldest first."""
        taken = {file.identity for file in [*self._files, *([current] if current else [])]}
        found = []
        for path in self._siblings():
            if not path.name.startswith(self._path.name) or path.stat().st_mtime_ns <= modified_ns:
                continue
            file = _Open.at(path)
            if file is None or file.identity in taken:
                continue
            if file.is_compressed():
                self._say(f"{path}: compressed, so not followed; load it with `outlay ingest {path}`")
                file.close()
                continue
            found.append(file)
        return sorted(found, key=lambda file: file.modified_ns())


class _Open:
    """A file held open, so that no renaming takes it away, and how far it has been read."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        stat = os.fstat(descriptor)
        self.identity = (stat.st_dev, stat.st_ino)
        self.position = Position(stat.st_dev, stat.st_ino)
        self._size, self._changed_at = stat.st_size, time.monotonic()

    @classmethod
    def at(cls, path: Path) -> "_Open | None":
        try:
            return cls(os.open(path, os.O_RDONLY))
        except OSError:  # not there just now, or not for us
            return None

    def close(self) -> None:
        os.close(self.descriptor)

    def take_over(self, position: Position) -> None:
        """Go on where this position stands, in whatever file it was written down for."""
        self.position = replace(position, device=self.identity[0], inode=self.identity[1])

    def watch_for_quiet(self) -> None:
        """From now on it counts how long nothing has been added."""
        self._changed_at = time.monotonic()

    def waiting(self) -> int:
        """Bytes not yet read."""
        return max(0, os.fstat(self.descriptor).st_size - self.position.offset)

    def modified_ns(self) -> int:
        return os.fstat(self.descriptor).st_mtime_ns

    def is_compressed(self) -> bool:
        return os.pread(self.descriptor, 8, 0).startswith(_COMPRESSED)

    def is_at(self, position: Position) -> bool:
        """Is this the file that was read up to `position`? It has to begin alike and to reach so far."""
        if position.offset == 0:
            return self.identity == (position.device, position.inode)
        return os.fstat(self.descriptor).st_size >= position.offset and self._head(position.head_bytes) == position.head

    def is_over(self) -> bool:
        """Has nothing been added for so long that nothing will be?"""
        size = os.fstat(self.descriptor).st_size
        if size != self._size:
            self._size, self._changed_at = size, time.monotonic()
        return time.monotonic() - self._changed_at >= QUIET_SECONDS

    def end_of_lines(self, to_its_end: bool) -> int | None:
        """Where the next piece ends: behind the last whole line; None if there is none."""
        start = self.position.offset
        size = os.fstat(self.descriptor).st_size
        end = min(size, start + PIECE_BYTES)
        if end == start or (to_its_end and end == size):
            return end if end > start else None
        at = end
        while at > start:
            block = os.pread(self.descriptor, min(at - start, 1 << 16), max(start, at - (1 << 16)))
            at -= len(block)
            if (newline := block.rfind(b"\n")) >= 0:
                return at + newline + 1
        return end if end - start > LONGEST_LINE else None  # no line at all: the reader refuses it as too long

    def header(self) -> bytes:
        """The first line of a CSV that has been read in part, without which its rows say nothing; else nothing."""
        if not self.position.offset:
            return b""
        head = os.pread(self.descriptor, CSV_HEAD_BYTES, 0)
        return head[: head.find(b"\n") + 1] if is_csv(head) else b""

    def count_lines(self, end: int) -> int:
        """Lines from the position to `end`."""
        lines, at = 0, self.position.offset
        while at < end and (block := os.pread(self.descriptor, min(end - at, 1 << 20), at)):
            lines, at = lines + block.count(b"\n"), at + len(block)
        return lines

    def advance(self, end: int, lines: int) -> None:
        """All up to `end` has landed."""
        here = self.position
        head_bytes = min(end, HEAD_BYTES)
        self.position = Position(
            here.device, here.inode, head_bytes, self._head(head_bytes), end, here.lines + lines, self.modified_ns()
        )

    def _head(self, size: int) -> str:
        return hashlib.sha256(os.pread(self.descriptor, size, 0)).hexdigest()


class _Slice(io.RawIOBase):
    """The bytes of a file from its position to `end`, below its header if it has one, as a stream that is read once."""

    def __init__(self, file: _Open, end: int, header: bytes) -> None:
        self._descriptor, self._at, self._end = file.descriptor, file.position.offset, end
        self._header = header

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any, /) -> int:
        if header := self._header[: len(into)]:
            into[: len(header)], self._header = header, self._header[len(header) :]
            return len(header)
        read = os.preadv(self._descriptor, [memoryview(into)[: self._end - self._at]], self._at)
        self._at += read
        return read
