"""A report as a workbook: a summary, a sheet for each table, the prices used, and what it is about.

Excel keeps 15 digits of a number. Where an amount has more, the cell is rounded to 15 and the whole amount stands as
text in a column of its own beside it, so that nothing is lost and nothing pretends.
"""

import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Context, Decimal
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from dashboard import units
from dashboard.names import display_name
from dashboard.reports import cells
from dashboard.reports.report import Report, Table

DIGITS = 15
MOST_ROWS = 1_000_000  # a sheet holds 1,048,576 lines
_FORMATS = {
    "usd": "[>=0.01]#,##0.00;[<=-0.01]-#,##0.00;0.00########",
    "currency": "#,##0.00",
    "rate": "0.00%",
    "ms": "#,##0",
    "tokens": "#,##0",
    "count": "#,##0",
    "bytes": "#,##0",
    "ratio": "0.00",
    "day": "yyyy-mm-dd",
    "hour": "yyyy-mm-dd hh:mm",
    "at": "yyyy-mm-dd hh:mm:ss",
}
_NOT_IN_A_SHEETS_NAME = str.maketrans("", "", "[]:*?/\\'")
EXACT = "Excel keeps 15 digits of a number; amounts with more stand beside it as text, with every digit."


def written(report: Report) -> bytes:
    """The workbook as a file."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"title": f"{report.title}, {report.period}", "created": report.as_of.replace(tzinfo=None)})
        _Book(book).write(report)
    return out.getvalue()


class _Book:
    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self._book = book
        self._formats: dict[tuple[str, bool], Format] = {}
        self._title = book.add_format({"bold": True, "font_size": 15})
        self._heading = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self._prose = book.add_format({"text_wrap": True, "valign": "top"})
        self._names = {"summary", "about"}

    def write(self, report: Report) -> None:
        self._summary(report)
        for table in report.tables:
            sheet = self._sheet(table.title)
            self._table(sheet, 0, table, report.zone)
            sheet.freeze_panes(1, 1)
        self._about(report)

    def _summary(self, report: Report) -> None:
        sheet = self._book.add_worksheet("Summary")
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, 3, 22)
        sheet.set_column(4, 4, 80)
        sheet.write_string(0, 0, report.title, self._title)
        sheet.write_string(1, 0, f"{report.period} ({report.zone})")
        sheet.write_string(2, 0, "; ".join(report.scope))
        head = ["Figure", report.period, report.before_period or "", "Exactly", "What it means"]
        for column, word in enumerate(head):
            sheet.write_string(4, column, word, self._heading)
        for row, figure in enumerate(report.figures, 5):
            sheet.write_string(row, 0, cells.heading(figure.name, report.zone))
            self._cell(sheet, row, 1, figure.name, figure.value)
            self._cell(sheet, row, 2, figure.name, figure.before)
            if isinstance(figure.value, Decimal):
                sheet.write_string(row, 3, f"{figure.value:f}")
            sheet.write_string(row, 4, figure.note, self._prose)

    def _about(self, report: Report) -> None:
        sheet = self._book.add_worksheet("About")
        sheet.set_column(0, 0, 26)
        sheet.set_column(1, 40, 18)
        sheet.write_string(0, 0, "About these figures", self._title)
        told: list[tuple[str, Any]] = [
            ("What", report.title),
            ("Period", f"{report.period}, both days included"),
            ("Days are cut in", report.zone),
            ("As of (UTC)", report.as_of.replace(tzinfo=None, microsecond=0)),
            *(("Scope", said) for said in report.scope),
            *(("Note", said) for said in report.notes),
            *(("Note", f"{table.title}: {table.note}") for table in report.tables if table.note),
            ("Basis", report.basis),
            ("Precision", EXACT),
            (
                "Prices",
                "List prices in force in the period of the models that were used, in USD a million tokens.",
            ),
        ]
        for row, (name, value) in enumerate(told, 2):
            sheet.write_string(row, 0, name)
            self._cell(sheet, row, 1, "as_of_at" if isinstance(value, datetime) else "reason", value)
        self._table(sheet, len(told) + 3, Table("Prices", report.prices, {}), report.zone)

    def _table(self, sheet: Worksheet, top: int, table: Table, zone: str) -> None:
        columns, total = cells.columns(table, zone), cells.total(table, zone)
        place = 0
        for number, (name, values) in enumerate(columns.items()):
            last = [] if total is None else [total[number]]
            width = self._column(sheet, top, place, name, cells.heading(name, zone), values, last)
            if top == 0:
                sheet.set_column(place, place, width)
            place += 1
            if _is_too_long([*values, *last]):
                whole = [None if value is None else f"{value:f}" for value in [*values, *last]]
                title = f"{cells.heading(name, zone)}, every digit"
                self._column(sheet, top, place, "preview", title, whole[: len(values)], whole[len(values) :])
                if top == 0:
                    sheet.set_column(place, place, 30)
                place += 1
        if top == 0 and len(table.rows):
            sheet.autofilter(0, 0, min(len(table.rows), MOST_ROWS), place - 1)

    def _column(
        self, sheet: Worksheet, top: int, place: int, name: str, title: str, values: Sequence[Any], total: Sequence[Any]
    ) -> float:
        sheet.write_string(top, place, title, self._heading)
        for row, value in enumerate(values[:MOST_ROWS], top + 1):
            self._cell(sheet, row, place, name, value)
        for value in total:
            self._cell(sheet, top + 1 + min(len(values), MOST_ROWS), place, name, value, bold=True)
        longest = max((len(str(value)) for value in values[:200] if value is not None), default=0)
        return min(max(longest + 2, len(title) * 0.75, 11), 48)

    def _cell(self, sheet: Worksheet, row: int, column: int, name: str, value: Any, bold: bool = False) -> None:
        shape = self._format(name, bold)
        match value:
            case None:
                sheet.write_blank(row, column, None, shape)
            case bool() | str():
                sheet.write_string(row, column, str(value), self._format("reason", bold))
            case datetime() | date():
                sheet.write_datetime(row, column, value, shape)
            case _:
                sheet.write_number(row, column, float(_within(value)), shape)

    def _format(self, name: str, bold: bool) -> Format:
        kind = units.kind(name)
        if (kind, bold) not in self._formats:
            shape: Mapping[str, Any] = {"num_format": _FORMATS[kind]} if kind in _FORMATS else {}
            self._formats[kind, bold] = self._book.add_format(dict(shape) | ({"bold": True, "top": 1} if bold else {}))
        return self._formats[kind, bold]

    def _sheet(self, title: str) -> Worksheet:
        """A sheet named as near to a title as Excel allows: 31 characters, no two alike whatever their case."""
        plain = display_name(title).translate(_NOT_IN_A_SHEETS_NAME).strip() or "Table"
        name, number = plain[:31].strip(), 2
        while name.lower() in self._names:
            name, number = f"{plain[:27].strip()} {number}", number + 1
        self._names.add(name.lower())
        return self._book.add_worksheet(name)


def _within(value: Any) -> Any:
    """A number to the 15 digits that a cell keeps."""
    return Context(prec=DIGITS).plus(value) if isinstance(value, Decimal) else value


def _is_too_long(values: Sequence[Any]) -> bool:
    return any(isinstance(value, Decimal) and _within(value) != value for value in values)
