"""Lengths of time, budget periods and quiet hours, as a rules file spells them."""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

UNITS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
CALENDAR = ("day", "week", "month", "quarter")
LONGEST = timedelta(days=400)


def length(value: object) -> timedelta:
    """A length of time as in "90 minutes" or "7 days". Raises ValueError for anything else, and for over 400 days."""
    match = re.fullmatch(r"(\d{1,6}) (minute|hour|day|week)s?", value.strip()) if isinstance(value, str) else None
    found = int(match[1]) * UNITS[match[2]] if match else timedelta()
    if not timedelta() < found <= LONGEST:
        raise ValueError(f'{value!r} is no length of time; write one like "30 minutes", "6 hours" or "7 days"')
    return found


def said(duration: timedelta) -> str:
    """A length of time in the words that `length` reads."""
    for name, unit in reversed(UNITS.items()):
        if duration >= unit and not duration % unit:
            count = duration // unit
            return f"{count} {name}{'s' if count > 1 else ''}"
    return f"{duration // UNITS['minute']} minutes"


@dataclass(frozen=True)
class Period:
    """What an amount is for: a calendar unit, or (where `rolling` is set) so many days up to today."""

    unit: str
    rolling: int = 0

    @property
    def word(self) -> str:
        """As the rules file spells it."""
        return f"{self.rolling} days" if self.rolling else self.unit

    def days(self, today: date) -> tuple[date, date]:
        """First and last day, both included, of the period that holds a day."""
        match self.unit:
            case "week":
                first = today - timedelta(days=today.weekday())
                return first, first + timedelta(days=6)
            case "month":
                return today.replace(day=1), today.replace(day=calendar.monthrange(today.year, today.month)[1])
            case "quarter":
                first = today.replace(month=today.month - (today.month - 1) % 3, day=1)
                last = first.month + 2
                return first, first.replace(month=last, day=calendar.monthrange(first.year, last)[1])
            case "days":
                return today - timedelta(days=self.rolling - 1), today
        return today, today


def period(value: object) -> Period:
    """A budget's period: "month", "week", "quarter", "day" or as in "30 days". Raises ValueError for anything else."""
    if value in CALENDAR:
        return Period(str(value))
    match = re.fullmatch(r"(\d{1,3}) days", value) if isinstance(value, str) else None
    if not match or not 2 <= int(match[1]) <= LONGEST.days:
        raise ValueError(f'{value!r} is no period; write "month", "week", "quarter", "day", or "30 days" for a window')
    return Period("days", int(match[1]))


@dataclass(frozen=True)
class Quiet:
    """Hours of every day in which nothing is sent; over midnight where `end` is the earlier time."""

    start: time
    end: time

    @property
    def word(self) -> str:
        """As the rules file spells it."""
        return f"{self.start:%H:%M} to {self.end:%H:%M}"

    def over_at(self, moment: datetime, zone: str) -> datetime:
        """When a message of this (UTC) moment may be sent: at once, or when the quiet hours that hold it end."""
        local = moment.astimezone(ZoneInfo(zone))
        clock = local.time()
        over_midnight = self.end <= self.start
        is_quiet = clock >= self.start or clock < self.end if over_midnight else self.start <= clock < self.end
        if not is_quiet:
            return moment
        day = local.date() + timedelta(days=1 if over_midnight and clock >= self.start else 0)
        return max(datetime.combine(day, self.end, ZoneInfo(zone)).astimezone(UTC), moment)


def quiet(value: object) -> Quiet:
    """Quiet hours as in "22:00 to 07:00". Raises ValueError for anything else."""
    match = re.fullmatch(r"(\d\d:\d\d) to (\d\d:\d\d)", value) if isinstance(value, str) else None
    try:
        if match and match[1] != match[2]:
            return Quiet(time.fromisoformat(match[1]), time.fromisoformat(match[2]))
    except ValueError:
        pass
    raise ValueError(f'{value!r} are no quiet hours; write them like "22:00 to 07:00"')
