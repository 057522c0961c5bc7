"""A piece of a log: some records with their numbers, and what could not be read between them."""

import io
from dataclasses import dataclass

import pyarrow as pa

Bytes = io.BufferedIOBase  # a stream of bytes, as files, sockets and unpackers are

# Blocks of less than 32 MB are handed out of memory that has been used before, larger ones are mapped anew each time.
CHUNK_BYTES = 24 << 20
LONGEST_LINE = 16 << 20
HEAD_BYTES = 256 << 10


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
