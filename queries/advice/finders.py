"""All that is advised for a period: every finder, and the one order of steps in which its measures are priced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from queries.advice import batching, caps, waste
from queries.advice.measure import Advised
from queries.advice.plan import Ground, ground

if TYPE_CHECKING:
    import pyarrow as pa

    from queries.filters import Filters

    Read = Callable[[str, Filters], pa.Table]


@dataclass(frozen=True)
class Told:
    """What people have told that no log can: tokens by feature.

    limits: prompts longer than this are not wanted. prefixes: so many tokens begin every prompt alike.
    """

    limits: Mapping[str, int] = field(default_factory=dict)
    prefixes: Mapping[str, int] = field(default_factory=dict)


def find(read: Read, filters: Filters, days: int, told: Told | None = None) -> Ground:
    """Everything found in what the filters ask for, a period of so many days."""
    told = told or Told()
    found = (
        waste.find(read, filters, days),
        caps.find(read, filters, days, told.limits),
        batching.find(read, filters, days),
    )
    return ground(read, filters, Advised.of(found))


def days_of(read: Callable[[str, Any], pa.Table], filters: Filters) -> int:
    """How many days of the period the data covers: from its first day with calls to its last."""
    days = read("spend_by_day", filters)["day"].to_pylist()
    first: date = min(days, default=date.min)
    return (max(days, default=date.min) - first).days + 1 if days else 0
