"""What becomes of an uploaded file, in words, and told so that the numbers add up.

The page shows these strings as plain text and makes no words of its own.
"""

import csv
import io
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from dashboard import units
from dashboard.names import display_name
from dashboard.uploads import CANCELLABLE, ENDED, KEPT_SECONDS, Job

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
SHOWN_REASONS = 5
LONGEST_SENTENCE = 300

Report = Mapping[str, Any]
Line = tuple[str, int, str, str]


def described(job: Job) -> dict[str, Any]:
    """A job as the page shows it: plain values and whole sentences."""
    reports, bills = (job.reports, job.bills) if job.state in ENDED else ([], [])
    return {
        "id": job.id,
        "name": job.name,
        "size": units.size(job.size),
        "state": job.state,
        "share": _share(job),
        "status": _status(job),
        "problem": job.problem and display_name(job.problem, limit=LONGEST_SENTENCE),
        "can_cancel": job.state in CANCELLABLE,
        "has_ended": job.state in ENDED,
        "logs": [_log(report, is_only=len(reports) == 1) for report in reports] + [_bill(of) for of in bills],
        "refused": sum(report["refused_records"] for report in reports),
        "unclaimed": _unclaimed(job) if job.is_unclaimed else None,
    }


def refusals_csv(lines: Iterable[Line]) -> Iterator[str]:
    """Refused lines as CSV, in pieces; a cell that a spreadsheet would run as a formula is quoted as text."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["file", "line", "reason", "preview"])
    for number, (name, line, reason, preview) in enumerate(lines):
        writer.writerow([_inert(name), line, _inert(reason), _inert(preview)])
        if number % 1_000 == 0:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()


def _inert(text: str) -> str:
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text


def _share(job: Job) -> float:
    """How far a job has come, from 0 to 1, over receiving, reading and folding."""
    received, read = job.received / max(1, job.size), min(1.0, job.bytes_read / max(1, job.size))
    match job.state:
        case "receiving":
            return 0.3 * received
        case "waiting":
            return 0.3
        case "reading":
            return 0.3 + 0.6 * read
        case "folding":
            return 0.9
    return 1.0


def _status(job: Job) -> str:
    seconds = f"{time.monotonic() - job.state_at:.0f} s"
    match job.state:
        case "receiving" if not job.received:
            return "Waiting to be sent"
        case "receiving":
            return f"Receiving: {units.size(job.received)} of {units.size(job.size)}"
        case "waiting":
            return "Waiting for its turn to be read"
        case "reading" if not job.lines_read:
            return f"Reading, {seconds}"
        case "reading":
            of = f"{units.size(min(job.bytes_read, job.size))} of {units.size(job.size)}"
            return f"Reading: {of}, {job.lines_read:,} lines, {seconds}"
        case "folding":
            return f"Adding {job.lines_read:,} lines to the dashboard, {seconds}"
        case "done":
            return "Loaded"
        case "failed":
            return "Loaded in part" if job.reports or job.bills else "Not loaded"
    return "Cancelled: nothing of it was taken" if not job.reports else "Cancelled: what had landed before stays"


def _log(report: Report, is_only: bool) -> dict[str, Any]:
    return {
        "name": None if is_only else display_name(report["source_name"], limit=200),
        "arithmetic": [
            [f"{report[column]:,}", words]
            for column, words in (
                ("read_records", "read"),
                ("new_attempts", "new"),
                ("known_records", "already known"),
                ("folded_records", "folded"),
                ("refused_records", "refused"),
            )
        ],
        "facts": " · ".join(_facts(report)),
        "notes": [display_name(note, limit=LONGEST_SENTENCE) for note in report.get("notes") or ()],
        "unpriced": _unpriced(report.get("unpriced_models") or ()),
        "refusals": _reasons(report.get("refusals") or ()),
    }


def _bill(report: Report) -> dict[str, Any]:
    days = units.period(date.fromisoformat(report["first_day"]), date.fromisoformat(report["last_day"]))
    known = ["the very same report was taken in before"] if report["is_known"] else []
    return {
        "name": None,
        "arithmetic": [[f"{report['rows']:,}", f"rows of a {report['kind']} report, taken in for Reconciliation"]],
        "facts": " · ".join([days, *known]),
        "notes": [display_name(note, limit=LONGEST_SENTENCE) for note in report["notes"]],
        "unpriced": None,
        "refusals": [],
    }


def _facts(report: Report) -> list[str]:
    facts = [f"{report['lines']:,} lines", units.size(report["bytes"])]
    if report.get("formats"):
        facts.insert(0, ", ".join(display_name(name) for name in report["formats"]))
    if report.get("other_lines"):
        facts.append(f"{report['other_lines']:,} lines that hold no request")
    if report.get("first_started_at") and report.get("last_started_at"):
        facts.append(units.period(report["first_started_at"].date(), report["last_started_at"].date()))
    if report.get("is_known"):
        facts.append("the very same content was loaded before")
    return facts


def _unpriced(models: Iterable[Report]) -> str | None:
    names = [f"{display_name(each['model'])} ({each['attempts']:,} attempts)" for each in models]
    return f"No list price for {', '.join(names)}: counted everywhere, missing from every cost." if names else None


def _reasons(refusals: Iterable[Report]) -> list[str]:
    told = [
        f"{refusal['records']:,} × {display_name(refusal['reason'], limit=LONGEST_SENTENCE)} "
        f"(first on line {refusal['line']:,})"
        for refusal in refusals
    ]
    if len(told) > SHOWN_REASONS:
        told[SHOWN_REASONS:] = [f"and {len(told) - SHOWN_REASONS:,} more reasons, in the download"]
    return told


def _unclaimed(job: Job) -> str:
    left = max(1, round((job.state_at + KEPT_SECONDS - time.monotonic()) / 60))
    return (
        f"Outlay does not know this format. The file is kept for {left} more minutes, so that you can say what its "
        "columns mean."
    )
