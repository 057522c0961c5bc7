"""What was received and acknowledged but has not landed yet: rows, as attempts.parquet would hold them, never the raw
bodies.

An exporter wants its answer at once, and a load for every answer would make the archive huge. So each group of exports
is one small file here, durable (fsync, rename, fsync of the folder) before it is answered; from time to time all of
them become one load. If the process dies in between, the next one lands them; what was landed but not yet removed folds
to nothing new.
"""

import contextlib
import fcntl
import io
import json
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ingest.archive import Archive, ContentName, Landed, sync
from ingest.attempt import COLUMNS
from ingest.numbering import Numbers
from ingest.reader import NO_ATTEMPTS, Batch, Refusal

SOURCE_NAME = "OTLP"

_ABOUT = b"outlay"  # the key under which a file says what is not a row


class Spool:
    """The folder of acknowledged groups in an Outlay home."""

    def __init__(self, home: Path) -> None:
        """The folder is made with the first group."""
        self._archive, self._folder = Archive(home), home / "spool"

    def add(self, batches: list[Batch]) -> None:
        """Make what one reading yielded durable. Raises OSError where there is no room; then nothing of it stays."""
        if not self._folder.is_dir():
            self._folder.mkdir(parents=True)
            sync(self._folder.parent)
        table = pa.concat_tables([batch.attempts for batch in batches]).cast(NO_ATTEMPTS.schema)
        about = {
            "refusals": [asdict(refusal) for batch in batches for refusal in batch.refusals],
            "last_line": batches[-1].last_line,
            "other_lines": sum(batch.other_lines for batch in batches),
            "formats": sorted({name for batch in batches for name in batch.formats}),
            "zone_assumed": sum(batch.zone_assumed for batch in batches),
            "date_assumed": sum(batch.date_assumed for batch in batches),
            "runs": [run for batch in batches for run in batch.numbers.runs],
            "drops": [drop for batch in batches for drop in batch.numbers.drops],
        }
        table = table.replace_schema_metadata({_ABOUT: json.dumps(about)})
        descriptor, unfinished = tempfile.mkstemp(dir=self._folder, suffix=".unfinished")
        try:
            with os.fdopen(descriptor, "wb") as file:
                with pa.ipc.new_file(file, table.schema) as writer:
                    writer.write_table(table)
                file.flush()
                os.fsync(file.fileno())
            Path(unfinished).rename(self._folder / f"{time.time_ns():020}-{os.getpid()}.arrow")
        except BaseException:
            Path(unfinished).unlink()
            raise
        sync(self._folder)

    def is_empty(self) -> bool:
        """Has everything landed?"""
        return not any(self._folder.glob("*.arrow"))

    def bytes(self) -> int:
        """How much is waiting to land."""
        return sum(path.stat().st_size for path in self._folder.glob("*.arrow"))

    def land(self) -> Landed | None:
        """Make one load of all groups; None if there are none."""
        if self.is_empty():
            return None
        with self._alone():
            files = sorted(self._folder.glob("*.arrow"))
            content, rows, lines = ContentName("spool\n"), 0, 0
            with self._archive.landing(SOURCE_NAME) as landing:
                for file in files:
                    data = file.read_bytes()
                    content.update(data)
                    try:
                        batch = _batch(data, rows, lines)
                    except (pa.ArrowException, ValueError, TypeError, KeyError) as error:
                        batch = _refused(file, error, lines)
                    rows, lines = rows + batch.attempts.num_rows, batch.last_line
                    landing.add(batch)
                landed = landing.land(content, "UTC")
            for file in files:
                file.unlink(missing_ok=True)  # a damaged one has another name now
            return landed

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """While a process lands the groups, no other one does."""
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _refused(file: Path, error: Exception, lines: int) -> Batch:
    """A group that a disk has damaged: it is kept under another name, and said among the refused lines."""
    kept = file.rename(file.with_suffix(".damaged"))
    reason = f"received, but could not be read back ({type(error).__name__}); kept as spool/{kept.name}"
    return Batch(NO_ATTEMPTS, [Refusal(lines + 1, reason, "")], lines + 1, 0, frozenset(), 0, 0)


def _batch(data: bytes, rows: int, lines: int) -> Batch:
    """What a group's file holds, numbered on from the rows and lines before it. Columns of another version are left."""
    table = pa.ipc.open_file(io.BytesIO(data)).read_all()
    about = json.loads(table.schema.metadata[_ABOUT])
    columns = {
        name: table[name]
        if name in table.column_names
        else pa.nulls(table.num_rows, NO_ATTEMPTS.schema.field(name).type)
        for name in COLUMNS
    }
    columns["row_no"] = pa.arange(rows + 1, rows + 1 + table.num_rows)
    columns["source_line"] = pc.add(columns["source_line"], lines)
    return Batch(
        attempts=pa.table(columns),
        refusals=[Refusal(each["line"] + lines, each["reason"], each["preview"]) for each in about["refusals"]],
        last_line=about["last_line"] + lines,
        other_lines=about["other_lines"],
        formats=frozenset(about["formats"]),
        zone_assumed=about["zone_assumed"],
        date_assumed=about["date_assumed"],
        numbers=Numbers(tuple(map(tuple, about.get("runs", ()))), tuple(map(tuple, about.get("drops", ())))),
    )
