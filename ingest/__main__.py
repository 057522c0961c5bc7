"""One load in a process of its own: bytes on standard input, one JSON object per line on standard output.

Progress lines carry `bytes` and `lines` and come twice a second, whatever the reader is at; then comes one line with
`load_id` and `is_known` for each log that landed, or with `bill` for each report of the bill. What
cannot be read ends the process with status 1 and a sentence on standard error. SIGTERM ends it too, and nothing
half-done stays behind.
"""

import argparse
import contextlib
import datetime as dt
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import duckdb

from ingest.bill import kept
from ingest.chunk import Bytes, Unreadable
from ingest.compression import Unpacking
from ingest.limits import Watch
from ingest.load import Loader
from ingest.mappings import named
from ingest.reader import Options, TwoFormats, UserIds

TELL_EVERY_SECONDS = 0.5


def main() -> None:
    """Read standard input into the archive."""
    parser = argparse.ArgumentParser(prog="python -m ingest", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="the Outlay home whose archive takes the load")
    parser.add_argument("--name", required=True, help="what to call the log")
    parser.add_argument("--zone", default="UTC", help="the time zone of times that name none")
    parser.add_argument("--default-date", type=dt.date.fromisoformat, help="the day of records that carry no time")
    parser.add_argument("--user-ids", choices=get_args(UserIds), default="pseudonymise", help="ids of people")
    parser.add_argument("--memory-mb", type=int, default=2048, help="the memory that it may use")
    parser.add_argument("--cpu-seconds", type=float, default=300, help="the processor time that one part may take")
    parser.add_argument("--mapping", help="a saved mapping, or a file that holds one")
    given = parser.parse_args()
    watch = Watch(given.memory_mb << 20, given.cpu_seconds)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        mapping = named(given.home, given.mapping) if given.mapping else None
        options = Options(given.zone, given.default_date, given.user_ids, mapping)
        with os.fdopen(0, "rb") as source, _telling() as told:
            written_at = dt.datetime.fromtimestamp(os.fstat(source.fileno()).st_mtime, dt.UTC)

            def bill(stream: Bytes, name: str, unpacking: Unpacking) -> None:
                for imported in kept.keep(given.home, kept.read_stream(stream, name, written_at, unpacking)):
                    _say({"bill": _told_of(imported)})

            def progress(read: int, lines: int) -> None:
                watch.progress()
                told.update(read, lines)

            loader = Loader(given.home, options, bill=bill)
            for outcome in loader.load_stream(source, given.name, progress):
                _say({"load_id": outcome.landed.load_id, "is_known": outcome.is_known})
    except (Unreadable, TwoFormats, ValueError, OSError, MemoryError, duckdb.Error) as error:
        sys.exit(" ".join(str(error).split()) or type(error).__name__)


def _told_of(imported: kept.Imported) -> dict[str, object]:
    report, days = imported.report, sorted(imported.report.days)
    return {
        "source_name": report.source_name, "kind": report.kind, "first_day": days[0], "last_day": days[-1],
        "rows": len(report.rows), "is_known": imported.is_known, "notes": report.notes,
    }  # fmt: skip


class _Told:
    """How far the reader has come, as it last said itself."""

    def __init__(self) -> None:
        self.bytes = self.lines = 0

    def update(self, read: int, lines: int) -> None:
        """Called by the reader after every chunk."""
        self.bytes, self.lines = read, lines


@contextlib.contextmanager
def _telling() -> Iterator[_Told]:
    """Tell regularly how far the reader has come; the last word is said when it has ended."""
    told, ended = _Told(), threading.Event()

    def tell() -> None:
        while not ended.wait(TELL_EVERY_SECONDS):
            _say({"bytes": told.bytes, "lines": told.lines})

    telling = threading.Thread(target=tell)
    telling.start()
    try:
        yield told
    finally:
        ended.set()
        telling.join()
        _say({"bytes": told.bytes, "lines": told.lines})


def _say(what: dict[str, object]) -> None:
    with contextlib.suppress(BrokenPipeError):  # whoever asked has gone; the load itself goes on
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
