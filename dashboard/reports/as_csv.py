"""A table as CSV: the same rows, figures and totals as on the screen, and no name that a spreadsheet would run."""

import csv
import io
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from dashboard.reports import cells
from dashboard.reports.report import Table

# A spreadsheet takes a cell that begins with one of these for a formula and runs it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def written(table: Table, zone: str) -> str:
    """Headings, rows and totals; numbers plain with every digit, days and times in ISO 8601."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([cells.heading(name, zone) for name in table.rows.columns])
    writer.writerows([cell(value) for value in line] for line in cells.lines(table, zone))
    return out.getvalue()


def cell(value: Any) -> Any:
    """One value as CSV holds it; a text that a spreadsheet would run gets a single quote before it."""
    match value:
        case None:
            return ""
        case Decimal():
            return f"{value:f}"
        case datetime() | date():
            return value.isoformat()
        case str():
            return f"'{value}" if value.startswith(_FORMULA) else value
    return value
