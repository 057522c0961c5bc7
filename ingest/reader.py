"""Records into attempts: every format is asked for its own, text is understood, what cannot be read is refused.

All of it happens in DuckDB on whole chunks, several at a time. Python touches only lines that no format knows as they
stand.
"""

import contextlib
import datetime as dt
import json
import os
import threading
import zoneinfo
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ingest.attempt import COLUMNS, CONTENT
from ingest.envelopes import Unwrapper, preview, why_not
from ingest.formats import formats, formats_with
from ingest.records import LONGEST_LINE, Bytes, Chunk, chunks

UserIds = Literal["keep", "pseudonymise", "drop"]

SAMPLE = 256  # records of a chunk whose keys say which formats are to be asked
CORES = min(os.cpu_count() or 1, 4)  # chunks that are judged at a time, each by one core


class TwoFormats(Exception):
    """Two formats claim the same record: one of them is described too loosely."""


@dataclass(frozen=True)
class Options:
    """What the reader cannot know from a log and is told."""

    zone: str = "UTC"  # for times that leave their zone out
    default_date: dt.date | None = None  # for records without any time
    user_ids: UserIds = "pseudonymise"


@dataclass(frozen=True)
class Refusal:
    """A line that was not taken: where it stood, why, and what it looked like with its content masked."""

    line: int
    reason: str
    preview: str


@dataclass(frozen=True)
class Batch:
    """What one chunk held: attempts (Arrow, the columns of `attempt.COLUMNS`), refusals, and counts of the rest."""

    attempts: pa.Table
    refusals: list[Refusal]
    last_line: int
    other_lines: int
    formats: frozenset[str]
    zone_assumed: int
    date_assumed: int


class Reader:
    """Reads one log after another with the same options. Not to be shared between threads."""

    def __init__(self, options: Options, key: bytes) -> None:
        """`key` turns people's names into pseudonyms. Raises ValueError for an unknown time zone."""
        if options.zone not in zoneinfo.available_timezones():
            raise ValueError(f"unknown time zone {options.zone!r}; write it like Europe/Berlin")
        padded = key.ljust(64, b"\0")  # RFC 2104
        self._zone = options.zone
        self._variables: tuple[tuple[str, str, object], ...] = (
            ("inner_key", "blob", bytes(byte ^ 0x36 for byte in padded)),
            ("outer_key", "blob", bytes(byte ^ 0x5C for byte in padded)),
            ("user_ids", "varchar", options.user_ids),
            ("read_at", "timestamp", dt.datetime.now(dt.UTC).replace(tzinfo=None)),
            ("default_instant", "timestamp", _midnight(options)),
        )
        self._connections = threading.local()

    @property
    def _con(self) -> duckdb.DuckDBPyConnection:
        """This thread's own connection."""
        if not hasattr(self._connections, "con"):
            self._connections.con = con = duckdb.connect()
            con.execute("set threads = 1")
            con.execute(f"set timezone = '{self._zone}'")
            # It turns each list of words that a column is compared with into a join: planning then costs more than
            # reading.
            con.execute("set disabled_optimizers = 'in_clause'")
            con.execute(_sql("macros.sql"))
            for name, kind, value in self._variables:
                con.execute(f"set variable {name} = $value::{kind}", {"value": value})
        con = self._connections.con
        assert isinstance(con, duckdb.DuckDBPyConnection)
        return con

    def read(self, stream: Bytes, name: str, seen: Callable[[bytes], None]) -> Iterator[Batch]:
        """All that one log of plain bytes holds, chunk by chunk. Raises `Unreadable` and `TwoFormats`."""
        unwrapper, rows, last_line = Unwrapper(), 0, 0
        for chunk, judged in self._judged(chunks(stream, name, seen)):
            batch = self._read(chunk, judged, unwrapper, rows)
            rows, last_line = rows + batch.attempts.num_rows, chunk.last_line
            yield batch
        if unfinished := unwrapper.unfinished():
            refusal = Refusal(last_line, "a line that was begun in pieces and never ended", "")
            yield Batch(NO_ATTEMPTS, [refusal] * unfinished, last_line, 0, frozenset(), 0, 0)

    def _judged(self, chunks: Iterable[Chunk]) -> Iterator[tuple[Chunk, pa.Table]]:
        """Each chunk with what the formats say of its lines, in order; the next ones are judged meanwhile."""
        ahead: deque[tuple[Chunk, Future[pa.Table]]] = deque()
        with ThreadPoolExecutor(CORES) as pool:
            for chunk in chunks:
                ahead.append((chunk, pool.submit(self._judge_chunk, chunk)))
                if len(ahead) > CORES:
                    judging, future = ahead.popleft()
                    yield judging, future.result()
            for judging, future in ahead:
                yield judging, future.result()

    def _judge_chunk(self, chunk: Chunk) -> pa.Table:
        table = pa.table({"line": chunk.lines, "text": chunk.texts})
        self._con.register("chunk", table)
        sample = chunk.texts.take(pa.array(range(0, len(chunk.texts), len(chunk.texts) // SAMPLE + 1), pa.int32()))
        names = formats_with(_keys(sample.to_pylist()))
        try:
            judged = self._judge("select line, text as record from chunk where starts_with(text, '{')", names)
            if judged.num_rows < len(chunk.lines):  # are there formats at work that the sample did not show?
                left = table.filter(pc.invert(pc.is_in(chunk.lines, judged["line"])))
                more = sorted(set(formats_with(_keys(left["text"].to_pylist()))) - set(names))
                if more:
                    self._con.register("chunk", left)
                    again = self._judge("select line, text as record from chunk where starts_with(text, '{')", more)
                    judged = pa.concat_tables([judged, again])
            return judged
        finally:
            self._con.unregister("chunk")

    def _read(self, chunk: Chunk, judged: pa.Table, unwrapper: Unwrapper, rows: int) -> Batch:
        too_long = f"longer than {LONGEST_LINE >> 20} MB: no record of a request is that long"
        refusals = [Refusal(line, too_long, "") for line in chunk.too_long]
        blank_lines = 0
        if judged.num_rows < len(chunk.lines):
            unclaimed = pc.invert(pc.is_in(chunk.lines, judged["line"]))
            blank_lines, unwrapped = self._unwrap(chunk, unclaimed, unwrapper, refusals)
            if unwrapped is not None:
                judged = pa.concat_tables([judged, unwrapped])
        return _batch(chunk, judged, rows, refusals, blank_lines)

    def _judge(self, records: str, names: Iterable[str], told: str = "from claims") -> pa.Table:
        """What these formats tell about `records` (a SELECT), understood or refused. Raises `TwoFormats`."""
        names = list(names)
        judged = arrow(self._con, f"""
            with records as ({records}), claims as ({_claims(names)}), told as ({told}),
            judged as ({_sql("attempt.sql")})
            select line, source_format, no_request, refusal, zone_assumed, date_assumed, {_COLUMNS} from judged
        """)  # fmt: skip
        if len(names) > 1 and judged.num_rows != pc.count_distinct(judged["line"]).as_py():
            claimants: dict[int, set[str]] = {}
            for line, name in zip(judged["line"].to_pylist(), judged["source_format"].to_pylist(), strict=True):
                claimants.setdefault(line, set()).add(name)
            line, names = next((line, names) for line, names in claimants.items() if len(names) > 1)
            raise TwoFormats(
                f"line {line} is claimed by {' and '.join(sorted(names))}; a record can have one format only"
            )
        return judged

    def _unwrap(
        self, chunk: Chunk, unclaimed: pa.Array, unwrapper: Unwrapper, refusals: list[Refusal]
    ) -> tuple[int, pa.Table | None]:
        """Take the envelopes off the lines that no format claimed, and ask again: (blank lines, what was judged)."""
        blank_lines, found = 0, []
        lines, texts = chunk.lines.filter(unclaimed).to_pylist(), chunk.texts.filter(unclaimed).to_pylist()
        for line, text in zip(lines, texts, strict=True):
            if not text.strip():
                blank_lines += 1
            elif (records := unwrapper.unwrap(text)) is None:
                refusals.append(Refusal(line, why_not(text), preview(text)))
            else:
                found += [(line, record, logged_at) for record, logged_at in records]
        if not found:
            return blank_lines, None
        # One line may hold several records: they are numbered while the formats look at them.
        lines_of, records_of, times_of = (list(column) for column in zip(*found, strict=True))
        self._con.register("found", pa.table({
            "number": pa.array(range(len(found)), pa.int64()),
            "record": pa.array(records_of, pa.string()),
            "logged_at": pa.array(times_of, pa.string()),
        }))  # fmt: skip
        judged = self._judge(
            "select number as line, record from found",
            formats_with(_keys(records_of)),
            "select claims.* replace (coalesce(started_at, logged_at) as started_at) "
            "from claims join found on line = number",
        )
        self._con.unregister("found")
        numbers = judged["line"].to_pylist()
        for number in sorted(set(range(len(found))) - set(numbers)):
            record = records_of[number]
            refusals.append(Refusal(lines_of[number], why_not(record), preview(record)))
        true_lines = pa.array([lines_of[number] for number in numbers], pa.int64())
        return blank_lines, judged.set_column(0, "line", true_lines)


def _batch(chunk: Chunk, judged: pa.Table, rows: int, refusals: list[Refusal], blank_lines: int) -> Batch:
    """What was judged of a chunk, sorted into attempts, refusals and lines that hold no request."""
    if judged["refusal"].null_count < judged.num_rows:
        refused = judged.filter(pc.is_valid(judged["refusal"]))
        texts = chunk.texts.take(pc.index_in(refused["line"], chunk.lines).combine_chunks())
        said = zip(refused["line"].to_pylist(), refused["refusal"].to_pylist(), texts.to_pylist(), strict=True)
        refusals += [Refusal(line, reason, preview(text)) for line, reason, text in said]
    is_taken = pc.and_not(pc.is_null(judged["refusal"]), judged["no_request"])
    taken = judged if pc.all(is_taken).as_py() else judged.filter(is_taken)
    attempts = taken.append_column("source_line", taken["line"]).append_column(
        "row_no", pa.arange(rows + 1, rows + 1 + taken.num_rows)
    )
    return Batch(
        attempts.select(list(COLUMNS)),
        refusals,
        chunk.last_line,
        blank_lines + (pc.sum(judged["no_request"]).as_py() or 0),
        frozenset(pc.unique(taken["source_format"]).to_pylist()),
        pc.sum(taken["zone_assumed"]).as_py() or 0,
        pc.sum(taken["date_assumed"]).as_py() or 0,
    )


def arrow(con: duckdb.DuckDBPyConnection, select: str) -> pa.Table:
    """The rows of a SELECT, as Arrow."""
    relation = con.sql(select)
    assert relation is not None
    return relation.to_arrow_table()


def _keys(records: list[str]) -> set[str]:
    """The keys at the top of these records, those that are JSON objects."""
    keys: set[str] = set()
    for record in records:
        if record.startswith("{"):
            with contextlib.suppress(ValueError, RecursionError):
                keys.update(json.loads(record))
    return keys


def _sql(name: str) -> str:
    return files("ingest").joinpath(name).read_text(encoding="utf-8")


def _midnight(options: Options) -> dt.datetime | None:
    if options.default_date is None:
        return None
    midnight = dt.datetime.combine(options.default_date, dt.time(), zoneinfo.ZoneInfo(options.zone))
    return midnight.astimezone(dt.UTC).replace(tzinfo=None)


_TOLD = "null::bigint as line, " + ", ".join(
    f"null::varchar as {name}"
    for name in ("source_format", "no_request", "told_refusal", "cache_write_tokens", *CONTENT)
    if name != "cache_write_unknown_ttl_tokens"
)


def _claims(names: Iterable[str]) -> str:
    """All that these formats tell about `records`, one below the other."""
    selects = [f"select '{name}' as source_format, * from ({formats()[name]})" for name in names]
    return " union all by name ".join([f"select {_TOLD} where false", *selects])


# A request id of Anthropic's names one attempt. Ids that applications make up may stay the same over their own retries,
# so there the attempt's number belongs to the name.
REQUEST_KEY = """case
    when starts_with(request_id, 'req_') or attempt_no is null then request_id
    else request_id || '#' || attempt_no
end"""

# A record without any id is known by all that it says, its time to the second: the same record in another envelope,
# where the time may be written a little later, is the same record.
_FINGERPRINT = "md5(concat_ws(chr(31), date_trunc('second', started_at), {}))".format(
    ", ".join(f"coalesce(cast({name} as varchar), '')" for name in CONTENT if name != "started_at")
)


# What was understood, in the archive's columns.
_COLUMNS = ", ".join([
    f"case when coalesce(message_id, request_id, event_id) is null then {_FINGERPRINT} "
    f"else coalesce(message_id, {REQUEST_KEY}, event_id) end as attempt_id",
    *(f"cast({name} as {kind}) as {name}" for name, kind in CONTENT.items()),
])  # fmt: skip

NO_ATTEMPTS = arrow(
    duckdb.connect(),
    "select " + ", ".join(f"null::{kind} as {name}" for name, kind in COLUMNS.items()) + " where false",
)
