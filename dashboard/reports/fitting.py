"""What of a table fits a page: which columns, how many rows, and the rest summed up in one line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dashboard import units
from dashboard.names import ROUNDING, UNATTRIBUTED
from dashboard.reports import cells
from dashboard.reports.report import Table
from dashboard.rows import sums

OTHERS = "All others"


@dataclass(frozen=True)
class Printed:
    """A table in words, ready for paper: headings, rows, and the line of totals if there is one."""

    title: str
    note: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: tuple[str, ...] | None


def share_out(wanted: Sequence[int], there: int) -> list[int]:
    """Lines for each of several tables: none gets more than it wants, and what is there is shared fairly."""
    given = [0] * len(wanted)
    while there > 0 and any(have < want for have, want in zip(given, wanted, strict=True)):
        for place, want in enumerate(wanted):
            if given[place] < want and there > 0:
                given[place] += 1
                there -= 1
    return given


def printed(table: Table, columns: Sequence[str], most: int, zone: str) -> Printed:
    """At most so many rows of a table, in the words of the screen; what is left over is summed up in the last.

    What nobody is named for and what rounding leaves over are never among the rest.
    """
    rows = table.rows
    names = cells.columns(table, zone)
    shown = list(range(len(rows)))
    if len(rows) > most:
        shown = shown[: max(most - 1, 0)]
        kept = [row for row, name in enumerate(rows[columns[0]]) if name in (UNATTRIBUTED, ROUNDING)][: len(shown)]
        named = [row for row in shown if row not in kept]
        shown = [row for row in range(len(rows)) if row in {*named[: len(shown) - len(kept)], *kept}]
    lines = [tuple(_word(name, names, rows[name], row, zone) for name in columns) for row in shown]
    if left := [row for row in range(len(rows)) if row not in set(shown)]:
        lines.append(_others(table, columns, left, zone))
    total = None
    if table.total:
        told = [units.text(name, table.total[name], zone) if name in table.total else "" for name in columns[1:]]
        total = (cells.TOTAL, *told)
    return Printed(table.title, table.note, tuple(units.label(name) for name in columns), tuple(lines), total)


def _others(table: Table, columns: Sequence[str], left: Sequence[int], zone: str) -> tuple[str, ...]:
    additive = {*sums(table.rows), "cost_share_rate"}
    told = []
    for name in columns[1:]:
        rest = [value for value in (table.rows[name][row] for row in left) if value is not None]
        told.append(units.text(name, sum(rest[1:], rest[0]), zone) if name in additive and rest else "")
    return (f"{OTHERS} ({len(left):,})", *told)


def _word(name: str, names: dict[str, list[Any]], values: list[Any], row: int, zone: str) -> str:
    """Names as files have them, at full length; all else as the screen says it."""
    if units.kind(name) == "name":
        return str(names[name][row] or units.text(name, None))
    return units.text(name, values[row], zone)
