"""Records into attempts: every format is asked for its own, text is understood, what cannot be read is refused.

All of it happens in DuckDB on whole chunks. Python touches only lines that no format knows as they stand.
"""

import datetime as dt
import zoneinfo
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

import duckdb
import pyarrow as pa

from ingest.attempt import COLUMNS, CONTENT
from ingest.envelopes import Unwrapper, preview, why_not
from ingest.formats import formats
from ingest.records import LONGEST_LINE, Bytes, Chunk, chunks

UserIds = Literal["keep", "pseudonymise", "drop"]

SAMPLE = 256  # records of a large chunk that every format is shown, to learn which of them are at work in it
SMALL = 20_000  # records of a chunk that every format is shown whole


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
        self._con = duckdb.connect()
        self._con.execute(f"set timezone = '{options.zone}'")
        self._con.execute(_sql("macros.sql"))
        padded = key.ljust(64, b"\0")  # RFC 2104
        for name, kind, value in (
            ("inner_key", "blob", bytes(byte ^ 0x36 for byte in padded)),
            ("outer_key", "blob", bytes(byte ^ 0x5C for byte in padded)),
            ("user_ids", "varchar", options.user_ids),
            ("read_at", "timestamp", dt.datetime.now(dt.UTC).replace(tzinfo=None)),
            ("default_instant", "timestamp", _midnight(options)),
        ):
            self._con.execute(f"set variable {name} = $value::{kind}", {"value": value})
        self._rows_since_clearing = 0
        self._lay_tables()

    def _lay_tables(self) -> None:
        """Empty work tables and the statements over them, planned once: planning costs more than a small log."""
        run = self._con.execute
        run("create or replace table chunk (line bigint, text varchar)")
        run("create or replace table records (line bigint, record varchar)")
        run(f"create or replace table told as select {_TOLD} where false")
        run(f"create or replace table judged as {_sql('attempt.sql')}")
        run(f"prepare claim as insert into told by name {_claims(formats())}")
        run(f"prepare judge as insert into judged by name {_sql('attempt.sql')}")
        self._rows_since_clearing = 0

    def read(self, stream: Bytes, name: str, seen: Callable[[bytes], None]) -> Iterator[Batch]:
        """All that one log of plain bytes holds, chunk by chunk. Raises `Unreadable` and `TwoFormats`."""
        unwrapper, active, rows, last_line = Unwrapper(), dict[str, None](), 0, 0
        for chunk in chunks(stream, name, seen):
            batch = self._read(chunk, unwrapper, active, rows)
            rows, last_line = rows + batch.attempts.num_rows, chunk.last_line
            yield batch
        if unfinished := unwrapper.unfinished():
            refusal = Refusal(last_line, "a line that was begun in pieces and never ended", "")
            yield Batch(NO_ATTEMPTS, [refusal] * unfinished, last_line, 0, frozenset(), 0, 0)

    def _read(self, chunk: Chunk, unwrapper: Unwrapper, active: dict[str, None], rows: int) -> Batch:
        run = self._con.execute
        if self._rows_since_clearing > SMALL:  # deleting gives memory back only slowly
            self._lay_tables()
        self._rows_since_clearing += len(chunk.lines)
        for table in ("chunk", "records", "told", "judged"):
            run(f"delete from {table}")
        self._insert("chunk", pa.table({"line": chunk.lines, "text": chunk.texts}))
        run("insert into records from chunk where starts_with(text, '{')")
        if len(chunk.lines) > SMALL:
            self._learn_formats(active)
            run(f"insert into told by name {_claims(active)}")
            self._one_format_only()
        else:
            self._claim()
        too_long = f"longer than {LONGEST_LINE >> 20} MB: no record of a request is that long"
        refusals = [Refusal(line, too_long, "") for line in chunk.too_long]
        blank_lines = self._unwrap(unwrapper, refusals)
        return self._understand(chunk.last_line, rows, refusals, blank_lines)

    def _insert(self, table: str, rows: pa.Table) -> None:
        self._con.register("handed_over", rows)
        self._con.execute(f"insert into {table} from handed_over")
        self._con.unregister("handed_over")

    def _learn_formats(self, active: dict[str, None]) -> None:
        """Show every format a few records taken evenly from the chunk; those that claim any are at work in this log."""
        run = self._con.execute
        run("create or replace temp table all_records as from records")
        run(f"""
            delete from records
            where line % greatest((select count(*) from all_records) // {SAMPLE}, 1) <> 0
        """)
        self._claim()
        active.update(run("select distinct source_format, null from told").fetchall())
        run("delete from told")
        run("delete from records")
        run("insert into records from all_records")

    def _claim(self) -> None:
        """Let every format take its own out of `records` into `told`. Raises `TwoFormats`."""
        self._con.execute("execute claim")
        self._one_format_only()

    def _one_format_only(self) -> None:
        twice = self._con.execute("""
            select line, string_agg(distinct source_format, ' and ' order by source_format)
            from told group by line having count(distinct source_format) > 1 order by line limit 1
        """).fetchall()
        for line, claimants in twice:
            raise TwoFormats(f"line {line} is claimed by {claimants}; a record can have one format only")

    def _unwrap(self, unwrapper: Unwrapper, refusals: list[Refusal]) -> int:
        """Take the envelopes off the lines that no format claimed, and ask again. Returns the count of blank lines."""
        run = self._con.execute
        left = run("select line, text from chunk anti join told using (line) order by line").fetchall()
        blank_lines, found = 0, []
        for line, text in left:
            if not text.strip():
                blank_lines += 1
            elif (records := unwrapper.unwrap(text)) is None:
                refusals.append(Refusal(line, why_not(text), preview(text)))
            else:
                found += [(line, record, logged_at) for record, logged_at in records]
        if not found:
            return blank_lines
        # One line may hold several records: they are numbered while the formats look at them.
        lines, records, times = (list(column) for column in zip(*found, strict=True))
        run("create or replace temp table told_directly as from told")
        run("delete from told")
        run("delete from records")
        numbers = pa.array(range(len(found)), pa.int64())
        self._insert("records", pa.table({"line": numbers, "record": pa.array(records, pa.string())}))
        self._claim()
        run("create or replace temp table found (number bigint, line bigint, record varchar, logged_at varchar)")
        self._insert("found", pa.table([numbers, lines, pa.array(records, pa.string()), pa.array(times, pa.string())],
                                       names=["number", "line", "record", "logged_at"]))  # fmt: skip
        unknown = run(
            "select line, record from found anti join (select line as number from told) using (number)"
        ).fetchall()
        refusals += [Refusal(line, why_not(record), preview(record)) for line, record in unknown]
        run("""
            insert into told_directly by name
            select told.* replace (found.line as line, coalesce(told.started_at, found.logged_at) as started_at)
            from told join found on told.line = found.number
        """)
        run("delete from told")
        run("insert into told from told_directly")
        return blank_lines

    def _understand(self, last_line: int, rows: int, refusals: list[Refusal], blank_lines: int) -> Batch:
        """Judge all that was told: text into types, or a reason to refuse."""
        run = self._con.execute
        run("execute judge")
        refused = run("""
            select judged.line, refusal, text from judged join chunk using (line)
            where refusal is not null order by row_no
        """).fetchall()
        refusals += [Refusal(line, reason, preview(text)) for line, reason, text in refused]
        [(names, zone_assumed, date_assumed, others)] = run("""
            select list(distinct source_format), count(*) filter (where zone_assumed),
                count(*) filter (where date_assumed), (select count(*) from told where no_request = 'true')
            from judged where refusal is null
        """).fetchall()
        attempts = arrow(self._con, _attempts_sql(rows))
        return Batch(
            attempts, refusals, last_line, blank_lines + others, frozenset(names or ()), zone_assumed, date_assumed
        )


def arrow(con: duckdb.DuckDBPyConnection, select: str) -> pa.Table:
    """The rows of a SELECT, as Arrow."""
    relation = con.sql(select)
    assert relation is not None
    return relation.to_arrow_table()


def _sql(name: str) -> str:
    return files("ingest").joinpath(name).read_text(encoding="utf-8")


def _midnight(options: Options) -> dt.datetime | None:
    if options.default_date is None:
        return None
    midnight = dt.datetime.combine(options.default_date, dt.time(), zoneinfo.ZoneInfo(options.zone))
    return midnight.astimezone(dt.UTC).replace(tzinfo=None)


_TOLD = "null::bigint as line, " + ", ".join(
    f"null::varchar as {name}"
    for name in ("source_format", "no_request", "cache_write_tokens", *CONTENT)
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


def _attempts_sql(rows: int) -> str:
    """What was taken, in the archive's columns; `rows` rows of this log came before."""
    values = {
        "attempt_id": f"coalesce(message_id, {REQUEST_KEY}, event_id, {_FINGERPRINT})",
        "source_line": "line",
        "row_no": f"row_number() over (order by row_no) + {rows}",
    }
    columns = [f"cast({values.get(name, name)} as {kind}) as {name}" for name, kind in COLUMNS.items()]
    return f"select {', '.join(columns)} from judged where refusal is null order by row_no"


NO_ATTEMPTS = arrow(
    duckdb.connect(),
    "select " + ", ".join(f"null::{kind} as {name}" for name, kind in COLUMNS.items()) + " where false",
)
