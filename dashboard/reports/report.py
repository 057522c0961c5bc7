"""A view, frozen: the figures, tables and charts of a page at one moment, with all that is needed to check them.

Every form that leaves the dashboard (web page, workbook, PDF, CSV) is written from this and from nothing else, so that
they cannot differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dashboard.rows import Rows


class NothingToReport(LookupError):
    """There is nothing to say about what was asked for. The message says why."""


@dataclass(frozen=True)
class Figure:
    """One number: `name` is its column, which says its unit and its label; `value` is exact, None when unknown.

    before: the same of the period before; None where there is nothing to compare with.
    """

    name: str
    value: Any
    note: str = ""
    before: Any = None


@dataclass(frozen=True)
class Table:
    """Rows and their line of totals; a total has only the columns that can be summed, none where nothing can be."""

    title: str
    rows: Rows
    total: Mapping[str, Any]
    note: str = ""


@dataclass(frozen=True)
class Chart:
    """A Plotly figure as JSON, in the colours of the light theme, and what it shows in words."""

    title: str
    figure: dict[str, Any]
    alt: str
    note: str = ""


@dataclass(frozen=True)
class Report:
    """One page over one period.

    period: its days in words; before_period: those it is compared with, if any. scope: a sentence for each filter
    ("Feature: chat, search"), and what is left out (user names). as_of: when the data was read, UTC. prices: the list
    prices in force in the period of the models used, with their sources. basis: at which prices money is worked out.
    """

    title: str
    period: str
    zone: str
    scope: tuple[str, ...]
    as_of: datetime
    figures: tuple[Figure, ...]
    charts: tuple[Chart, ...]
    tables: tuple[Table, ...]
    notes: tuple[str, ...]
    prices: Rows
    before_period: str = ""
    basis: str = "At list price on the day of each call, in US dollars."


@dataclass(frozen=True)
class Letterhead:
    """Whose page it is: a title above all else, a picture (PNG, JPEG or SVG), and a note at its end."""

    title: str = ""
    logo: Path | None = None
    note: str = ""
