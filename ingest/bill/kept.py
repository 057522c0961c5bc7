"""The reports of the bill below a home: one JSON file each in `bills/`, durable before it is told, never changed.

Like the archive they are the truth, and their tables in the DuckDB file are made from them.
"""

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from ingest.archive import sync
from ingest.bill import as_csv, as_json
from ingest.bill.report import NoBill, Report
from ingest.chunk import Bytes, Unreadable
from ingest.compression import Unpacking, members

MOST_BYTES = 256 << 20

TABLES = """
create table if not exists store.bill_reports (
    report_id varchar primary key, kind varchar, source_name varchar, made_at timestamp, imported_at timestamp,
    step_usd decimal(38, 12), notes varchar[]
);
create table if not exists store.bill_days (report_id varchar, day date, covered_until timestamp);
create table if not exists store.billed (
    report_id varchar, line_no bigint, day date, model_raw varchar, workspace_id varchar, service_tier varchar,
    speed varchar, inference_geo varchar, cost_type varchar, token_class varchar, tokens bigint,
    amount_usd decimal(38, 12), list_usd decimal(38, 12)
);
"""


@dataclass(frozen=True)
class Imported:
    """What became of one report."""

    report: Report
    is_known: bool


def is_report(head: bytes) -> bool:
    """Does a file that begins like this look like a report of the bill?"""
    text = head.decode("utf-8-sig", errors="replace")
    return as_json.is_one(text) or as_csv.is_one(text)


def read(data: bytes, source_name: str, made_at: datetime) -> list[Report]:
    """The reports in a file. made_at: as of when it holds, UTC, where it does not say. Raises NoBill."""
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise NoBill(f"{source_name}: no text; a report is JSON or CSV, plain or packed") from error
    if text.lstrip()[:1] in ("{", "["):
        return as_json.read(text, source_name, made_at)
    if as_csv.is_one(text):
        return as_csv.read(text.lstrip(), source_name, made_at)
    raise NoBill(
        f"{source_name}: no report of the bill. Outlay reads Anthropic's usage and cost reports (JSON) and the CSVs "
        "that the Console exports; logs of requests go to `outlay ingest`"
    )


def read_file(path: Path) -> list[Report]:
    """The reports in a file or in an archive of them, which hold as of when it was written if they do not say.

    Raises NoBill, with the reason of every member that is no report, and OSError.
    """
    found, reasons, unpacking = list[Report](), list[str](), Unpacking()
    with path.open("rb") as file:
        made_at = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
        for name, stream in members(file, path.name, unpacking):
            try:
                if isinstance(stream, Unreadable):
                    raise NoBill(str(stream))
                found += read_stream(stream, name, made_at, unpacking)
            except NoBill as error:
                reasons.append(str(error))
    if reasons:
        raise NoBill("; ".join(reasons[:5]) + (f"; and {len(reasons) - 5:,} more" if len(reasons) > 5 else ""))
    return found


def read_stream(stream: Bytes, name: str, made_at: datetime, unpacking: Unpacking) -> list[Report]:
    """The reports in a stream of plain bytes, as `ingest.compression` unpacks it. Raises NoBill, for bombs too."""
    data = bytearray()
    while block := stream.read(1 << 20):
        data += block
        if len(data) > MOST_BYTES:
            raise NoBill(f"{name}: larger than {MOST_BYTES >> 20} MB; import fewer days at a time")
        if why := unpacking.why_a_bomb(0):
            raise NoBill(f"{name}: {why}: it looks like a decompression bomb")
    if unpacking.damage:
        raise NoBill(unpacking.damage)
    return read(bytes(data), name, made_at)


def keep(home: Path, reports: list[Report]) -> list[Imported]:
    """Make reports durable below the home. The same one again changes nothing."""
    folder = home / "bills"
    folder.mkdir(parents=True, exist_ok=True)
    sync(home)
    done = []
    for report in reports:
        path = folder / f"{report.report_id}.json"
        is_known = path.exists()
        if not is_known:
            said = asdict(report) | {"imported_at": datetime.now(UTC).replace(tzinfo=None).isoformat()}
            descriptor, name = tempfile.mkstemp(dir=folder, suffix=".part")
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(said, file)
            sync(Path(name))
            Path(name).rename(path)
        done.append(Imported(report, is_known))
    sync(folder)
    return done


def fold(con: duckdb.DuckDBPyConnection, home: Path) -> None:
    """Take into the store what has been kept and is not in it yet; a damaged file is set aside, and told on Data."""
    passed_over = con.execute("select report_id from store.bill_reports union all select load_id from store.set_aside")
    known = {name for (name,) in passed_over.fetchall()}
    for path in sorted((home / "bills").glob("*.json")):
        if path.stem not in known:
            try:
                _fold(con, path.stem, json.loads(path.read_text(encoding="utf-8")))
            except (ValueError, KeyError, TypeError, duckdb.ConversionException) as error:
                reason = f"{path} is damaged ({str(error).splitlines()[0]}); delete it and import that report again"
                con.execute(
                    "insert into store.set_aside values ($id, $reason, cast(now() at time zone 'UTC' as timestamp))",
                    {"id": path.stem, "reason": reason},
                )


def _fold(con: duckdb.DuckDBPyConnection, report_id: str, said: dict[str, object]) -> None:
    con.execute("begin")
    try:
        names = ("kind", "source_name", "made_at", "imported_at", "step_usd", "notes")
        con.execute(
            "insert into store.bill_reports "
            "values ($id, $kind, $source_name, $made_at, $imported_at, $step_usd, $notes)",
            {"id": report_id, **{name: said[name] for name in names}},
        )
        days = said["days"]
        assert isinstance(days, dict)
        _insert(
            con, "bill_days", [{"report_id": report_id, "day": day, "covered_until": end} for day, end in days.items()]
        )
        rows = said["rows"]
        assert isinstance(rows, list)
        _insert(con, "billed", [{"report_id": report_id, "line_no": no, **row} for no, row in enumerate(rows, 1)])
        con.execute(
            "insert into store.model_names select distinct model_raw from store.billed "
            "where report_id = $id and model_raw is not null on conflict do nothing",
            {"id": report_id},
        )
    except BaseException:
        con.execute("rollback")
        raise
    con.execute("commit")


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, object]]) -> None:
    if rows:  # an INSERT of no rows hides a later one: see ingest.store
        con.register("bill_rows", pa.Table.from_pylist(rows))
        con.execute(f"insert into store.{table} by name select * from bill_rows")
        con.unregister("bill_rows")
