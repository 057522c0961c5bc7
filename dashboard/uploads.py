"""Files sent from a browser, each one a job: received into a folder, read by a child process, folded, told.

A job lives in the server and not on the page: it goes on when the page is left, and any page shows it. The file lies in
that folder until it has been read (until somebody has mapped or dismissed it, where no format knew its records) and
never in memory. Reading happens in a child process, so that a crash there never takes the dashboard down.
"""

import contextlib
import datetime as dt
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zoneinfo
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from dashboard import units
from dashboard.names import display_name
from dashboard.owner import Owner, Report
from ingest import mappings
from ingest.archive import Archive
from ingest.mapping import Mapping
from ingest.reader import Refusal

State = Literal["receiving", "waiting", "reading", "folding", "done", "failed", "cancelled"]

ENDED = ("done", "failed", "cancelled")
CANCELLABLE = ("receiving", "waiting", "reading")
READ_AT_ONCE = 2
MOST_JOBS = 1_000
SILENT_SECONDS = 120.0  # a browser that sends nothing for so long has gone
KEPT_SECONDS = 3600.0  # an unclaimed file waits so long for somebody to map its columns
USER_IDS = ("keep", "pseudonymise", "drop")
SPARE_BYTES = 64 << 20  # the disk is never filled to the brim
PREVIEWED = 20  # records that a mapping is tried on
UNCLAIMED_SHARE = 0.9  # so many of a file's records refused: its format is not one we know


class UploadRefused(Exception):
    """Something that cannot be done with an upload. The message says why."""


class Unknown(Exception):
    """No such job: it was dismissed, or the server has been started anew."""


@dataclass
class Job:
    """One file on its way in. Times are seconds of `time.monotonic`."""

    id: str
    name: str
    size: int
    options: tuple[str, ...]
    sender: str
    path: Path
    written_at: float  # seconds since 1970; as of then a bill holds that does not say
    state: State = "receiving"
    received: int = 0
    bytes_read: int = 0
    lines_read: int = 0
    reports: list[Report] = field(default_factory=list)
    bills: list[Report] = field(default_factory=list)
    problem: str | None = None
    heard_at: float = field(default_factory=time.monotonic)
    state_at: float = field(default_factory=time.monotonic)
    samples: dict[str, list[str]] | None = None
    reading: Future[None] | None = None
    child: subprocess.Popen[bytes] | None = None
    writing: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_unclaimed(self) -> bool:
        """Is its file kept because no format knew (nearly all of) its records?"""
        return self.state == "done" and self.path.exists()


class Uploads:
    """All jobs of a server."""

    def __init__(self, owner: Owner) -> None:
        """Whatever an earlier server left there is removed. `token`: what our own pages say to us."""
        self._owner = owner
        self.token = secrets.token_urlsafe(32)
        self._folder = owner.home / "uploads"
        shutil.rmtree(self._folder, ignore_errors=True)
        self._jobs: dict[str, Job] = {}
        self._lock = threading.RLock()
        self._readers = ThreadPoolExecutor(READ_AT_ONCE, "read-upload")

    # --- what a browser asks for ---------------------------------------------------------------------------------

    def expect(
        self, name: str, size: int, sender: str, options: tuple[str, ...] = (), written_at: float | None = None
    ) -> Job:
        """A job for a file of `size` bytes about to be sent. Raises UploadRefused where the disk cannot hold it.

        `sender` names the browser tab; `options` are those of `python -m ingest`; written_at: when the file was last
        written, in seconds since 1970, or now.
        """
        with self._lock:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            free = shutil.disk_usage(self._folder).free - SPARE_BYTES
            free -= sum(job.size - job.received for job in self._jobs.values() if job.state == "receiving")
            if size > free:
                raise UploadRefused(
                    f"{units.size(size)} do not fit: {units.size(max(free, 0))} are free on the disk that holds "
                    f"{self._owner.home}"
                )
            if len(self._jobs) >= MOST_JOBS and not self._forget_oldest():
                raise UploadRefused(f"{MOST_JOBS:,} files are on their way already; wait for some of them to be read")
            number = secrets.token_urlsafe(16)
            path = self._folder / number
            job = Job(number, display_name(name, limit=200), size, options, sender, path, written_at or time.time())
            job.path.touch(mode=0o600)
            self._jobs[job.id] = job
            if size == 0:
                self._received(job)
            return job

    def receive(self, job_id: str, offset: int, block: bytes) -> None:
        """Write the bytes of a file that stand at `offset`. Raises UploadRefused when they are not wanted, Unknown."""
        job = self.job(job_id)
        with job.writing:
            if job.state != "receiving" or job.received != offset or offset + len(block) > job.size:
                raise UploadRefused(job.problem or "these bytes are not wanted")
            try:
                with job.path.open("ab") as file:
                    file.write(block)
            except OSError as error:
                self._turn(job, "failed", f"the file could not be kept ({error.strerror}); nothing of it was taken")
                job.path.unlink(missing_ok=True)
                raise UploadRefused(str(job.problem)) from error
            job.received += len(block)
        with self._lock:
            now = time.monotonic()
            for other in self._jobs.values():
                if other.sender == job.sender:
                    other.heard_at = now
            if job.received == job.size:
                self._received(job)

    def cancel(self, job_id: str) -> None:
        """Stop receiving or reading a file; nothing of it stays behind. Raises UploadRefused once it has landed."""
        job = self.job(job_id)
        with self._lock:
            if job.state not in CANCELLABLE:
                raise UploadRefused("this file has been read already")
            self._turn(job, "cancelled")
            child = job.child
        if child:
            child.kill()
            child.wait()
            for leftover in Archive(self._owner.home).leftovers():
                shutil.rmtree(leftover, ignore_errors=True)
        _remove(job)

    def dismiss(self, job_id: str) -> None:
        """Forget a job that has ended, and the file that was kept for it. Raises UploadRefused while it runs."""
        job = self.job(job_id)
        with self._lock:
            if job.state not in ENDED:
                raise UploadRefused("this file is still being loaded; cancel it first")
            del self._jobs[job.id]
        _remove(job)

    def jobs(self) -> list[Job]:
        """All jobs, the newest first."""
        with self._lock:
            return list(reversed(self._jobs.values()))

    def job(self, job_id: str) -> Job:
        """One job. Raises Unknown."""
        try:
            return self._jobs[job_id]
        except KeyError:
            raise Unknown(job_id) from None

    def refusals(self, job: Job) -> Iterator[tuple[str, int, str, str]]:
        """Every refused line of a job's logs: (log, line, reason, preview with its content masked)."""
        with self._owner.cursor() as cursor:
            found = cursor.execute(
                "select source_name, source_line, reason, preview from store.refusals join store.loads using (load_id) "
                "where load_id in (select unnest($ids)) order by source_name, source_line",
                {"ids": [report["load_id"] for report in job.reports]},
            )
            while rows := found.fetchmany(1_000):
                yield from rows

    # --- files that no format knows ------------------------------------------------------------------------------

    def samples(self, job: Job) -> dict[str, list[str]]:
        """The columns of a kept file, each with its first few values, masked. Raises UploadRefused."""
        if job.samples is None:
            job.samples = _glance(self._kept(job))["samples"]
        self._kept(job)
        return job.samples

    def preview(self, job: Job, mapping: Mapping) -> mappings.Preview:
        """What a mapping would make of a kept file's first records, its values as text. Raises UploadRefused."""
        said = _glance(self._kept(job), f"--mapping={mapping.content}", f"--records={PREVIEWED}")
        refusals = [Refusal(**refusal) for refusal in said["refusals"]]
        return mappings.Preview(said["missing"], said["attempts"], refusals)

    def load_mapped(self, job: Job, mapping: Mapping) -> None:
        """Save a mapping under its name, and read a kept file once more with it."""
        with self._lock:
            self._kept(job)
            mappings.save(self._owner.home, mapping)
            others = tuple(option for option in job.options if not option.startswith("--mapping="))
            job.options = (*others, f"--mapping={mapping.name}")
            job.reports, job.bytes_read, job.lines_read = [], 0, 0
            self._received(job)

    def _kept(self, job: Job) -> Path:
        if not job.is_unclaimed:
            raise UploadRefused("the file is no longer kept; drop it again")
        return job.path

    # --- what the server does by itself --------------------------------------------------------------------------

    def sweep(self, now: float) -> None:
        """Give up files whose browser has gone, and files that nobody has mapped in time. `now`: monotonic seconds."""
        for job in self.jobs():
            if job.state == "receiving" and now - job.heard_at > SILENT_SECONDS:
                with self._lock:
                    self._turn(job, "failed", "the browser stopped sending before the end; nothing of it was taken")
                _remove(job)
            elif job.is_unclaimed and now - job.state_at > KEPT_SECONDS:
                _remove(job)

    def close(self) -> None:
        """Stop all children, as the server stops. Files that have not landed are given up."""
        for job in self.jobs():
            with contextlib.suppress(UploadRefused, Unknown):
                self.cancel(job.id)
        self._readers.shutdown(wait=False, cancel_futures=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _received(self, job: Job) -> None:
        os.utime(job.path, (job.written_at, job.written_at))
        self._turn(job, "waiting")
        job.reading = self._readers.submit(self._read, job)

    def _read(self, job: Job) -> None:
        """Land and fold one file."""
        landed: list[dict[str, Any]] = []
        try:
            with job.path.open("rb") as file, tempfile.TemporaryFile() as complaints:
                with self._lock:
                    if not self._turn_from("waiting", job, "reading"):
                        return
                    child = job.child = _child(self._owner.home, job, file, complaints)
                for said in map(json.loads, child.stdout or ()):
                    if "load_id" in said:
                        landed.append(said)
                    elif "bill" in said:
                        job.bills.append(said["bill"])
                    else:
                        job.bytes_read, job.lines_read = said["bytes"], said["lines"]
                status = child.wait()
                self._turn_from("reading", job, "folding")
                problem = None if status == 0 else _complaint(complaints)
            reports = {
                report["load_id"]: report for report in self._owner.reports([said["load_id"] for said in landed])
            }
            outcomes = [told(reports[said["load_id"]], said["is_known"]) for said in landed]
            job.reports = [report for report in outcomes if "error" not in report]
            problem = problem or next((str(report["error"]) for report in outcomes if "error" in report), None)
        except Exception as error:  # whatever goes wrong is told on the page, and the next file has its turn
            problem = str(error) or type(error).__name__
        finally:
            job.child = None
        if problem or not is_unclaimed(job.reports):
            _remove(job)
        with self._lock:
            if job.state != "cancelled":
                self._turn(job, "failed" if problem else "done", problem)

    def _turn(self, job: Job, state: State, problem: str | None = None) -> None:
        job.state, job.problem, job.state_at = state, problem, time.monotonic()

    def _turn_from(self, before: State, job: Job, state: State) -> bool:
        """Turn, unless the job has been cancelled meanwhile."""
        with self._lock:
            if job.state != before:
                return False
            self._turn(job, state)
            return True

    def _forget_oldest(self) -> bool:
        for job in self._jobs.values():
            if job.state in ENDED:
                self.dismiss(job.id)
                return True
        return False


_serving: Uploads | None = None


def serve_from(uploads: Uploads) -> None:
    """Let the pages of this process show these uploads."""
    global _serving
    _serving = uploads


def serving() -> Uploads | None:
    """The uploads of the server that draws this page; None where `outlay serve` does not run it."""
    return _serving


def told(report: Report, is_known: bool) -> Report:
    """The report of a load; for content that had landed before, all that it holds is already known."""
    if not is_known or "error" in report:
        return report
    known = report["read_records"] - report["refused_records"]
    return report | {"new_attempts": 0, "folded_records": 0, "known_records": known, "is_known": True}


def is_unclaimed(reports: Iterable[Report]) -> bool:
    """Did the formats know (nearly) none of the records?"""
    counts = [(report["read_records"], report["refused_records"]) for report in reports]
    read, refused = sum(read for read, _ in counts), sum(refused for _, refused in counts)
    return bool(read) and refused >= read * UNCLAIMED_SHARE


def reading_options(said: dict[str, Any]) -> tuple[str, ...]:
    """How a file is to be read, as options of `python -m ingest`. Raises ValueError for what makes no sense.

    `said` may name a `zone` (for times without one), a `default_date` (ISO) and what to do with `user_ids`.
    """
    options: list[str] = []
    if zone := said.get("zone"):
        if zone not in zoneinfo.available_timezones():
            raise ValueError(f"unknown time zone {zone!r}")
        options.append(f"--zone={zone}")
    if day := said.get("default_date"):
        options.append(f"--default-date={dt.date.fromisoformat(day)}")
    if user_ids := said.get("user_ids"):
        if user_ids not in USER_IDS:
            raise ValueError(f"user ids can be {', '.join(USER_IDS)}")
        options.append(f"--user-ids={user_ids}")
    return tuple(options)


def _remove(job: Job) -> None:
    with job.writing:
        job.path.unlink(missing_ok=True)


def _child(home: Path, job: Job, file: IO[bytes], complaints: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "ingest", "--home", str(home), f"--name={job.name}", *job.options],
        stdin=file,
        stdout=subprocess.PIPE,
        stderr=complaints,
    )


def _glance(path: Path, *options: str) -> dict[str, Any]:
    """What a process of its own says of a file, whose bytes this one never looks at. Raises UploadRefused."""
    child = subprocess.run(
        [sys.executable, "-m", "ingest.glance", *options, str(path)], capture_output=True, check=False
    )
    if child.returncode:
        lines = child.stderr.decode(errors="replace").strip().splitlines()
        raise UploadRefused(lines[-1] if lines else "the file could not be read")
    said: dict[str, Any] = json.loads(child.stdout)
    return said


def _complaint(complaints: IO[bytes]) -> str:
    """The last line that a child wrote to its standard error."""
    complaints.seek(0)
    lines = complaints.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "the file could not be read"
