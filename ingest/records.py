"""Plain bytes into numbered records: the layouts in which records lie in a file.

Nothing here knows what a record means. A chunk holds some 24 MB of text, whatever the size of the input.
"""

import codecs
import json
import re
from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa

from ingest import tables
from ingest.chunk import CHUNK_BYTES, HEAD_BYTES, LONGEST_LINE, Bytes, Chunk, Unreadable

FIRST_BLOCK_BYTES = 6 << 20  # blocks grow twofold up to a chunk: what is a bomb shows early, before much is in memory
MOST_LINES = 100_000  # in a chunk; where lines are so short that there would be more, they come in pieces
PIECE_LINES = 20_000

SUFFIXES = (".jsonl", ".ndjson", ".json", ".log", ".txt", ".csv", ".tsv", ".parquet", ".gz", ".zst", ".zip")


def chunks(stream: Bytes, name: str, seen: Callable[[bytes], None]) -> Iterator[Chunk]:
    """The records of one log. `seen` is handed every block of plain bytes as it is read.

    Raises `Unreadable` for input that is no text at all.
    """
    source = _Blocks(stream, seen)
    head = source.head()
    if tables.is_parquet(head):
        yield from tables.parquet_rows(stream, iter(source), name)
        return
    if not _is_text(head):
        raise Unreadable(f"{name}: not text (it holds NUL bytes); Outlay reads JSON, CSV and plain log lines")
    if tables.is_csv(head):
        yield from tables.csv_rows(iter(source))
    elif _is_json_document(head):
        yield from _json_values(source)
    else:
        yield from _text_lines(source)


def _is_text(head: bytes) -> bool:
    """NUL bytes among whole lines of text are damage to a log; NUL bytes in most of what is there are no log."""
    if b"\0" not in head:
        return True
    lines = [line.strip() for line in head.split(b"\n")]
    sound = sum(len(line) for line in lines if line.decode(errors="replace").isprintable())  # NUL is not
    return 3 * sound > len(head) - head.count(b"\0")


class _Blocks:
    """A stream read in large blocks of UTF-8 with `\\n` line ends, whose first bytes can be looked at beforehand."""

    def __init__(self, stream: Bytes, seen: Callable[[bytes], None]) -> None:
        self._stream, self._seen = stream, seen
        self._first = b""
        self._utf16: codecs.IncrementalDecoder | None = None
        self._ends_in_cr = False

    def head(self) -> bytes:
        first = self._stream.read(HEAD_BYTES)
        self._seen(first)
        if first.startswith((b"\xff\xfe", b"\xfe\xff")):
            self._utf16 = codecs.getincrementaldecoder("utf-16")(errors="replace")
        plain = self._plain(first).removeprefix(b"\xef\xbb\xbf")
        self._ends_in_cr = b"\r" in plain and b"\n" not in plain
        self._first = self._with_line_ends(plain)
        return self._first

    def __iter__(self) -> Iterator[bytes]:
        size = FIRST_BLOCK_BYTES
        block = self._first + self._read(size)
        while block:
            yield block
            size = min(2 * size, CHUNK_BYTES)
            block = self._read(size)

    def _read(self, size: int) -> bytes:
        block = self._stream.read(size)
        self._seen(block)
        return self._with_line_ends(self._plain(block))

    def _plain(self, block: bytes) -> bytes:
        return self._utf16.decode(block, final=not block).encode() if self._utf16 else block

    def _with_line_ends(self, block: bytes) -> bytes:
        return block.replace(b"\r", b"\n") if self._ends_in_cr else block


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
        if len(chunk.lines) > MOST_LINES:
            while len(chunk.lines) > PIECE_LINES:
                piece, chunk = _cut(chunk, PIECE_LINES)
                yield piece
        yield Chunk(chunk.lines, chunk.texts, line, too_long)
        block = following


def _cut(chunk: Chunk, at: int) -> tuple[Chunk, Chunk]:
    """The first `at` records, and the rest."""
    first = Chunk(chunk.lines[:at], chunk.texts[:at], chunk.lines[at - 1].as_py())
    return first, Chunk(chunk.lines[at:], chunk.texts[at:], chunk.last_line)


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
    except RecursionError:
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
            if len(lines) == PIECE_LINES:
                yield Chunk(pa.array(lines, pa.int64()), pa.array(texts, pa.string()), line)
                lines, texts = [], []
        buffer = buffer[at:]
        yield Chunk(pa.array(lines, pa.int64()), pa.array(texts, pa.string()), line)
        lines, texts = [], []
