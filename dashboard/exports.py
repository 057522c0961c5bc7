"""Tables to take away: the same rows, figures and totals as on the screen."""

import csv
import io
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from dashboard import units
from dashboard.data import Rows
from dashboard.names import display_name

# A spreadsheet takes a cell that begins with one of these for a formula and runs it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(rows: Rows, total: Mapping[str, Any]) -> str:
    """Rows and their line of totals under the headings of the screen; plain numbers, and names that no sheet runs."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = list(rows.columns)
    writer.writerow([units.label(name) for name in names])
    for row in range(len(rows)):
        writer.writerow([_cell(rows[name][row]) for name in names])
    writer.writerow(["Total", *(_cell(total.get(name)) for name in names[1:])])
    return out.getvalue()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if not isinstance(value, str):
        return f"{value:f}" if isinstance(value, Decimal) else value
    name = display_name(value)
    return f"'{name}" if name.startswith(_FORMULA) else name
