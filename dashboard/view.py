"""What a reader asked for: filters, the period before, and how to say both."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from dashboard import units
from queries import Filters

# What a page can be cut by, and how finely: words on the switch (and in the address) → column.
SLICES = {"Feature": "feature", "Model": "model", "User": "user_id", "Team": "team", "Environment": "environment"}
GRAINS = {"Day": "day", "Hour": "hour"}


@dataclass(frozen=True)
class View:
    """What the reader asked for, and how to say it.

    logged_since: the first day with logs, where the period before began earlier: it is then compared with less than a
    whole period.
    """

    filters: Filters
    before: Filters | None
    period: str
    before_period: str
    logged_since: date | None = None

    @staticmethod
    def of(filters: Filters, compare: bool, span: tuple[datetime, datetime]) -> "View":
        """The view of these filters; `span` are the first and the last moment of the data, UTC, for all time."""
        first, last = (local_day(moment, filters.zone) for moment in span)
        since, until = filters.since or first, filters.until or last
        before = filters.previous() if compare and filters.since and filters.until else None
        said = units.period(before.since, before.until, until.year) if before and before.since and before.until else ""
        is_short = before is not None and before.since is not None and _day(before.since) < first
        return View(filters, before, units.period(since, until), said, first if is_short else None)

    @property
    def zone(self) -> str:
        """The time zone in which days are cut."""
        return self.filters.zone

    @property
    def grain(self) -> str:
        """How finely time is cut by default: a single day by the hour."""
        return "hour" if self.filters.since and self.filters.since == self.filters.until else "day"


def _day(when: date) -> date:
    return when.date() if isinstance(when, datetime) else when


def local_day(moment: datetime, zone: str) -> date:
    """The day of a UTC moment on the clock of a zone."""
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(ZoneInfo(zone)).date()
