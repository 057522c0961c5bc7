"""Compressed inputs into streams of plain bytes: gzip, zstd and zip, in one another, told by content.

What an input unpacks to is read as it is unpacked, never held. Data that is damaged or cut short ends where it can no
longer be read: what came before is in, and `Unpacking` says what is missing.
"""

import contextlib
import gzip
import io
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import zstandard
from stream_unzip import UnzipError, stream_unzip

from ingest.chunk import Blocks, Bytes, Unreadable

DEEPEST = 3  # layers of compression around a log: a .gz in a .zip is two
MOST_MEMBERS = 10_000
LARGEST_DIRECTORY = 8 << 20  # bytes of a zip archive's table of contents; a hundred for each member are plenty
STEP = 1 << 10  # bytes handed to zstd at a time: it makes at most some 32 MB of them

_DAMAGE = (EOFError, OSError, zlib.error, zstandard.ZstdError, zipfile.BadZipFile, UnzipError)


@dataclass(frozen=True)
class Limits:
    """When an input is no log but a bomb. Logs unpack to 5 to 80 times their size; gzip can reach 1,030, zstd 32,000.

    A log may repeat itself more than that, so past `free_bytes` each of its records vouches for a megabyte. Refused
    records cost time rather than bytes, so past `free_records` it is the same.
    """

    ratio: int = 250
    free_bytes: int = 16 << 20
    free_records: int = 30_000
    bytes_out: int = 1 << 40


@dataclass
class Unpacking:
    """How the unpacking of one input goes: bytes taken in, plain bytes given out, and what is wrong with this log."""

    limits: Limits = Limits()
    taken: int = 0
    given: int = 0
    damage: str | None = None

    def why_a_bomb(self, records: int, others: int = 0) -> str | None:
        """Why reading on would serve nobody, after so many records and others of no use; None while all is well."""
        if self.given > self.limits.bytes_out:
            return f"it unpacks to more than {self.limits.bytes_out:,} bytes"
        is_free = self.given <= self.limits.free_bytes and others <= self.limits.free_records
        if not is_free and self.given > max(self.limits.ratio * self.taken, records << 20):
            return f"it unpacks to more than {self.limits.ratio} times its size and holds next to no records"
        return None


def members(stream: io.BufferedReader, name: str, unpacking: Unpacking) -> Iterator[tuple[str, Bytes | Unreadable]]:
    """The logs inside an input, as (name, stream of plain bytes): one, or one for each file of a zip archive.

    A member that cannot be read comes as the reason why, and the next one follows. Names are labels, never paths.
    """
    yield from _members(stream, name, unpacking, 0)


def _members(
    stream: io.BufferedReader, name: str, unpacking: Unpacking, depth: int
) -> Iterator[tuple[str, Bytes | Unreadable]]:
    magic = stream.peek(4)[:4]
    is_zip, is_gzip, is_zstd = magic == b"PK\x03\x04", magic[:2] == b"\x1f\x8b", magic == b"\x28\xb5\x2f\xfd"
    if not (is_zip or is_gzip or is_zstd):
        yield name, stream
    elif depth >= DEEPEST:
        yield name, Unreadable(f"{name}: packed more than {DEEPEST} times over; unpack it and load what lies inside")
    elif is_zip:
        yield from _files(stream, name, unpacking, depth)
    else:
        source = cast(Any, stream if depth else _Counted(stream, unpacking))
        unpacked = _Unpacked(gzip.GzipFile(fileobj=source) if is_gzip else _Zstd(source), name, unpacking)
        yield from _members(io.BufferedReader(unpacked, 1 << 20), name, unpacking, depth + 1)


def _files(
    stream: io.BufferedReader, name: str, unpacking: Unpacking, depth: int
) -> Iterator[tuple[str, Bytes | Unreadable]]:
    with contextlib.ExitStack() as stack:
        seekable: Any = stream
        if depth or not stream.seekable():  # its table of contents is at its end; a nameless file goes away by itself
            seekable = stack.enter_context(tempfile.TemporaryFile())
            while block := stream.read(1 << 20):
                seekable.write(block)
                if depth and (why := unpacking.why_a_bomb(0)):
                    yield name, Unreadable(f"{name}: {why}: it looks like a decompression bomb")
                    return
        if _directory_bytes(seekable) > LARGEST_DIRECTORY:
            yield (
                name,
                Unreadable(f"{name}: the zip archive's table of contents is too large; pack fewer files into one"),
            )
            return
        try:
            archive = stack.enter_context(zipfile.ZipFile(_Counted(seekable, unpacking)))
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            seekable.seek(0)
            yield from _files_one_by_one(_Counted(seekable, unpacking), name, unpacking, depth)
            yield (
                name,
                Unreadable(
                    f"{name}: the zip archive is damaged or cut short ({error}); "
                    "what could be read of it is in: send it again"
                ),
            )
            return
        files = [file for file in archive.infolist() if not _is_beside(file.filename)]
        if len(files) > MOST_MEMBERS:
            yield name, _too_many(name)
            return
        for file in files:
            label = f"{name}/{_label(file.filename)}"
            if stat.S_ISLNK(file.external_attr >> 16):
                yield label, Unreadable(f"{label}: a link, which is not followed; load the file that it points to")
            elif file.flag_bits & 1:
                yield label, Unreadable(f"{label}: encrypted; unpack it with its password and load what lies inside")
            else:
                unpacking.damage = None
                try:
                    inner = stack.enter_context(archive.open(file))
                except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError) as error:
                    yield label, Unreadable(f"{label}: cannot be unpacked ({error}); pack it again, or load it plain")
                    continue
                unpacked = _Unpacked(inner, label, unpacking)
                yield from _members(io.BufferedReader(unpacked, 1 << 20), label, unpacking, depth + 1)


def _files_one_by_one(
    file: io.RawIOBase, name: str, unpacking: Unpacking, depth: int
) -> Iterator[tuple[str, Bytes | Unreadable]]:
    """The files of an archive without a table of contents, told by the header before each, to where it breaks off."""
    packed = iter(lambda: file.read(1 << 16), b"")
    with contextlib.suppress(UnzipError):  # of a file that it breaks off in, its stream has told
        for number, (raw_name, _, blocks) in enumerate(stream_unzip(packed)):
            filename = raw_name.decode(errors="replace")
            label = f"{name}/{_label(filename)}"
            unpacking.damage = None
            if number == MOST_MEMBERS:
                yield name, _too_many(name)
                return
            if not _is_beside(filename):
                unpacked = _Unpacked(io.BufferedReader(Blocks(blocks)), label, unpacking)
                yield from _members(io.BufferedReader(unpacked, 1 << 20), label, unpacking, depth + 1)
            for block in blocks:  # those that nobody wanted
                unpacking.given += len(block)
                if unpacking.why_a_bomb(0):
                    return


def _too_many(name: str) -> Unreadable:
    return Unreadable(f"{name}: the zip archive holds more than {MOST_MEMBERS:,} files; pack fewer files at a time")


def _is_beside(filename: str) -> bool:
    """Folders, and what operating systems put beside the files."""
    path = filename.replace("\\", "/")
    return path.endswith("/") or path.rpartition("/")[2].startswith(".")


def _label(name: str) -> str:
    """The name of a file in an archive, for people to read: nothing that leads elsewhere or cannot be printed."""
    parts = name.replace("\\", "/").split("/")
    label = "/".join(part for part in parts if part not in ("", ".", ".."))
    return "".join(char if char.isprintable() else "?" for char in label)[:120]


def _directory_bytes(file: Any) -> int:
    """The size of a zip archive's table of contents, as the end of the file gives it (APPNOTE.TXT 4.3.14, 4.3.16)."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - (1 << 16) - 120))
    tail = file.read()
    file.seek(0)
    sizes = [0]
    if (at := tail.rfind(b"PK\x05\x06")) >= 0 and len(tail) >= at + 16:
        [size_here] = struct.unpack_from("<I", tail, at + 12)
        sizes.append(0 if size_here == 0xFFFFFFFF else size_here)
    if (at := tail.rfind(b"PK\x06\x06")) >= 0 and len(tail) >= at + 48:
        sizes += struct.unpack_from("<Q", tail, at + 40)
    return max(sizes)


class _Counted(io.RawIOBase):
    """A file whose bytes are counted as they are taken in."""

    def __init__(self, file: Any, unpacking: Unpacking) -> None:
        self._file, self._unpacking = file, unpacking

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._file.seekable())

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def readinto(self, into: Any, /) -> int:
        count = int(self._file.readinto(into))
        self._unpacking.taken += count
        return count


class _Unpacked(io.RawIOBase):
    """The plain bytes of a decompressor, up to where it can no longer go on."""

    def __init__(self, unpacker: Any, name: str, unpacking: Unpacking) -> None:
        self._unpacker, self._name, self._unpacking = unpacker, name, unpacking

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._unpacker.seekable())

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self._unpacking.damage = None
        return int(self._unpacker.seek(offset, whence))

    def tell(self) -> int:
        return int(self._unpacker.tell())

    def readinto(self, into: Any, /) -> int:
        try:
            block = self._unpacker.read1(len(into))
        except _DAMAGE as error:
            if isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile):
                raise  # the disk, not the data
            self._unpacking.damage = (
                f"{self._name}: the compressed data is damaged or cut short ({error}); "
                "what came before is in: send the whole file again"
            )
            return 0
        into[: len(block)] = block
        self._unpacking.given += len(block)
        return len(block)


class _Zstd:
    """zstd frames one after the other, read as a file. Raises EOFError where the last frame is cut short."""

    def __init__(self, source: Any) -> None:
        self._source = source
        self._rewound()

    def _rewound(self) -> None:
        self._frame: Any = None
        self._packed, self._plain, self._at = b"", memoryview(b""), 0

    def seekable(self) -> bool:
        return bool(self._source.seekable())

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int) -> int:
        """Back to the start, and on to `offset`."""
        self._source.seek(0)
        self._rewound()
        while self._at < offset and self.read1(min(1 << 20, offset - self._at)):
            pass
        return self._at

    def read1(self, size: int) -> memoryview:
        """Some plain bytes, at most `size`; none at the end."""
        while not self._plain:
            packed = self._packed or self._source.read(STEP)
            if not packed:
                if self._frame is not None:
                    raise EOFError("the last frame has no end")
                break
            if self._frame is None:
                self._frame = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
            self._plain = memoryview(self._frame.decompress(packed))
            self._packed = self._frame.unused_data if self._frame.eof else b""
            if self._frame.eof:
                self._frame = None
        plain, self._plain = self._plain[:size], self._plain[size:]
        self._at += len(plain)
        return plain
