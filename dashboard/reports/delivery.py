"""Files that are written when a period has ended: into a folder, by e-mail, or both; each period once.

What was delivered is remembered before the next look, what failed is tried again later, and in the end given up with
its reason kept. A crash between sending and remembering sends a file twice, never not at all.
"""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from dashboard.alerts import channels
from dashboard.alerts.ledger import BACKOFF
from dashboard.alerts.rules import Delivery, Rules
from dashboard.choices import choices
from dashboard.names import display_name
from dashboard.reports import as_focus, as_pdf, as_xlsx, bundle
from dashboard.reports.build import NothingToReport, report_of
from dashboard.reports.files import write_whole
from dashboard.reports.report import Letterhead
from dashboard.rows import Read
from queries import Filters

IN_FOLDER = "(folder)"  # a channel cannot be called this
IN_HAND = timedelta(minutes=30)  # for so long a process may be busy with one file before another takes it over
_TABLE = """create table if not exists report_deliveries (
    rule text not null, until text not null, target text not null, status text not null, tries integer not null,
    due_at text not null, error text, primary key (rule, until, target)) strict"""


def due(delivery: Delivery, now: datetime) -> Filters:
    """The last period that ended at least the delivery's delay ago, on its own clock, as filters."""
    today = (now.astimezone(ZoneInfo(delivery.filters.zone)) - delivery.delay).date()
    begin, _ = delivery.every.days(today)
    since, until = delivery.every.days(begin - timedelta(days=1))
    return replace(delivery.filters, since=since, until=until)


def run(
    home: Path, rules: Rules, base: Path, read: Read, now: datetime, environment: Mapping[str, str] = os.environ
) -> list[str]:
    """Deliver what is due and not delivered yet; a sentence for each that could not be.

    `base` is the folder that relative paths of the rules are below.
    """
    faults = []
    for delivery in rules.deliveries.values():
        if not delivery.is_enabled:
            continue
        filters = due(delivery, now)
        period = filters.until.isoformat() if filters.until else ""
        targets = [IN_FOLDER] * bool(delivery.folder) + list(delivery.channels)
        claimed = [target for target in targets if _claim(home, delivery.name, period, target, now)]
        if not claimed:
            continue
        try:
            file, problem = written(delivery, filters, read, letterhead(rules, base), home), None
        except NothingToReport:
            file, problem = None, None  # a period without calls has nothing to deliver, and will not have
        except Exception as error:  # one report that cannot be made keeps no other from being delivered
            file, problem = None, display_name(f"it could not be made ({type(error).__name__}: {error})", limit=300)
        for target in claimed:
            fault = _hand_over(rules, delivery, target, base, file, environment) if file else problem
            _record(home, delivery.name, period, target, fault, now)
            if fault:
                faults.append(f"deliveries.{delivery.name}: {fault}")
    return faults


def written(
    delivery: Delivery, filters: Filters, read: Read, head: Letterhead, home: Path | None = None
) -> tuple[str, bytes]:
    """The file of a period, and its name."""
    ending = {"csv": "csv.zip", "parquet": "parquet.zip"}.get(delivery.form, delivery.form)
    if delivery.report == "focus":
        charges = read(as_focus.VIEW, filters)
        content = as_focus.as_csv(charges).encode() if delivery.form == "csv" else as_focus.as_parquet(charges)
        return bundle.file_name("focus", filters.since, filters.until, delivery.form), content
    report = report_of(delivery.report, filters, read, hides_users=not delivery.names_users, home=home)
    match delivery.form:
        case "pdf":
            content = as_pdf.written(report, head)
        case "xlsx":
            content = as_xlsx.written(report)
        case _:
            content = bundle.written(report, "csv" if delivery.form == "csv" else "parquet")
    return bundle.file_name(delivery.report, filters.since, filters.until, ending), content


def standing(home: Path) -> list[dict[str, str | int | None]]:
    """What was delivered, or why not: the newest period first."""
    with choices(home, changes=False) as con:
        con.execute(_TABLE)
        found = con.execute(
            "select rule, until, target, status, tries, due_at, error from report_deliveries order by until desc, rule"
        )
        names = [name for name, *_ in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def letterhead(rules: Rules, base: Path) -> Letterhead:
    """The letterhead of the rules, its logo below the folder that the rules file is in; one that is missing is told."""
    head = rules.letterhead
    if head.logo is None:
        return head
    if (base / head.logo).is_file():
        return replace(head, logo=base / head.logo)
    return replace(head, logo=None, note=f"{head.note} There is no logo {head.logo} beside the rules file.".strip())


def _hand_over(
    rules: Rules, delivery: Delivery, target: str, base: Path, file: tuple[str, bytes], environment: Mapping[str, str]
) -> str | None:
    """Put a file into its folder or send it; a sentence if that failed."""
    name, content = file
    try:
        if target == IN_FOLDER:
            folder = base / delivery.folder
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(folder / name, content)
            return None
        with tempfile.TemporaryDirectory() as folder_name:
            copy = Path(folder_name) / name
            copy.write_bytes(content)
            title = f"Outlay: {delivery.name}, {name.removeprefix('outlay-')}"
            body = f"{name} is attached. More is on the dashboard: {rules.base_url}"
            channels.send_file(rules.channels[target], title, body, copy, environment)
    except channels.Undelivered as undelivered:
        return str(undelivered)
    except OSError as problem:
        return f"{delivery.folder or 'a temporary folder'} cannot be written ({problem.strerror})"
    return None


def _claim(home: Path, rule: str, until: str, target: str, now: datetime) -> bool:
    """Take a file upon oneself, unless it was delivered, is not due again yet, or another process has it in hand."""
    with choices(home) as con:
        con.execute(_TABLE)
        taken = con.execute(
            """insert into report_deliveries values (?1, ?2, ?3, 'waiting', 1, ?5, null)
            on conflict (rule, until, target) do update set tries = tries + 1, due_at = ?5
                where status = 'waiting' and due_at <= ?4""",
            (rule, until, target, now.isoformat(), (now + IN_HAND).isoformat()),
        )
        return taken.rowcount == 1


def _record(home: Path, rule: str, until: str, target: str, error: str | None, now: datetime) -> None:
    with choices(home) as con:
        (tries,) = con.execute(
            "select tries from report_deliveries where rule = ? and until = ? and target = ?",
            (rule, until, target),
        ).fetchone()
        status = "sent" if error is None else "failed" if tries > len(BACKOFF) else "waiting"
        later = now + timedelta(minutes=BACKOFF[min(tries, len(BACKOFF)) - 1])
        con.execute(
            """update report_deliveries set status = ?, due_at = ?, error = ?
            where rule = ? and until = ? and target = ?""",
            (status, later.isoformat(), error, rule, until, target),
        )
