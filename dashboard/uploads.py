"""Files dropped on a page: read by a child process, so that a crash there never takes the dashboard down."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import IO, Any

from dashboard.owner import Owner, Report

BLOCK_BYTES = 1 << 20

_owner: Owner | None = None


class LoadFailed(Exception):
    """A file that could not be loaded. The message says why, and nothing of it is stored."""


def serve_from(owner: Owner) -> None:
    """Fold uploads with this process's own store from now on."""
    global _owner
    _owner = owner


def load_file(name: str, file: IO[bytes], on_progress: Callable[[int, int], None]) -> list[Report]:
    """Land and fold one uploaded file; one report for each log in it. `on_progress` gets (bytes, lines) read.

    Raises LoadFailed.
    """
    if _owner is None:
        raise LoadFailed("this page was not opened by `outlay serve`, so nothing can be loaded here")
    child = subprocess.Popen(
        [sys.executable, "-m", "ingest", "--home", str(_owner.home), "--name", name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdin and child.stdout and child.stderr
    feeding = threading.Thread(target=_feed, args=(file, child.stdin), daemon=True)
    feeding.start()
    landed: list[dict[str, Any]] = []
    for line in child.stdout:
        said = json.loads(line)
        if "load_id" in said:
            landed.append(said)
        elif "bytes" in said:
            on_progress(said["bytes"], said["lines"])
    complaint = child.stderr.read().decode(errors="replace").strip()
    feeding.join()
    if child.wait() != 0:
        raise LoadFailed(complaint.splitlines()[-1] if complaint else "the file could not be read")
    reports = {report["load_id"]: report for report in _owner.reports([said["load_id"] for said in landed])}
    return [told(reports[said["load_id"]], said["is_known"]) for said in landed]


def told(report: Report, is_known: bool) -> Report:
    """The report of a load; for content that had landed before, all that it holds is already known."""
    if not is_known or "error" in report:
        return report
    known = report["read_records"] - report["refused_records"]
    return report | {"new_attempts": 0, "folded_records": 0, "known_records": known, "is_known": True}


def _feed(file: IO[bytes], into: IO[bytes]) -> None:
    """Hand over a file's bytes; a child that stops reading says itself why."""
    try:
        while block := file.read(BLOCK_BYTES):
            into.write(block)
        into.close()
    except BrokenPipeError:
        pass
