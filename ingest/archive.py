"""The archive: what has been taken in, on disk and immutable. It is the truth; everything else can be made from it.

One folder per load, named by its content: `attempts.parquet`, `refusals.parquet`, `load.json`. A load is written beside
the archive, made durable (fsync of files and folder) and then appears whole by one rename: that is the acknowledgement.
"""

import datetime as dt
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.reader import NO_ATTEMPTS, Batch

HEAD_BYTES = 1 << 20

_REFUSALS = pa.schema([("source_line", pa.int64()), ("reason", pa.string()), ("preview", pa.string())])


@dataclass
class Landed:
    """What one load says about itself, as it stands in `load.json`. Times are UTC."""

    load_id: str
    source_name: str
    landed_at: str
    bytes: int = 0
    lines: int = 0
    other_lines: int = 0
    read_records: int = 0
    refused_records: int = 0
    dates_assumed: int = 0  # records that were put on a day given by hand
    formats: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Archive:
    """The folder of loads below an Outlay home."""

    def __init__(self, home: Path) -> None:
        """The folder is made when the first load lands."""
        self.folder = home / "archive"
        self._landing = home / "landing"

    def loads(self) -> Iterator[Path]:
        """Folders of all loads, in the order of their names."""
        if self.folder.is_dir():
            yield from sorted(path for path in self.folder.iterdir() if (path / "load.json").is_file())

    def landed(self, load_id: str) -> Landed | None:
        """What the load of this name says about itself; None if there is none."""
        path = self.folder / load_id
        return self.read(path) if (path / "load.json").is_file() else None

    @staticmethod
    def read(load: Path) -> Landed:
        """What the load in this folder says about itself."""
        return Landed(**json.loads((load / "load.json").read_text(encoding="utf-8")))

    def may_hold(self, head: str) -> bool:
        """Could the archive hold a load whose content begins like this? False is certain, True is not."""
        return self.folder.is_dir() and any(self.folder.glob(f"{head}-*"))

    def landing(self, source_name: str) -> "Landing":
        """A place for one load that is being read."""
        self._landing.mkdir(parents=True, exist_ok=True)
        return Landing(self, Path(tempfile.mkdtemp(dir=self._landing)), source_name)


class ContentName:
    """The name of a load: its first megabyte's digest and the whole content's, seeded with how it was read."""

    def __init__(self, seed: str) -> None:
        """`seed` names the reader's options, since the same bytes read otherwise are another load."""
        self._head, self._whole = hashlib.sha256(seed.encode()), hashlib.sha256(seed.encode())
        self.size = 0

    def update(self, block: bytes) -> None:
        """Take in the next bytes of the content."""
        if self.size < HEAD_BYTES:
            self._head.update(block[: HEAD_BYTES - self.size])
        self._whole.update(block)
        self.size += len(block)

    @property
    def head(self) -> str:
        """The part of the name that the first megabyte decides."""
        return self._head.hexdigest()[:12]

    def __str__(self) -> str:
        """The whole name."""
        return f"{self.head}-{self._whole.hexdigest()[:32]}"


class Landing:
    """One load on its way into the archive. Left without `land`, it leaves nothing behind."""

    def __init__(self, archive: Archive, folder: Path, source_name: str) -> None:
        """Made by `Archive.landing`."""
        self._archive, self._folder = archive, folder
        self.report = Landed("", source_name, dt.datetime.now(dt.UTC).replace(tzinfo=None).isoformat())
        self._formats: set[str] = set()
        self._attempts = pq.ParquetWriter(folder / "attempts.parquet", NO_ATTEMPTS.schema)
        self._refusals = pq.ParquetWriter(folder / "refusals.parquet", _REFUSALS)
        self._zones_assumed = 0

    def __enter__(self) -> "Landing":
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Whatever has not landed is removed."""
        self._attempts.close()
        self._refusals.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, batch: Batch) -> None:
        """Write what one chunk held."""
        if batch.attempts.num_rows:
            self._attempts.write_table(batch.attempts.cast(NO_ATTEMPTS.schema))
        if batch.refusals:
            self._refusals.write_table(
                pa.table(
                    [
                        [refusal.line for refusal in batch.refusals],
                        [refusal.reason for refusal in batch.refusals],
                        [refusal.preview for refusal in batch.refusals],
                    ],
                    schema=_REFUSALS,
                )
            )
        report = self.report
        report.lines = batch.last_line
        report.other_lines += batch.other_lines
        report.read_records += batch.attempts.num_rows + len(batch.refusals)
        report.refused_records += len(batch.refusals)
        self._formats |= batch.formats
        self._zones_assumed += batch.zone_assumed
        report.dates_assumed += batch.date_assumed

    def land(self, name: ContentName, zone: str) -> Landed:
        """Make the load durable and part of the archive. A load of the same name stays as it is."""
        report = self.report
        report.load_id, report.bytes, report.formats = str(name), name.size, sorted(self._formats)
        if self._zones_assumed:
            report.notes.append(
                f"{self._zones_assumed:,} times name no time zone and were read as {zone} (--zone says otherwise)"
            )
        if report.dates_assumed:
            report.notes.append(
                f"{report.dates_assumed:,} records carry no time and were put on the day given with --default-date"
            )
        self._attempts.close()
        self._refusals.close()
        (self._folder / "load.json").write_text(json.dumps(asdict(report), indent=1), encoding="utf-8")
        for path in self._folder.iterdir():
            sync(path)
        sync(self._folder)
        self._archive.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._folder.rename(self._archive.folder / report.load_id)
        except OSError:
            if (landed := self._archive.landed(report.load_id)) is None:
                raise
            return landed
        sync(self._archive.folder)
        return report


def sync(path: Path) -> None:
    """Make a file, or the names in a folder, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
