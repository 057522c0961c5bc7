"""All that is advised for a period: every finder, and the one order of steps in which its measures are priced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from queries.advice import batching, caching, caps, waste
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
        caching.find(read, filters, days, told.prefixes),
        batching.find(read, filters, days),
    )
    return ground(read, filters, Advised.of(found))


def days_of(read: Read, filters: Filters) -> int:
    """How many days of the period lie between the first and the last call of all data, both included."""
    from queries.filters import Filters

    every = read("totals", Filters()).to_pylist()[0]
    if every["first_started_at"] is None:
        return 0
    zone = ZoneInfo(filters.zone)
    first, last = (
        every[name].replace(tzinfo=UTC).astimezone(zone).date() for name in ("first_started_at", "last_started_at")
    )
    since: date
    until: date
    since, until = max(first, filters.since or first), min(last, filters.until or last)
    return max((until - since).days + 1, 0)
