"""What the commands share: the owner of a home, tables for people and programs, and failing in one sentence."""

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import pyarrow as pa

    from dashboard.owner import Owner, RemoteOwner


FORMAT = click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True
)


class Examples(click.Command):
    """A command whose help ends with examples, laid out as they were written."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples, one to a line."""
        if self.epilog:
            with formatter.section("Examples"):
                for line in self.epilog.splitlines():
                    formatter.write_text(line)


class OwnerOf:
    """The home's owner for the length of a command; one sentence when it cannot be had."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def __enter__(self) -> "Owner | RemoteOwner":
        from dashboard.owner import HomeBusy, reach

        try:
            self._reached = reach(self._home)
            self._reached.reports([])
        except HomeBusy as error:
            fail(str(error))
        return self._reached

    def __exit__(self, *error: object) -> None:
        self._reached.close()


def fail(sentence: str, code: int = 1) -> Any:
    """Say what is wrong on standard error and end with this status: 1 for a fault, 2 for a wrong use."""
    click.echo(f"outlay: {sentence}", err=True)
    sys.exit(code)


def print_table(table: "pa.Table", form: str) -> None:
    """A table on standard output as the --format option asks: table, csv or json."""
    {"table": _write_table, "csv": write_csv, "json": _write_json}[form](table, sys.stdout)


def write_csv(table: "pa.Table", into: IO[str]) -> None:
    """A table as CSV with a header; money keeps every digit, times are ISO 8601 in UTC, texts run in no spreadsheet."""
    from dashboard.owner import plain
    from dashboard.reports.as_csv import cell

    writer = csv.writer(into, lineterminator="\n")
    writer.writerow(table.column_names)
    for row in table.to_pylist():
        values = (row[name] for name in table.column_names)
        writer.writerow([cell(value) if isinstance(value, str) else plain(value) for value in values])


def _write_json(table: "pa.Table", into: IO[str]) -> None:
    from dashboard.owner import plain

    into.write(json.dumps(table.to_pylist(), default=plain, indent=1) + "\n")


def _write_table(table: "pa.Table", into: IO[str]) -> None:
    import pyarrow as pa

    rows = [[cell_text(value) for value in row.values()] for row in table.to_pylist()]
    widths = [max([len(name), *(len(row[i]) for row in rows)]) for i, name in enumerate(table.column_names)]
    numeric = [pa.types.is_integer(t) or pa.types.is_decimal(t) or pa.types.is_floating(t) for t in table.schema.types]
    align: list[Callable[[str, int], str]] = [str.rjust if is_number else str.ljust for is_number in numeric]
    for row in [table.column_names, ["-" * width for width in widths], *rows]:
        into.write("  ".join(align[i](cell, widths[i]) for i, cell in enumerate(row)).rstrip() + "\n")


def cell_text(value: object) -> str:
    """A value for a person: unknown is blank; control characters, which could drive a terminal, are marks."""
    from dashboard.owner import plain

    text = "" if value is None else str(plain(value))
    return "".join(char if char.isprintable() else "·" for char in text)
