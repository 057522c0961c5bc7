"""Bytes into numbered records: decompression, and the layouts in which records lie in a file.

Nothing here knows what a record means. A chunk holds some 24 MB of text, whatever the size of the input.
"""

import codecs
import contextlib
import gzip
import io
import json
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import zstandard

from ingest import tables
from ingest.chunk import CHUNK_BYTES, HEAD_BYTES, LONGEST_LINE, Bytes, Chunk, Unreadable

SUFFIXES = (".jsonl", ".ndjson", ".json", ".log", ".txt", ".csv", ".tsv", ".parquet", ".gz", ".zst", ".zip")


def members(stream: io.BufferedReader, name: str) -> Iterator[tuple[str, Bytes]]:
    """The logs inside an input, as (name, stream of plain bytes): one, or one for each file of a zip archive.

    Compression is told by content, never by the file's name.
    """
    magic = stream.peek(4)[:4]
    if magic == b"PK\x03\x04":
        with contextlib.ExitStack() as stack:
            seekable: Any = stream
            if not stream.seekable():  # its table of contents is at its end; a nameless file goes away by itself
                seekable = stack.enter_context(tempfile.TemporaryFile())
                shutil.copyfileobj(stream, seekable)
            try:
                archive = stack.enter_context(zipfile.ZipFile(seekable))
            except zipfile.BadZipFile as error:
                raise Unreadable(f"{name}: the zip archive is damaged or cut short ({error}); send it again") from error
            for member in archive.infolist():
                if not member.is_dir() and not Path(member.filename).name.startswith("."):
                    with archive.open(member) as inner:
                        yield from members(io.BufferedReader(cast(Any, inner)), f"{name}/{member.filename}")
    elif magic[:2] == b"\x1f\x8b":
        yield name, gzip.GzipFile(fileobj=stream)
    elif magic == b"\x28\xb5\x2f\xfd":
        unpacked = zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True)
        yield name, io.BufferedReader(cast(Any, unpacked))
    else:
        yield name, stream


def chunks(stream: Bytes, name: str, seen: Callable[[bytes], None]) -> Iterator[Chunk]:
    """The records of one log. `seen` is handed every block of plain bytes as it is read.

    Raises `Unreadable` for input that is no text at all.
    """
    source = _Blocks(stream, name, seen)
    head = source.head()
    if tables.is_parquet(head):
        yield from tables.parquet_rows(stream, iter(source), name)
        return
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable(f"{name}: UTF-16 text; save it as UTF-8 and load it again")
    if b"\x00" in head:
        raise Unreadable(f"{name}: not text (it holds NUL bytes); Outlay reads JSON, CSV and plain log lines")
    if tables.is_csv(head):
        yield from tables.csv_rows(iter(source))
    elif _is_json_document(head):
        yield from _json_values(source)
    else:
        yield from _text_lines(source)


def read_block(stream: Bytes, name: str, size: int) -> bytes:
    """The next bytes of a log; none at its end. Raises `Unreadable` where the compressed data is damaged."""
    try:
        return stream.read(size)
    except (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError, zipfile.BadZipFile) as error:
        raise Unreadable(
            f"{name}: the compressed data is damaged or cut short ({error}); nothing of it was loaded, send it again"
        ) from error


class _Blocks:
    """A stream read in large blocks, whose first bytes can be looked at beforehand."""

    def __init__(self, stream: Bytes, name: str, seen: Callable[[bytes], None]) -> None:
        self._stream, self._name, self._seen = stream, name, seen
        self._first: bytes | None = None

    def head(self) -> bytes:
        self._first = self._read(HEAD_BYTES).removeprefix(b"\xef\xbb\xbf")
        return self._first

    def __iter__(self) -> Iterator[bytes]:
        block = (self._first or b"") + self._read(CHUNK_BYTES)
        while block:
            yield block
            block = self._read(CHUNK_BYTES)

    def _read(self, size: int) -> bytes:
        block = read_block(self._stream, self._name, size)
        self._seen(block)
        return block


# --- lines ---------------------------------------------------------------------------------------------------------


def _text_lines(source: _Blocks) -> Iterator[Chunk]:
    """One record a line. Blank lines are counted as lines and hold nothing."""
    rest, line, skipping = b"", 0, False
    blocks = iter(source)
    block = next(blocks, None)
    while block is not None:
        following = next(blocks, None)
        if skipping:
            skipping = (newline := block.find(b"\n")) < 0
            block = b"" if skipping else block[newline + 1 :]
        data = rest + block
        if following is None and data and not data.endswith(b"\n"):
            data += b"\n"
        end = data.rfind(b"\n") + 1
        rest = data[end:]
        chunk = _split(data[:end], line)
        line = chunk.last_line
        too_long: tuple[int, ...] = ()
        if len(rest) > LONGEST_LINE:
            rest, skipping, line, too_long = b"", True, line + 1, (line + 1,)
        yield Chunk(chunk.lines, chunk.texts, line, too_long)
        block = following


def _split(data: bytes, before: int) -> Chunk:
    """Whole lines of UTF-8 as an Arrow array over the very same bytes; `before` lines came before them."""
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            data = data.decode(errors="replace").encode()
    newlines = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == 10)
    offsets = np.zeros(len(newlines) + 1, dtype=np.int32)
    offsets[1:] = newlines + 1
    texts = pa.StringArray.from_buffers(len(newlines), pa.py_buffer(offsets), pa.py_buffer(data))
    last = before + len(newlines)
    return Chunk(pa.arange(before + 1, last + 1), texts, last)


# --- JSON documents ------------------------------------------------------------------------------------------------

_SPACE = re.compile(r"[\s,\[\]]*")


def _is_json_document(head: bytes) -> bool:
    """Is this JSON laid out over several lines, in an array, or without line breaks between its objects?"""
    text = head.lstrip()
    if text.startswith(b"["):
        return bool(re.match(rb"\[\s*[\[{\]]", text))
    if not text.startswith(b"{"):
        return False
    first, newline, _ = text.partition(b"\n")
    try:
        json.loads(first)
        return False
    except ValueError as error:
        if "Extra data" in str(error):
            return True
    # A first line that is merely broken is a line all the same; one that goes on below ends in an opening or a comma.
    return bool(newline) and first.rstrip().endswith((b"{", b",", b"["))


def _json_values(source: _Blocks) -> Iterator[Chunk]:
    """Objects one after the other, however they are laid out. What is no object is passed on as lines of text."""
    decode, buffer, line = json.JSONDecoder().raw_decode, "", 1
    lines: list[int] = []
    texts: list[str] = []
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    blocks = iter(source)
    done = False
    while not done:
        block = next(blocks, None)
        done = block is None
        buffer += decoder.decode(block or b"", final=done)
        at = 0
        while True:
            space = _SPACE.match(buffer, at)
            assert space is not None
            line += buffer.count("\n", at, space.end())
            at = space.end()
            if at >= len(buffer):
                break
            try:
                if buffer[at] != "{":
                    raise ValueError("no object")
                _, end = decode(buffer, at)
            except (ValueError, RecursionError):
                newline = buffer.find("\n", at)
                if not done and (newline < 0 or buffer[at] == "{") and len(buffer) - at < LONGEST_LINE:
                    break
                end = newline if newline >= 0 else len(buffer)
            lines.append(line)
            texts.append(buffer[at:end])
            line += buffer.count("\n", at, end)
            at = end
        buffer = buffer[at:]
        yield Chunk(pa.array(lines, pa.int64()), pa.array(texts, pa.string()), line)
        lines, texts = [], []
