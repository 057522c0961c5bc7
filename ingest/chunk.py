"""A piece of a log, as bytes, and as records with their numbers and what could not be read between them."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

Bytes = io.BufferedIOBase  # a stream of bytes, as files, sockets and unpackers are

# Blocks of less than 32 MB are handed out of memory that has been used before, larger ones are mapped anew each time.
CHUNK_BYTES = 24 << 20
LONGEST_LINE = 16 << 20
HEAD_BYTES = 256 << 10


class Blocks(io.RawIOBase):
    """Blocks of bytes as a file, for the readers of the standard library."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        """Nothing is read before it is asked for."""
        self._blocks, self._rest = blocks, memoryview(b"")

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, into: Any, /) -> int:
        """Some bytes of one block."""
        block = self._rest or memoryview(next(self._blocks, b""))
        taken = block[: len(into)]
        into[: len(taken)] = taken
        self._rest = block[len(taken) :]
        return len(taken)


class Unreadable(Exception):
    """An input that cannot be read at all. The message says what, why and what to do next."""


@dataclass(frozen=True)
class Chunk:
    """Consecutive records: `lines` (int64, first line of each record), `texts` (string), and what could not be read."""

    lines: pa.Array
    texts: pa.Array
    last_line: int
    too_long: tuple[int, ...] = ()
    broken: tuple[tuple[int, str], ...] = ()  # lines that are no record, each with the reason
