"""The answer to one question, and the words for what it can be cut by. Needs no running page."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

import pyarrow as pa

from dashboard import units
from queries import Filters

# Reads one metric view under filters.
Read = Callable[[str, Filters], pa.Table]

DIMENSIONS = ("feature", "model", "user_id", "team", "environment")
_FILTER_OF = {
    "feature": "features",
    "model": "models",
    "user_id": "users",
    "team": "teams",
    "environment": "environments",
}
_ADDITIVE = {"usd", "currency", "tokens", "count", "bytes"}
_NOT_ADDITIVE = {
    "users",
    "http_status",
    "max_tokens",
    "ceiling_for_half_percent",
    "ceiling_for_1_percent",
    "ceiling_for_2_percent",
    "ceiling_for_5_percent",
    "source_line",
    "output_p50_tokens",
    "output_p95_tokens",
}


@dataclass(frozen=True)
class Rows:
    """The answer to one question. The key names question, filters and data generation: equal keys, equal rows."""

    key: str
    table: pa.Table = field(compare=False)
    notes: dict[str, str] = field(default_factory=dict, compare=False)
    """What the view says about its columns."""

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __getitem__(self, column: str) -> list[Any]:
        return self.columns[column]

    def __contains__(self, column: str) -> bool:
        return column in self.table.column_names

    @cached_property
    def columns(self) -> dict[str, list[Any]]:
        """Every column as a list of Python values; money stays Decimal."""
        return {name: self.table.column(name).to_pylist() for name in self.table.column_names}

    def first(self) -> dict[str, Any]:
        """The only row of a one-row answer; every value None where there is no row."""
        return {name: values[0] if values else None for name, values in self.columns.items()}

    def total(self, column: str) -> Any:
        """The exact sum of a column."""
        return sum((value for value in self[column] if value is not None), Decimal(0) if column.endswith("_usd") else 0)

    def pick(self, *names: str) -> "Rows":
        """Some of the columns, in this order."""
        return Rows(
            f"{self.key}/{','.join(names)}", self.table.select([name for name in names if name in self]), self.notes
        )


def sums(rows: Rows, **given: Any) -> dict[str, Any]:
    """The totals line of rows: every column that can be summed, and what is given for the others."""
    additive = [
        name
        for name in rows.columns
        if units.kind(name) in _ADDITIVE and name not in _NOT_ADDITIVE and not units.is_unit_price(name)
    ]
    return {name: rows.total(name) for name in additive} | given


def narrowed(filters: Filters, by: str, values: list[str]) -> Filters:
    """The same filters with one dimension set to these values."""
    chosen: dict[str, Any] = {_FILTER_OF[by]: tuple(values)}
    return replace(filters, **chosen)


def view_suffix(dimension: str) -> str:
    """What a dimension is called in the name of a view."""
    return "user" if dimension == "user_id" else dimension
