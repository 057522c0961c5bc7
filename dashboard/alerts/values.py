"""What single values of a rules file may be. Each function gives the value, or raises ValueError with a sentence."""

import difflib
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

LARGEST = Decimal(10) ** 12


def dict_(value: object) -> Mapping[str, Any]:
    """A table."""
    if not isinstance(value, dict):
        raise ValueError("is a single value; write tables below it, as in [alerts.my-rule]")
    return value


def bool_(value: object) -> bool:
    """A truth value."""
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false (without quotes)")
    return value


def text_(value: object) -> str:
    """A text of one paragraph."""
    if not isinstance(value, str) or len(value) > 1000:
        raise ValueError("is no text of at most 1,000 characters")
    return value


def texts(value: object) -> tuple[str, ...]:
    """A list of names."""
    if not isinstance(value, list) or not value or not all(isinstance(name, str) and name for name in value):
        raise ValueError('is no list of names; write it like ["search", "chat"], or leave it out for all')
    return tuple(value)


def several(known: tuple[str, ...], value: object) -> tuple[str, ...]:
    """A list of words out of those that are known."""
    return tuple(one_of(known, name) for name in texts(value))


def one_of(known: tuple[str, ...], value: object) -> str:
    """One of the words that are known."""
    if not isinstance(value, str) or value not in known:
        near = difflib.get_close_matches(str(value), known, 1)
        choice = f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(known) or 'none so far'}"
        raise ValueError(f"{value!r} is not known; {choice}")
    return value


def number(value: object) -> Decimal:
    """An exact number, written plainly or in quotes."""
    try:
        if isinstance(value, int | str | Decimal) and not isinstance(value, bool):
            found = Decimal(value)
            if found.is_finite() and abs(found) <= LARGEST:
                return found
    except ArithmeticError:
        pass
    raise ValueError(f"{value!r} is no number; write one like 0.05 or 2000")


def amount(value: object) -> Decimal:
    """An amount of dollars above zero, to the cent or finer."""
    try:
        found = number(value)
    except ValueError:
        found = Decimal(0)
    if found <= 0:
        raise ValueError(f"{str(value)!r} is no amount in US dollars above zero; write one like 5000 or 99.50")
    return found


def whole(value: object) -> int:
    """A count."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is no whole number of zero or more")
    return value


def marks(value: object) -> tuple[int, ...]:
    """Percentages of a budget at which it is said."""
    if (
        not isinstance(value, list)
        or not value
        or not all(isinstance(mark, int) and not isinstance(mark, bool) and 0 < mark <= 1000 for mark in value)
    ):
        raise ValueError(f"{value!r} are no marks; write percentages like [50, 80, 100]")
    return tuple(sorted(set(value)))


def zone_(value: object) -> str:
    """A time zone by name."""
    try:
        return ZoneInfo(value if isinstance(value, str) else "?").key
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{value!r} is no time zone; write one like Europe/Berlin") from error


def variable(value: object) -> str:
    """The name of an environment variable; never the secret itself, which this refuses without repeating it."""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Z_][A-Z0-9_]{0,63}", value):
        raise ValueError(
            "is not the name of an environment variable; write a name like OUTLAY_SLACK_URL and set that variable to "
            "the address where Outlay runs"
        )
    return value


def base_url(value: object) -> str:
    """Where the dashboard is reached, for links in messages."""
    parts = urlsplit(value) if isinstance(value, str) else None
    if not parts or parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
        raise ValueError('is no address; write where the dashboard is reached, like "https://outlay.example.com"')
    return parts.geturl().rstrip("/")
