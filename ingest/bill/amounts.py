"""Amounts of money and counts of tokens as reports write them. Cents are not dollars: who reads says which they are."""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from ingest.bill.report import NoBill

PICO = Decimal("1e-12")
_MOST_USD = Decimal(10) ** 15


def dollars(value: Any, where: str, *, cents: bool) -> Decimal:
    """An amount in dollars, with the digits it is written with. Raises NoBill for anything else than a number."""
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        raise NoBill(f"{where}: {str(value)[:40]!r} is no amount of money") from None
    if not amount.is_finite() or abs(amount) > _MOST_USD:
        raise NoBill(f"{where}: {str(value)[:40]!r} is no amount of money")
    return amount.scaleb(-2) if cents else amount


def step(amounts: Iterable[Decimal]) -> Decimal:
    """One of the last digit that these amounts are written with; 0 when there are none."""
    places = [max(0, -int(amount.as_tuple().exponent)) for amount in amounts]
    return Decimal(1).scaleb(-max(places)) if places else Decimal(0)


def kept(amount: Decimal) -> str:
    """An amount as it is kept: to the pico-dollar, as every other amount here."""
    return f"{amount.quantize(PICO):f}"


def tokens(value: Any, where: str) -> int:
    """A count. Raises NoBill for what is none."""
    if value in (None, ""):
        return 0
    try:
        count = Decimal(str(value).strip())
    except InvalidOperation:
        count = Decimal(-1)
    if not count.is_finite() or count < 0 or count != int(count) or count >= 2**63:
        raise NoBill(f"{where}: {str(value)[:40]!r} is no count of tokens")
    return int(count)
