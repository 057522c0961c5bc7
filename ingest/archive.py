"""The archive: what has been taken in, on disk and immutable. It is the truth; everything else can be made from it.

One folder per load, named by its content: `attempts.parquet`, `refusals.parquet`, `load.json`. A load is written beside
the archive, made durable (fsync of files and folder) and then appears whole by one rename: that is the acknowledgement.
A load on its way holds a lock on its folder; a folder without one was left by a process that is gone, and is swept.
"""

import contextlib
import datetime as dt
import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.doubts import Doubts
from ingest.numbering import Drop, Run, processes
from ingest.reader import NO_ATTEMPTS, Batch

HEAD_BYTES = 1 << 20

# Between the name of a load and a day: what is left of the load after it was pruned to that day (ingest/prune.py).
PRUNED = ".pruned-"

_NAME = re.compile(rf"[0-9a-f]{{12}}-[0-9a-f]{{32}}({re.escape(PRUNED)}\d{{4}}-\d\d-\d\d)?")

_REPEATING = [
    "source_format", "model_raw", "platform", "service_tier", "speed", "inference_geo", "stop_reason", "error_type",
    "error_code", "feature", "user_id", "team", "environment", "workspace_id", "client_version",
]  # fmt: skip

REFUSALS = pa.schema([("source_line", pa.int64()), ("reason", pa.string()), ("preview", pa.string())])


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
    pruned_records: int = 0  # attempts that were removed since it landed, and refused lines
    pruned_refusals: int = 0
    recorder_runs: list[Run] = field(default_factory=list)  # numbers of the recorder's lines: see ingest/numbering.py
    recorder_drops: list[Drop] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)  # SHA-256 of each Parquet file, by its name


class Archive:
    """The folder of loads below an Outlay home."""

    def __init__(self, home: Path) -> None:
        """The folder is made when the first load lands."""
        self.folder = home / "archive"
        self._landing = home / "landing"

    def loads(self) -> Iterator[Path]:
        """Folders of all loads, in the order of their names; of a pruned one, what is left of it."""
        newest = {name.partition(PRUNED)[0]: name for name in self._names()}
        yield from (self.folder / name for name in newest.values())

    def superseded(self) -> list[Path]:
        """Folders of loads in whose place what is left of them counts: a process was killed before it deleted them."""
        return sorted({self.folder / name for name in self._names()} - set(self.loads()))

    def _names(self) -> list[str]:
        """Told by their names alone: a load appears whole, and looking into each takes seconds where there are many."""
        names = os.listdir(self.folder) if self.folder.is_dir() else ()  # noqa: PTH208 (so many paths cost more)
        return sorted(name for name in names if _NAME.fullmatch(name))

    def landed(self, load_id: str) -> Landed | None:
        """What the load of this name, pruned or not, says about itself; None if there is none."""
        path = max(self.folder.glob(f"{load_id}{PRUNED}*"), default=self.folder / load_id)
        if not (path / "load.json").is_file():
            return None
        sync(self.folder)  # another process may have renamed it into place a moment ago
        return self.read(path)

    @staticmethod
    def read(load: Path) -> Landed:
        """What the load in this folder says about itself."""
        return Landed(**json.loads((load / "load.json").read_text(encoding="utf-8")))

    def may_hold(self, head: str) -> bool:
        """Could the archive hold a load whose content begins like this? False is certain, True is not."""
        return self.folder.is_dir() and any(self.folder.glob(f"{head}-*"))

    def landing(self, source_name: str) -> "Landing":
        """A place for one load that is being read. What killed loads have left is swept away."""
        folder, lock = self._place()
        return Landing(self, folder, lock, source_name)

    @contextlib.contextmanager
    def workplace(self) -> Iterator[Path]:
        """A folder on the archive's disk for as long as the block lasts; should the process be killed, it is swept."""
        folder, lock = self._place()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)

    def _place(self) -> tuple[Path, int]:
        """A new folder, and the descriptor that holds its lock."""
        self._landing.mkdir(parents=True, exist_ok=True)
        for leftover in self.leftovers():
            shutil.rmtree(leftover, ignore_errors=True)
        while True:
            folder = Path(tempfile.mkdtemp(dir=self._landing))
            lock = lock_on(folder)
            if lock is not None and folder.exists():  # else another process swept it before it was locked
                return folder, lock

    def leftovers(self) -> Iterator[Path]:
        """Folders of loads whose process is gone, each locked while the caller looks at it. Nothing needs them."""
        folders = sorted(self._landing.iterdir()) if self._landing.is_dir() else []
        for folder in folders:
            if (lock := lock_on(folder)) is not None:
                try:
                    yield folder
                finally:
                    os.close(lock)


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

    def read_with(self, beside: str) -> None:
        """Take in what decided, besides content and options, how it was read; called once, after the last byte."""
        if beside:
            self._whole = hashlib.sha256(self._whole.digest() + beside.encode())

    @property
    def head(self) -> str:
        """The part of the name that the first megabyte decides."""
        return self._head.hexdigest()[:12]

    def __str__(self) -> str:
        """The whole name."""
        return f"{self.head}-{self._whole.hexdigest()[:32]}"


class Landing:
    """One load on its way into the archive. Left without `land`, it leaves nothing behind."""

    def __init__(self, archive: Archive, folder: Path, lock: int, source_name: str) -> None:
        """Made by `Archive.landing`. `lock` is the descriptor that holds the lock on `folder`."""
        self._archive, self._folder, self._lock = archive, folder, lock
        now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
        self.report, self._doubts = Landed("", source_name, now.isoformat()), Doubts(now)
        self._formats: set[str] = set()
        self._attempts = attempts_writer(folder / "attempts.parquet", NO_ATTEMPTS.schema)
        self._refusals = pq.ParquetWriter(folder / "refusals.parquet", REFUSALS)
        self._zones_assumed = 0

    def __enter__(self) -> "Landing":
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Whatever has not landed is removed."""
        try:
            for writer in (self._attempts, self._refusals):
                with contextlib.suppress(OSError, pa.ArrowException):  # on a full disk a file cannot even be ended
                    writer.close()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)
            os.close(self._lock)

    @property
    def attempts(self) -> int:
        """How many attempts have been written so far."""
        return self.report.read_records - self.report.refused_records

    @property
    def refused(self) -> int:
        """How many records have been refused so far."""
        return self.report.refused_records

    def add(self, batch: Batch) -> None:
        """Write what one chunk held."""
        if batch.attempts.num_rows:
            self._doubts.look(batch.attempts)
            self._attempts.write_table(batch.attempts.cast(NO_ATTEMPTS.schema))
        if batch.refusals:
            self._refusals.write_table(
                pa.table(
                    [
                        [refusal.line for refusal in batch.refusals],
                        [refusal.reason for refusal in batch.refusals],
                        [refusal.preview for refusal in batch.refusals],
                    ],
                    schema=REFUSALS,
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
        report.recorder_runs += batch.numbers.runs
        report.recorder_drops += batch.numbers.drops

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
        report.notes += self._doubts.notes()
        report.recorder_runs = [
            (process.name, *run) for process in processes(report.recorder_runs, ()) for run in process.runs
        ]
        self._attempts.close()
        self._refusals.close()
        report.digests = {path.name: digest(path) for path in sorted(self._folder.glob("*.parquet"))}
        (self._folder / "load.json").write_text(json.dumps(asdict(report), indent=1), encoding="utf-8")
        for path in self._folder.iterdir():
            sync(path)
        sync(self._folder)
        if not self._archive.folder.exists():
            self._archive.folder.mkdir(parents=True, exist_ok=True)
            sync(self._archive.folder.parent)
            sync(self._archive.folder.parent.parent)
        try:
            self._folder.rename(self._archive.folder / report.load_id)
        except OSError:
            if (landed := self._archive.landed(report.load_id)) is None:
                raise
            return landed
        sync(self._archive.folder)
        return report


def attempts_writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """What writes attempts as the archive keeps them."""
    # Ids and counts hardly repeat: a dictionary of them costs time and saves nothing.
    repeating = [name for name in _REPEATING if name in schema.names]
    return pq.ParquetWriter(path, schema, compression="zstd", compression_level=1, use_dictionary=repeating)


def digest(path: Path) -> str:
    """The SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_whole(load: Path) -> bool:
    """Are the files of a landed load what they were when it landed?"""
    try:
        digests = Archive.read(load).digests
        return bool(digests) and all(digest(load / name) == said for name, said in digests.items())
    except (OSError, ValueError, TypeError):
        return False


def lock_on(folder: Path) -> int | None:
    """A descriptor that locks the folder until it is closed or its process ends; None if another has it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def sync(path: Path) -> None:
    """Make a file, or the names in a folder, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
