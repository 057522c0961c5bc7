"""Addresses of views: the page's path and the parameters that the filter bar reads."""

from datetime import datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from queries import Filters


def link(page: str, **parameters: str) -> str:
    """The address of a page below the dashboard's own."""
    return f"/{page}" + (f"?{urlencode(parameters)}" if parameters else "")


def to_view(page: str, filters: Filters, names_users: bool) -> str:
    """The address of a page under filters, by whole days; users are left out unless they may be named."""
    zone = ZoneInfo(filters.zone)
    pairs: list[tuple[str, str]] = []
    if isinstance(filters.since, datetime) and isinstance(filters.until, datetime):
        last = filters.until - timedelta(seconds=1)
        days = [moment.astimezone(zone).date().isoformat() for moment in (filters.since, last)]
        pairs += [("range", "Custom"), ("dates", days[0]), ("dates", days[1])]
    if filters.zone != "UTC":
        pairs.append(("zone", filters.zone))
    for key in ("feature", "model", "team", "environment", *(["user"] if names_users else [])):
        pairs += [(key, name) for name in getattr(filters, f"{key}s")]
    return f"/{page}?{urlencode(pairs)}"
