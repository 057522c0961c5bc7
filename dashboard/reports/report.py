"""A view, frozen: the figures, tables and charts of a page at one moment, with all that is needed to check them.

Every form that leaves the dashboard (web page, workbook, PDF, CSV) is written from this and from nothing else, so that
they cannot differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboard.data import Rows


@dataclass(frozen=True)
class Figure:
    """One number: `name` is its column, which says its unit and its label; `value` is exact, None when unknown."""

    name: str
    value: Any
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Rows and their line of totals; a total has only the columns that can be summed."""

    title: str
    rows: Rows
    total: Mapping[str, Any]


@dataclass(frozen=True)
class Chart:
    """A Plotly figure as JSON, and what it shows in words."""

    title: str
    figure: dict[str, Any]
    alt: str


@dataclass(frozen=True)
class Report:
    """One page over one period.

    scope: a sentence for each filter ("Feature: chat, search"), and what is left out (user names). as_of: when the
    data was read, UTC. prices: the list prices in force in the period, with their sources.
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
