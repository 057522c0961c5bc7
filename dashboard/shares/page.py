"""A report as a web page: figures, interactive charts, tables that sort, and where every number comes from.

Every value is escaped by the template, and what the scripts read is data in a block that no browser runs.
"""

import json
import tomllib
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from dashboard import units
from dashboard.reports import cells
from dashboard.reports.palette import light
from dashboard.reports.report import Figure, Report, Table
from dashboard.rows import Rows
from dashboard.small_pages import drawn


def written(report: Report, name: str, expires_at: datetime, downloads: Sequence[tuple[str, str]]) -> str:
    """The page of a share. downloads: the files beside it, each with its label."""
    return drawn(
        "page.html",
        name=name,
        report=report,
        as_of=units.moment(report.as_of, report.zone),
        expires=units.moment(expires_at, report.zone),
        figures=[_figure(report, of) for of in report.figures],
        tables=[table for of in report.tables if (table := _table(of.title, of, report.zone))],
        prices=_table("List prices", Table("", report.prices, {}), report.zone),
        downloads=downloads,
        data=_block({"charts": [of.figure for of in report.charts], "dark": dark()}),
    )


def entrance(token: str, wants_password: bool) -> str:
    """The page before a share: a button, and not a word about what is behind it."""
    return drawn("entrance.html", token=token, wants_password=wants_password)


def denial() -> str:
    """The one page for a link that does not open, whatever the reason."""
    return drawn("denial.html")


@cache
def dark() -> dict[str, str]:
    """A colour of the light theme → the same of the dark theme."""
    config = Path(__file__).parents[1] / ".streamlit" / "config.toml"
    themes = tomllib.loads(config.read_text(encoding="utf-8"))["theme"]
    told: dict[str, str] = {}
    for name, colour in themes["light"].items():
        if isinstance(colour, str) and colour.startswith("#"):
            told[colour] = themes["dark"][name]
    told |= dict(zip(themes["light"]["chartCategoricalColors"], themes["dark"]["chartCategoricalColors"], strict=True))
    return {colour: told[colour] for colour in light().values() if colour in told}


def _figure(report: Report, figure: Figure) -> dict[str, str]:
    moved = units.change(figure.name, figure.value, figure.before)
    return {
        "label": units.label(figure.name),
        "value": units.text(figure.name, figure.value, report.zone),
        "change": f"{moved} vs {report.before_period}" if moved else "",
        "note": figure.note,
    }


def _table(title: str, table: Table, zone: str) -> dict[str, Any] | None:
    names = list(table.rows.columns)
    if not len(table.rows):
        return None
    safe = cells.columns(table, zone)
    return {
        "title": title,
        "note": table.note,
        "head": [(units.label(name), _is_number(name)) for name in names],
        "rows": list(zip(*(_cells(name, table.rows, safe[name], zone) for name in names), strict=True)),
        "total": ["Total", *(units.text(name, table.total[name], zone) if table.total.get(name) is not None else ""
                             for name in names[1:])] if table.total else [],
    }  # fmt: skip


def _cells(column: str, rows: Rows, safe: Sequence[Any], zone: str) -> list[tuple[str, str, bool]]:
    """Each value as it is read, as it is sorted by (empty: as it is read), and whether it is a number."""
    is_number = _is_number(column)
    return [
        (told if isinstance(told, str) else _words(column, value, zone), _sorted_by(value), is_number)
        for value, told in zip(rows[column], safe, strict=True)
    ]


def _words(column: str, value: Any, zone: str) -> str:
    """A value that is no text; one whose column has no unit is a day, or a number with all its digits."""
    if units.kind(column) in ("count", "name"):
        if isinstance(value, date):
            return units.day(value)
        if isinstance(value, Decimal):
            return f"{value.normalize():f}"
        if isinstance(value, bool):
            return "yes" if value else "no"
    return units.text(column, value, zone)


def _sorted_by(value: Any) -> str:
    match value:
        case None:
            return ""
        case Decimal():
            return f"{value:f}"
        case datetime() | date():
            return value.isoformat()
        case int() | float():
            return repr(value)
    return ""


def _is_number(column: str) -> bool:
    return units.kind(column) in ("usd", "rate", "ms", "tokens", "ratio", "bytes", "count")


def _block(value: Any) -> Markup:
    """JSON for a data block in HTML: no sign in it can end the block or open a comment."""
    told = json.dumps(value, ensure_ascii=True, default=str)
    return Markup(told.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
