"""What the reader asked for, as one small value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

FIRST_DAY = date(2023, 1, 1)  # the Claude API opened in 2023: no log is older
ZONE_STEPS = 12  # as many clock changes as the macro local_time looks at


@dataclass(frozen=True)
class Filters:
    """Which attempts and calls to look at. An empty field leaves its filter open.

    since and until are days on the reader's clock, both included, or moments (with a zone), until excluded; zone is the
    name of that clock's time zone.
    """

    since: date | None = None
    until: date | None = None
    zone: str = "UTC"
    features: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()

    def cuts_hours(self) -> bool:
        """Whether sums by the hour (UTC) hold more than is asked for: other users, or the rest of an hour."""
        zone = ZoneInfo(self.zone)
        bounds = [_instant(bound, zone) for bound in (self.since, self.until) if bound]
        offsets = self.zone != "UTC" and _zone_offsets(zone, self.since, self.until)
        return (
            bool(self.users)
            or any(bound.minute or bound.second or bound.microsecond for bound in bounds)
            or any(offset["shift"] % timedelta(hours=1) for offset in offsets or ())
        )

    def previous(self) -> Filters:
        """The same question about the period of the same length just before."""
        if self.since is None or self.until is None:
            raise ValueError("Only a period with a first and a last day has one before it.")
        if isinstance(self.since, datetime) and isinstance(self.until, datetime):
            return replace(self, since=self.since - (self.until - self.since), until=self.since)
        length = self.until - self.since + timedelta(days=1)
        return replace(self, since=self.since - length, until=self.since - timedelta(days=1))

    def variables(self) -> dict[str, Any]:
        """The session variables that focus reads; None means not set."""
        zone = ZoneInfo(self.zone)
        return {
            "since": None if self.since is None else _instant(self.since, zone),
            "until": None if self.until is None else _instant(self.until, zone, days_later=1),
            "zone_offsets": None if self.zone == "UTC" else _zone_offsets(zone, self.since, self.until),
            "features": list(self.features) or None,
            "models": list(self.models) or None,
            "users": list(self.users) or None,
            "teams": list(self.teams) or None,
            "environments": list(self.environments) or None,
        }


def _instant(when: date, zone: ZoneInfo, days_later: int = 0) -> datetime:
    """A moment as it is, in UTC; of a day, or of one so many days later, the beginning."""
    if isinstance(when, datetime):
        return when.astimezone(UTC).replace(tzinfo=None)
    return _midnight(when + timedelta(days=days_later), zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """The UTC instant at which a day begins on the clock of a zone.

    A clock that jumps over midnight begins its day at the jump; one that strikes midnight twice, at the first.
    """
    local = datetime.combine(day, time(), zone)
    instant = local.astimezone(UTC)
    if instant.astimezone(zone).date() < day:  # skipped: the offset in force before the jump leads past it
        instant = local.replace(fold=1).astimezone(UTC)
    return instant.replace(tzinfo=None)


def _zone_offsets(zone: ZoneInfo, since: date | None, until: date | None) -> list[dict[str, Any]]:
    """Every offset of a zone that is in force in the period, newest first, with the UTC instant it began."""
    first = datetime.combine((since or FIRST_DAY) - timedelta(days=75), time(), UTC)
    last = datetime.combine((until or datetime.now(UTC).date() + timedelta(days=366)) + timedelta(days=2), time(), UTC)
    offsets = [{"since": datetime(1, 1, 1), "shift": first.astimezone(zone).utcoffset()}]
    day = first
    while day < last:
        tomorrow = day + timedelta(days=1)
        if tomorrow.astimezone(zone).utcoffset() != offsets[-1]["shift"]:
            change = _change(zone, day, tomorrow)
            offsets.append({"since": change.replace(tzinfo=None), "shift": change.astimezone(zone).utcoffset()})
        day = tomorrow
    return offsets[: -ZONE_STEPS - 1 : -1]


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The minute between two instants at which the offset of a zone changes."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(minutes=1):
        middle = before + timedelta(minutes=(after - before) // timedelta(minutes=2))
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after
