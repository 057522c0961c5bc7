"""All tables of a report in one zip, a file for each, and a page that says what they are about."""

import io
import re
import zipfile
from typing import Literal

from dashboard.names import display_name
from dashboard.reports import as_csv, as_parquet
from dashboard.reports.report import Report

Form = Literal["csv", "parquet"]


def written(report: Report, form: Form) -> bytes:
    """The zip as a file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("about.txt", about(report))
        for number, table in enumerate(report.tables, 1):
            name = f"{number}-{file_word(table.title)}.{form}"
            is_csv = form == "csv"
            bundle.writestr(name, as_csv.written(table, report.zone) if is_csv else as_parquet.written(report, table))
    return out.getvalue()


def about(report: Report) -> str:
    """What the figures are about: page, period, scope, as of when, and what is to be known of them."""
    return "\n".join(
        [
            f"{report.title}, {report.period} ({report.zone})",
            *report.scope,
            f"As of {report.as_of:%Y-%m-%d %H:%M} UTC",
            report.basis,
            *(display_name(note, limit=300) for note in report.notes),
            "",
        ]
    )


def file_word(title: str) -> str:
    """A title as part of a file's name."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "table"


def file_name(report_page: str, since: object, until: object, form: str) -> str:
    """What a downloaded report is called."""
    days = f"{since}-{until}" if since and until else "all-time"
    return f"outlay-{report_page}-{days}.{form}"
