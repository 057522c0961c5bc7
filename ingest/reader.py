"""Records into attempts: every format is asked for its own, text is understood, what cannot be read is refused.

All of it happens in DuckDB on whole chunks, several at a time. Python touches only lines that no format knows as they
stand.
"""

import contextlib
import datetime as dt
import itertools
import json
import os
import zoneinfo
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any, Literal

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ingest.attempt import ADDED, COLUMNS, CONTENT
from ingest.batches import Beside, Pairing, pairing
from ingest.chunk import LONGEST_LINE, Bytes, Chunk
from ingest.engine import engine
from ingest.envelopes import Unwrapper, preview, why_not
from ingest.formats import formats, formats_with
from ingest.mapping import Mapping, columns_in
from ingest.numbering import NO_NUMBERS, Numbers, numbers_of
from ingest.records import chunks

UserIds = Literal["keep", "pseudonymise", "drop"]

SAMPLE = 256  # records of a chunk whose keys say which formats are to be asked
MAPPING = "(mapping)"  # asked like a format
CORES = min(os.cpu_count() or 1, 4)  # chunks that are judged at a time, each by one core


class TwoFormats(Exception):
    """Two formats claim the same record: one of them is described too loosely."""


@dataclass(frozen=True)
class Options:
    """What the reader cannot know from a log and is told."""

    zone: str = "UTC"  # for times that leave their zone out
    default_date: dt.date | None = None  # for records without any time
    user_ids: UserIds = "pseudonymise"
    mapping: Mapping | None = None  # how to read columns; asked before the formats
    sampling_rate: float | None = None  # the share of requests that a sampled log holds, where it was told


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
    numbers: Numbers = NO_NUMBERS  # of the recorder's lines
    read_to: int = 0  # how far the input had been read for it, in bytes as they lie on disk


class Reader:
    """Reads one log after another with the same options. Not to be shared between threads."""

    def __init__(self, options: Options, key: bytes, saved: Sequence[Mapping] = ()) -> None:
        """`key` turns people's names into pseudonyms; `saved` are mappings to try where no format claims a record.

        Raises ValueError for an unknown time zone.
        """
        if options.zone not in zoneinfo.available_timezones():
            raise ValueError(f"unknown time zone {options.zone!r}; write it like Europe/Berlin")
        padded = key.ljust(64, b"\0")  # RFC 2104
        self._zone = options.zone
        self._told: dict[str, object] = {
            "inner_key": bytes(byte ^ 0x36 for byte in padded),
            "outer_key": bytes(byte ^ 0x5C for byte in padded),
            "user_ids": options.user_ids,
            "read_at": dt.datetime.now(dt.UTC).replace(tzinfo=None),
            "default_instant": _midnight(options),
        }
        self._pool = ThreadPoolExecutor(CORES)
        self._given, self._saved = options.mapping, saved
        self._mapping: Mapping | None = None
        self._pairing = Pairing()
        self.notes: list[str] = []  # what is to be said of the log that is being read

    @property
    def beside(self) -> str:
        """What decided, besides the log's own bytes and the options, how it was read; empty if nothing did."""
        mapped = self._mapping.content if self._mapping else ""
        return mapped + (self._pairing.content if self._pairing.notes or self._pairing.batch_id else "")

    def settle(self, name: str, first: Chunk, beside: Beside) -> None:
        """Decide from a log's name, its first chunk and what lies beside it what it is to be read with."""
        self._mapping = self._given
        self._pairing = pairing(name, first, beside) or Pairing()
        self.notes = list(self._pairing.notes)
        if self._mapping is None and self._saved:
            self._mapping = self._fitting(Chunk(first.lines[:SAMPLE], first.texts[:SAMPLE], 0))

    def _fitting(self, sample: Chunk) -> Mapping | None:
        """The one saved mapping that fits records which no format claims."""
        columns = {column for record in _objects(sample.texts.to_pylist()) for column, _ in columns_in(record)}
        fitting = [mapping for mapping in self._saved if mapping.fits(columns)]
        if not fitting or self._judge_chunk(sample).num_rows == len(sample.lines):
            return None
        if len(fitting) > 1:
            names = " and ".join(mapping.name for mapping in fitting)
            self.notes.append(f"the saved mappings {names} fit this log alike; say which one with --mapping")
            return None
        self.notes.append(f"its columns were read with the saved mapping {fitting[0].name}")
        return fitting[0]

    def read(
        self,
        stream: Bytes,
        name: str,
        seen: Callable[[bytes], None],
        position: Callable[[], int] = lambda: 0,
        beside: Beside = lambda: iter(()),
    ) -> Iterator[Batch]:
        """All that one log of plain bytes holds, chunk by chunk. Raises `Unreadable` and `TwoFormats`.

        `position` tells how far the input has been read, `beside` gives the other logs of its folder or archive.
        """
        unwrapper, rows, last_line = Unwrapper(), 0, 0
        records = chunks(stream, name, seen)
        for first in itertools.islice(records, 1):
            self.settle(name, first, beside)
            records = itertools.chain([first], records)
        for read_to, chunk, judged in self._judged(records, position):
            batch = replace(self._read(chunk, judged, unwrapper, rows), read_to=read_to)
            rows, last_line = rows + batch.attempts.num_rows, chunk.last_line
            yield batch
        if unfinished := unwrapper.unfinished():
            refusal = Refusal(last_line, "a line that was begun in pieces and never ended", "")
            yield Batch(NO_ATTEMPTS, [refusal] * unfinished, last_line, 0, frozenset(), 0, 0, read_to=position())

    def _judged(self, chunks: Iterable[Chunk], position: Callable[[], int]) -> Iterator[tuple[int, Chunk, pa.Table]]:
        """Each chunk with what the formats say of its lines, in order; the next ones are judged meanwhile."""
        ahead: deque[tuple[int, Chunk, Future[pa.Table]]] = deque()
        read_to = 0
        for chunk in chunks:
            # A block more than the chunk has been read by now: up to where the next chunk will end.
            ahead.append((read_to or position(), chunk, self._pool.submit(self._judge_chunk, chunk)))
            read_to = position()
            if len(ahead) > CORES:
                was_at, judging, future = ahead.popleft()
                yield was_at, judging, future.result()
        for was_at, judging, future in ahead:
            yield was_at, judging, future.result()

    def _judge_chunk(self, chunk: Chunk) -> pa.Table:
        """What is told of a chunk's lines: by a mapping that was given, by the formats, by a saved mapping."""
        sample = chunk.texts.take(pa.array(range(0, len(chunk.texts), len(chunk.texts) // SAMPLE + 1), pa.int32()))
        names = formats_with(_keys(sample.to_pylist()))
        left = pa.table(
            {"line": chunk.lines, "text": chunk.texts, "logged_at": pa.nulls(len(chunk.lines), pa.string())}
        )
        judged: list[pa.Table] = []
        if self._given:
            left = self._ask([MAPPING], left, judged)
        left = self._ask(names, left, judged)
        if left.num_rows:  # are there formats at work that the sample did not show?
            objects = left["text"].filter(pc.starts_with(left["text"], "{")).to_pylist()
            left = self._ask(set(formats_with(_keys(objects))).difference(names), left, judged)
        if left.num_rows and self._mapping and not self._given:
            self._ask([MAPPING], left, judged)
        return pa.concat_tables(judged)

    def _ask(self, names: Collection[str], lines: pa.Table, judged: list[pa.Table]) -> pa.Table:
        """Add what these formats tell of some lines; the lines that none of them claims are left."""
        if names or not judged:
            judged.append(self._judge(lines if names else lines.slice(0, 0), names))
        if judged[-1].num_rows == 0:
            return lines
        if judged[-1].num_rows == lines.num_rows:
            return lines.slice(0, 0)
        return lines.filter(pc.invert(pc.is_in(lines["line"], judged[-1]["line"])))

    def _read(self, chunk: Chunk, judged: pa.Table, unwrapper: Unwrapper, rows: int) -> Batch:
        too_long = f"longer than {LONGEST_LINE >> 20} MB: no record of a request is that long"
        refusals = [Refusal(line, too_long, "") for line in chunk.too_long]
        refusals += [Refusal(line, reason, "") for line, reason in chunk.broken]
        blank_lines = 0
        if judged.num_rows < len(chunk.lines):
            unclaimed = pc.invert(pc.is_in(chunk.lines, judged["line"]))
            blank_lines, unwrapped = self._unwrap(chunk, unclaimed, unwrapper, refusals)
            if unwrapped is not None:
                judged = pa.concat_tables([judged, unwrapped])
        batch = _batch(chunk, judged, rows, refusals, blank_lines)
        if judged["numbered"].null_count == judged.num_rows:
            return batch
        with engine(self._zone) as lent:
            return replace(batch, numbers=numbers_of(judged["numbered"], lent))

    def _judge(self, lines: pa.Table, names: Collection[str]) -> pa.Table:
        """What these formats tell about lines (line, text, logged_at), understood or refused. Raises `TwoFormats`."""
        try:
            judged = self._answer(lines, self._claims(names))
        except (duckdb.InterruptException, duckdb.OutOfMemoryException):
            raise
        except duckdb.Error:
            # Two halves, each by itself, down to the one record that the engine fails on: that one is refused.
            if lines.num_rows == 1:
                return self._answer(lines, _UNREADABLE)
            middle = lines.num_rows // 2
            halves = (lines.slice(0, middle), lines.slice(middle))
            return pa.concat_tables([self._judge(half, names) for half in halves])
        if len(names) > 1 and judged.num_rows != pc.count_distinct(judged["line"]).as_py():
            claimants: dict[int, set[str]] = {}
            for line, name in zip(judged["line"].to_pylist(), judged["source_format"].to_pylist(), strict=True):
                claimants.setdefault(line, set()).add(name)
            line, claiming = next((line, claiming) for line, claiming in claimants.items() if len(claiming) > 1)
            raise TwoFormats(
                f"line {line} is claimed by {' and '.join(sorted(claiming))}; a record can have one format only"
            )
        return judged

    def _answer(self, lines: pa.Table, claims: str) -> pa.Table:
        """The claims about some lines, judged."""
        pairing = self._pairing
        settings = self._told | {"batch_id": pairing.batch_id, "batch_created_at": pairing.created_at}
        given = {
            "lines": lines.cast(_LINES),
            "settings": pa.Table.from_pylist([settings], schema=_SETTINGS),
            "batch_requests": pairing.requests,
        }
        with engine(self._zone) as lent:
            told = "from claims" if lines["logged_at"].null_count == lines.num_rows else _TIMED
            return lent.ask(
                _QUESTION.format(claims=claims, told=told), given, self._mapping.variables() if self._mapping else {}
            )

    def _claims(self, names: Collection[str]) -> str:
        """All that these formats tell about `records`, one below the other."""
        selects = [f"select null::bigint as line, {_TOLD} where false"]
        for name in names:
            if name == MAPPING:
                assert self._mapping is not None
                mapped = self._mapping.select()
                selects.append(f"select 'mapping {self._mapping.name}' as source_format, * from ({mapped})")
            else:
                selects.append(f"select '{name}' as source_format, * from ({formats()[name]})")
        return " union all by name ".join(selects)

    def _unwrap(
        self, chunk: Chunk, unclaimed: pa.Array, unwrapper: Unwrapper, refusals: list[Refusal]
    ) -> tuple[int, pa.Table | None]:
        """Take the envelopes off the lines that no format claimed, and ask again: (empty lines, what was judged)."""
        is_blank = pc.equal(pc.utf8_trim_whitespace(chunk.texts), "")
        empty_lines, found = pc.sum(pc.and_(unclaimed, is_blank)).as_py() or 0, []
        said = pc.and_not(unclaimed, is_blank)
        lines, texts = chunk.lines.filter(said).to_pylist(), chunk.texts.filter(said).to_pylist()
        for line, text in zip(lines, texts, strict=True):
            if (records := unwrapper.unwrap(text)) is None:
                refusals.append(Refusal(line, why_not(text), preview(text)))
            else:
                empty_lines += not records
                found += [(line, record, logged_at) for record, logged_at in records]
        if not found:
            return empty_lines, None
        # One line may hold several records: they are numbered while the formats look at them.
        lines_of, records_of, times_of = (list(column) for column in zip(*found, strict=True))
        numbered = pa.table({"line": range(len(found)), "text": records_of, "logged_at": times_of}, schema=_LINES)
        judged = self._judge(numbered, formats_with(_keys(records_of)))
        numbers = judged["line"].to_pylist()
        for number in sorted(set(range(len(found))) - set(numbers)):
            record = records_of[number]
            refusals.append(Refusal(lines_of[number], why_not(record), preview(record)))
        true_lines = pa.array([lines_of[number] for number in numbers], pa.int64())
        return empty_lines, judged.set_column(0, "line", true_lines)


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


def _objects(records: list[str]) -> Iterator[dict[str, Any]]:
    """Those of the records that are JSON objects."""
    for record in records:
        if record.startswith("{"):
            with contextlib.suppress(ValueError, RecursionError):
                yield json.loads(record)


def _keys(records: list[str]) -> set[str]:
    """The keys at the top of these records, those that are JSON objects."""
    return {key for record in _objects(records) for key in record}


def _sql(name: str) -> str:
    return files("ingest").joinpath(name).read_text(encoding="utf-8")


def _midnight(options: Options) -> dt.datetime | None:
    if options.default_date is None:
        return None
    midnight = dt.datetime.combine(options.default_date, dt.time(), zoneinfo.ZoneInfo(options.zone))
    return midnight.astimezone(dt.UTC).replace(tzinfo=None)


_TOLD = ", ".join(
    f"null::varchar as {name}"
    for name in ("source_format", "no_request", "told_refusal", "numbered", "cache_write_tokens", *CONTENT)
    if name != "cache_write_unknown_ttl_tokens"
)


# A request id of Anthropic's names one attempt. Ids that applications make up may stay the same over their own retries,
# so there the attempt's number belongs to the name.
REQUEST_KEY = """case
    when starts_with(request_id, 'req_') or attempt_no is null then request_id
    else request_id || '#' || attempt_no
end"""

# A record without any id is known by all that it says, its time to the second: the same record in another envelope,
# where the time may be written a little later, is the same record.
_FINGERPRINT = "md5(concat_ws(chr(31), date_trunc('second', started_at), {}, {}))".format(
    ", ".join(f"coalesce(cast({name} as varchar), '')" for name in CONTENT if name not in {"started_at", *ADDED}),
    ", ".join(f"'{name}=' || cast({name} as varchar)" for name in sorted(ADDED)),
)


# What was understood, in the archive's columns.
_COLUMNS = ", ".join([
    f"case when coalesce(message_id, request_id, event_id) is null then {_FINGERPRINT} "
    f"else coalesce(message_id, {REQUEST_KEY}, event_id) end as attempt_id",
    *(f"cast({name} as {kind}) as {name}" for name, kind in CONTENT.items()),
])  # fmt: skip

_LINES = pa.schema([("line", pa.int64()), ("text", pa.string()), ("logged_at", pa.string())])

_SETTINGS = pa.schema([
    ("inner_key", pa.binary()), ("outer_key", pa.binary()), ("user_ids", pa.string()), ("read_at", pa.timestamp("us")),
    ("default_instant", pa.timestamp("us")), ("batch_id", pa.string()), ("batch_created_at", pa.string()),
])  # fmt: skip

_QUESTION = f"""
    with records as (select line, text as record from lines where starts_with(text, '{{{{')),
    claims as ({{claims}}), told as ({{told}}), judged as ({_sql("attempt.sql").replace("{", "{{").replace("}", "}}")})
    select line, source_format, no_request, numbered, refusal, zone_assumed, date_assumed, {_COLUMNS} from judged
"""

# What an envelope says about the time counts for a record that says nothing itself.
_TIMED = """
    select claims.* replace (coalesce(claims.started_at, lines.logged_at) as started_at)
    from claims join lines on claims.line = lines.line
"""

_UNREADABLE = f"""
    select * replace (
        '' as source_format,
        'a record that cannot be read: a value in it is of a kind that no format knows' as told_refusal
    ) from (select line, {_TOLD} from lines)
"""

NO_ATTEMPTS: pa.Table = (
    duckdb.connect()
    .execute("select " + ", ".join(f"null::{kind} as {name}" for name, kind in COLUMNS.items()) + " where false")
    .to_arrow_table()
)
