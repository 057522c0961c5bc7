"""Tables into records: every row of a CSV or Parquet file becomes a JSON object keyed by its column names.

An empty cell is null. What a cell means is left to the formats: JSON inside a cell stays text. Nothing is rounded on
the way: decimals, timestamps, maps, lists and structs of Parquet keep what they say.
"""

import contextlib
import csv
import io
import json
import re
import tempfile
from collections.abc import Iterator
from typing import IO, cast

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ingest.chunk import CHUNK_BYTES, LONGEST_LINE, Blocks, Bytes, Chunk, Unreadable

MOST_ROWS = 20_000  # in a chunk, however short they are
MOST_BYTES = CHUNK_BYTES // 3  # in a chunk of rows, which lie in memory more than once
LONGEST_CELL = LONGEST_LINE // 2  # of a CSV: its reader takes four bytes for each letter

_DELIMITERS = ",;\t"
_COLUMN_NAME = re.compile(r'[A-Za-z_@$][^{}="\r\n]{0,63}')
_TELLS_OF_CALLS = {"input_tokens", "output_tokens", "prompt_tokens"}


# --- CSV -----------------------------------------------------------------------------------------------------------


def is_csv(head: bytes) -> bool:
    """Does a log begin with a header row: a model and a token count, or three names above as many cells?"""
    text = head.decode(errors="replace").lstrip("\ufeff")
    first = text.partition("\n")[0]
    if text.lstrip().startswith(("{", "[")) or "{" in first:
        return False
    try:
        rows = csv.reader(io.StringIO(text, newline="\n"), delimiter=_delimiter(first))
        names = [name.strip() for name in next(rows)]
        below = next((row for row in rows if any(row)), None)
    except (csv.Error, StopIteration):
        return False
    words = {name.lower() for name in names}
    if "model" in words and words & _TELLS_OF_CALLS:
        return True
    is_header = len(names) >= 3 and len(words) == len(names) and all(map(_COLUMN_NAME.fullmatch, names))
    return is_header and below is not None and len(below) == len(names)


def csv_rows(blocks: Iterator[bytes]) -> Iterator[Chunk]:
    """The rows of a CSV, each at its first line; a row of more or fewer cells than the header is broken.

    A header in capitals is the same header where it names a model and a token count.
    """
    # The standard library's reader knows at which line a row begins; those of DuckDB and Arrow do not tell.
    csv.field_size_limit(LONGEST_CELL)
    raw = io.BufferedReader(Blocks(blocks), 1 << 16)
    delimiter = _delimiter(raw.peek().partition(b"\n")[0].decode(errors="replace"))
    source = _Lines(raw)
    rows = csv.reader(source, delimiter=delimiter)
    names = [name.strip() for name in next(rows)]
    lowered = [name.lower() for name in names]
    if "model" not in names and "model" in lowered and _TELLS_OF_CALLS.intersection(lowered):
        names = lowered
    lines: list[int] = []
    texts: list[str] = []
    broken: list[tuple[int, str]] = []
    size = 0
    while True:
        source.skip_blank_lines()
        line = source.number + 1
        try:
            row = next(rows)
        except StopIteration:
            break
        except csv.Error as error:
            row = []
            broken.append((line, f"a row that is no CSV ({error})"))
        if len(row) == len(names):
            lines.append(line)
            texts.append(json.dumps({name: cell or None for name, cell in zip(names, row, strict=True)}))
            size += len(texts[-1])
        elif any(row):
            broken.append((line, f"a row of {len(row)} cells below a header of {len(names)}"))
        is_full = size >= MOST_BYTES or len(lines) + len(broken) >= MOST_ROWS
        if is_full or source.too_long or source.unpacked >= CHUNK_BYTES:  # between chunks a bomb is seen
            yield _chunk(lines, texts, source.number, source.too_long, broken)
            size = source.unpacked = 0
    yield _chunk(lines, texts, source.number, source.too_long, broken)


def _chunk(lines: list[int], texts: list[str], last: int, too_long: list[int], broken: list[tuple[int, str]]) -> Chunk:
    """A chunk of what these lists hold, which are then empty."""
    chunk = Chunk(pa.array(lines, pa.int64()), pa.array(texts, pa.string()), last, tuple(too_long), tuple(broken))
    for taken in (lines, texts, too_long, broken):
        taken.clear()
    return chunk


class _Lines:
    """The lines of a CSV with their ends. Of one that is too long only the number is kept."""

    def __init__(self, raw: "io.BufferedReader[Blocks]") -> None:
        self._raw = raw
        self.number = 0  # of the line that was given out last
        self.unpacked = 0  # bytes that were read, until somebody sets it back
        self.too_long: list[int] = []
        self._is_skipping = False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        """The next line; a blank one for each piece of a line that is too long."""
        line = self._raw.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        self.unpacked += len(line)
        was_skipping, is_cut = self._is_skipping, len(line) == LONGEST_LINE and not line.endswith(b"\n")
        if not was_skipping:
            self.number += 1
            if is_cut:
                self.too_long.append(self.number)
        self._is_skipping = is_cut
        return "\n" if is_cut or was_skipping else line.decode(errors="replace")

    def skip_blank_lines(self) -> None:
        """Go on towards the next row. Only between rows: within a row, a cell may hold blank lines."""
        ahead = b"" if self._is_skipping else self._raw.peek()
        blank = ahead[: len(ahead) - len(ahead.lstrip(b"\r\n"))]
        lines = self._raw.read(blank.rfind(b"\n") + 1)
        self.number += lines.count(b"\n")
        self.unpacked += len(lines)


def _delimiter(header: str) -> str:
    return max(_DELIMITERS, key=header.count)


# --- Parquet -------------------------------------------------------------------------------------------------------


def is_parquet(head: bytes) -> bool:
    """Does a log begin as a Parquet file?"""
    return head.startswith(b"PAR1")


def parquet_rows(stream: Bytes, blocks: Iterator[bytes], name: str) -> Iterator[Chunk]:
    """The rows of a Parquet file, numbered from 1. `blocks` are all the bytes of `stream`; they are read to the end.

    Raises `Unreadable` where the file is damaged, or holds a type that JSON has no words for.
    """
    con = duckdb.connect()
    con.execute("set timezone = 'UTC'")
    with _as_file(stream, blocks) as file:
        try:
            table = pq.ParquetFile(file)
            columns = table.schema_arrow.names
            if len(set(columns)) < len(columns):
                raise Unreadable(f"{name}: two of its columns have the same name; rename one and load it again")
            heaviest = max((_row_bytes(table, group) for group in range(table.num_row_groups)), default=1)
            rows = 0
            for batch in table.iter_batches(max(1, min(MOST_ROWS, CHUNK_BYTES // heaviest))):
                con.register("batch", _without_nan(pa.Table.from_batches([batch])))
                # DuckDB's to_json writes decimals and times in full.
                rows_as_json = con.sql('select to_json("the row")::varchar from batch as "the row"')
                assert rows_as_json is not None
                texts = rows_as_json.to_arrow_table().column(0).combine_chunks()
                con.unregister("batch")
                lines = pa.arange(rows + 1, rows + 1 + batch.num_rows)
                rows += batch.num_rows
                yield Chunk(lines, texts, rows)
        except (pa.ArrowException, OSError, duckdb.Error) as error:
            raise Unreadable(
                f"{name}: the Parquet file is damaged, cut short or of a kind that cannot be read "
                f"({str(error).splitlines()[0]}); nothing of it was loaded, write it again"
            ) from error


@contextlib.contextmanager
def _as_file(stream: Bytes, blocks: Iterator[bytes]) -> Iterator[IO[bytes]]:
    """A Parquet file is read from its end: a plain file where it lies, anything else by way of a nameless file."""
    if isinstance(stream, io.BufferedReader) and isinstance(stream.raw, io.FileIO) and stream.seekable():
        for _ in blocks:
            pass
        yield cast(IO[bytes], stream)
        return
    with tempfile.TemporaryFile() as spooled:
        for block in blocks:
            spooled.write(block)
        yield spooled


def _row_bytes(table: pq.ParquetFile, group: int) -> int:
    metadata = table.metadata.row_group(group)
    return int(metadata.total_byte_size) // max(1, int(metadata.num_rows)) + 1


def _without_nan(table: pa.Table) -> pa.Table:
    """JSON has no word for NaN and the infinities: they are null."""
    for position, field in enumerate(table.schema):
        if pa.types.is_floating(field.type):
            values = table.column(position)
            is_number = pc.is_finite(values)
            table = table.set_column(position, field.name, pc.if_else(is_number, values, pa.scalar(None, field.type)))
    return table
