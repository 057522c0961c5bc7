"""The cells of a written table: the screen's headings with their units, safe names, exact values."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from dashboard import units
from dashboard.names import display_name, labels
from dashboard.reports.report import Table
from dashboard.rows import DIMENSIONS

TOTAL = "Total"
# Longer than on the screen: a file has room, and who works with it needs the whole name.
LIMIT = 1000


def heading(column: str, zone: str) -> str:
    """The heading of the screen, and the unit that cells on a screen carry themselves."""
    label = units.label(column)
    match units.kind(column):
        case "usd":
            return f"{label} (USD)"
        case "ms":
            return f"{label} (ms)"
        case "at":
            return f"{label} ({zone})"
        case "rate":
            return label.removesuffix(", %")
    return label


def columns(table: Table, zone: str) -> dict[str, list[Any]]:
    """The columns of a table: names safe and told apart, moments on the reader's clock, all else as read."""
    return {name: _column(name, values, zone) for name, values in table.rows.columns.items()}


def total(table: Table, zone: str) -> list[Any] | None:
    """The line of totals, one cell per column; None for a table without one. Its first cell is the word Total."""
    if not table.total:
        return None
    names = list(table.rows.columns)
    return [TOTAL, *(_column(name, [table.total.get(name)], zone)[0] for name in names[1:])]


def lines(table: Table, zone: str) -> Iterator[Sequence[Any]]:
    """The rows of a table, its totals last."""
    yield from zip(*columns(table, zone).values(), strict=True)
    if (last := total(table, zone)) is not None:
        yield last


def _column(name: str, values: Sequence[Any], zone: str) -> list[Any]:
    kind = units.kind(name)
    if name == "token_class":
        return [None if value is None else units.token_class(value) for value in values]
    if kind == "at":
        return [None if value is None else wall_clock(value, zone) for value in values]
    words = [", ".join(value) if isinstance(value, list) else value for value in values]
    shown = labels(dict.fromkeys(words), LIMIT) if name in DIMENSIONS else {}
    return [(shown.get(word) or display_name(word, limit=LIMIT)) if isinstance(word, str) else word for word in words]


def wall_clock(moment: datetime, zone: str) -> datetime:
    """A stored UTC moment as the clock of a zone shows it, to the second."""
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None, microsecond=0)
