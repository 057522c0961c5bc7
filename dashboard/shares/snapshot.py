"""The files of a share: rendered once from one report, in a folder of their own, and replaced whole or not at all."""

import gzip
import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from dashboard import passwords
from dashboard.login.acting import require
from dashboard.login.users import Role
from dashboard.names import display_name
from dashboard.reports import as_pdf, as_xlsx, bundle
from dashboard.reports.build import report_of
from dashboard.reports.report import Report
from dashboard.rows import Read
from dashboard.shares import ledger, page
from dashboard.shares.ledger import MOST_DAYS, Refresh, Scope, Share

LONGEST_NAME = 120
MOST_OPEN = 500  # shares at a time; each holds some files on disk
PAGE = "page.html"
PACKED = "page.html.gz"  # as browsers take it: packing it for each of them would take longer than all else


@dataclass(frozen=True)
class File:
    """One file to take away: what the page calls it, its media type, and how it is written."""

    label: str
    media_type: str
    write: Callable[[Report], bytes]


FILES = {
    "report.xlsx": File(
        "Workbook", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", as_xlsx.written
    ),
    "report.pdf": File("PDF", "application/pdf", as_pdf.written),
    "report.csv.zip": File("CSV", "application/zip", partial(bundle.written, form="csv")),
}


class ShareRefused(ValueError):
    """What was asked for cannot be shared. The message says why."""


def make(
    home: Path,
    read: Read,
    scope: Scope,
    *,
    name: str,
    by: str,
    days: int = ledger.DEFAULT_DAYS,
    password: str = "",
    refresh: Refresh = Refresh.NEVER,
) -> tuple[Share, str]:
    """Render a view as it is now and share it; the share, and the token of its link.

    The token cannot be shown again. Raises ShareRefused, `passwords.TooShort`, KeyError for a page without a report and
    `NothingToReport` for a view without data.
    """
    require(Role.OPERATOR)
    name, now = display_name(name, limit=LONGEST_NAME) if name.strip() else "", datetime.now(UTC)
    if not name:
        raise ShareRefused("a share has a name, by which both sides know it")
    if not 1 <= days <= MOST_DAYS:
        raise ShareRefused(f"a share ends after 1 to {MOST_DAYS} days, not {days}")
    if sum(of.state(now) == "open" for of in ledger.shares(home)) >= MOST_OPEN:
        raise ShareRefused(f"{MOST_OPEN} shares are open; revoke one that is no longer needed")
    kept, share_id, expires_at = password and passwords.digest(password), secrets.token_hex(8), now + timedelta(days)
    rendering = _render(home, share_id, read, scope, name, expires_at)
    token = ledger.add(
        home, share_id, name, scope, by=by, expires_at=expires_at, rendering=rendering, password=kept or None,
        refresh=refresh, now=now,
    )  # fmt: skip
    return ledger.share(home, share_id), token


def refresh_due(home: Path, read: Read, now: datetime) -> list[str]:
    """Render anew what is due, with the scope it was shared with; the ids. What ended a day ago loses its files.

    One that cannot be rendered stays as it is, holds up no other, and is tried again; then all of them are raised.
    """
    renewed, failed = list[str](), dict[str, Exception]()
    for share in ledger.shares(home):
        if share.is_due(now):
            try:
                rendering = _render(home, share.share_id, read, share.scope, share.name, share.expires_at)
            except Exception as error:  # its filters hold no data just now, say
                failed[share.share_id] = error
                continue
            ledger.rendered(home, share.share_id, rendering, now)
            for old in _folder(home, share.share_id).iterdir():
                if old.name not in (rendering, share.rendering):  # whoever reads the last one may finish
                    shutil.rmtree(old, ignore_errors=True)
            renewed.append(share.share_id)
        elif share.revoked_at or now > share.expires_at + timedelta(days=1):
            shutil.rmtree(_folder(home, share.share_id), ignore_errors=True)
    if failed:
        told = "; ".join(f"{share_id}: {error}" for share_id, error in failed.items())
        raise ExceptionGroup(told, list(failed.values()))
    return renewed


def revoke(home: Path, share_id: str, by: str) -> None:
    """End a share for good, and delete its files. Raises NotShared, and NotAllowed as all that changes a share."""
    ledger.change(home, share_id, "revoked", by)
    shutil.rmtree(_folder(home, share_id), ignore_errors=True)


def content(home: Path, share: Share, name: str) -> bytes | None:
    """One file of a share; None for a name that is not among its files."""
    if name not in (PAGE, PACKED) and name not in FILES:
        return None
    try:
        return (_folder(home, share.share_id) / share.rendering / name).read_bytes()
    except FileNotFoundError:
        return None


def _render(home: Path, share_id: str, read: Read, scope: Scope, name: str, expires_at: datetime) -> str:
    report = report_of(
        scope.page,
        scope.filters,
        read,
        chosen=scope.switches,
        compare=scope.compares,
        hides_users=not scope.shows_users,
        home=home,
    )
    return write(home, share_id, report, name, expires_at)


def write(home: Path, share_id: str, report: Report, name: str, expires_at: datetime) -> str:
    """Write every file of a report, on disk when this returns; the name of their folder."""
    rendering = secrets.token_hex(8)
    unfinished = _folder(home, share_id) / f".{rendering}"
    unfinished.mkdir(parents=True, mode=0o700)
    downloads = [(file, of.label) for file, of in FILES.items()]
    shown = page.written(report, name, expires_at, downloads).encode()
    _put(unfinished / PAGE, shown)
    _put(unfinished / PACKED, gzip.compress(shown, mtime=0))
    for file, of in FILES.items():
        _put(unfinished / file, of.write(report))
    unfinished.rename(unfinished.with_name(rendering))
    return rendering


def _put(path: Path, written: bytes) -> None:
    with path.open("wb") as file:
        file.write(written)
        file.flush()
        os.fsync(file.fileno())


def _folder(home: Path, share_id: str) -> Path:
    return home / "shares" / share_id
