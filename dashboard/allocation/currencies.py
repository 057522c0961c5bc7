"""Exchange rates that the user supplies, by date: `exchange_rates.csv` in the home.

Columns: `currency` (three letters), `valid_from` and `valid_until` (days, both included; without an end it holds until
further notice), one of `units_per_usd` and `usd_per_unit`, and `source`. A day that no row covers has no rate: its
dollars are not converted, and that is said.

An amount is converted once for each day and place, exactly, and rounded half up to twelve decimals; sums are sums of
these, and nothing is rounded again.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from fractions import Fraction
from pathlib import Path

FILE = "exchange_rates.csv"
COLUMNS = ("currency", "valid_from", "valid_until", "units_per_usd", "usd_per_unit", "source")
LAST_DIGIT = Decimal(1).scaleb(-12)
LARGEST, SMALLEST = Decimal(10) ** 9, Decimal(1).scaleb(-9)


class RatesRefused(ValueError):
    """A file of rates that cannot be. The message has a line for each mistake."""


@dataclass(frozen=True)
class Rate:
    """What a dollar is in a currency on these days, both included. `quoted` is the rate as the file has it."""

    currency: str
    first: date
    last: date
    units_per_usd: Fraction
    quoted: str
    source: str = ""
    line: int = 0

    def convert(self, usd: Decimal) -> Decimal:
        """Dollars in the currency, rounded half up to twelve decimals."""
        exact = Fraction(usd) * self.units_per_usd
        with localcontext(prec=80):
            return (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(LAST_DIGIT, ROUND_HALF_UP)


@dataclass(frozen=True)
class Rates:
    """Every rate of a file."""

    rates: tuple[Rate, ...] = ()

    def currencies(self) -> tuple[str, ...]:
        """The currencies that have a rate on some day."""
        return tuple(sorted({rate.currency for rate in self.rates}))

    def on(self, currency: str, day: date) -> Rate | None:
        """The rate of a day; None where there is none."""
        return next((r for r in self.rates if r.currency == currency and r.first <= day <= r.last), None)


def read(home: Path) -> Rates:
    """The rates of a home; none without a file. Raises RatesRefused."""
    try:
        return parse((home / FILE).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return Rates()
    except (OSError, UnicodeDecodeError) as error:
        raise RatesRefused(f"{FILE}:1: it cannot be read as UTF-8 text ({type(error).__name__})") from error


def parse(text: str) -> Rates:
    """The rates of a file's text. Raises RatesRefused with every line that is wrong."""
    lines = csv.reader(text.splitlines(), strict=True)
    rates: list[Rate] = []
    problems: list[tuple[int, str]] = []
    head: list[str] | None = None
    try:
        for cells in lines:
            said = [cell.strip() for cell in cells]
            if not any(said) or said[0].startswith("#"):
                continue
            if head is None:
                head = said
                if unknown := [name for name in head if name not in COLUMNS]:
                    raise RatesRefused(
                        f"{FILE}:{lines.line_num}: {unknown[0]!r} is no column; known: {', '.join(COLUMNS)}"
                    )
                continue
            row = dict.fromkeys(COLUMNS, "") | dict(zip(head, said, strict=False))
            wrong = [*_wrong(row), *([] if len(said) <= len(head) else ["it has more cells than there are headings"])]
            problems += [(lines.line_num, sentence) for sentence in wrong]
            if not wrong:
                rate = _rate(row, lines.line_num)
                problems += [(rate.line, sentence) for sentence in _clash(rate, rates)]
                rates.append(rate)
    except csv.Error as error:
        problems.append((lines.line_num, f"this is no CSV ({error}); put the quotes of this line right"))
    if problems:
        raise RatesRefused("\n".join(f"{FILE}:{line}: {sentence}" for line, sentence in problems))
    return Rates(tuple(rates))


def _wrong(row: dict[str, str]) -> Iterator[str]:
    if not re.fullmatch(r"[A-Z]{3}", row["currency"]) or row["currency"] == "USD":
        yield f"{row['currency']!r} is no currency to convert to; write three capital letters like EUR"
    for name in ("valid_from", "valid_until"):
        if (row[name] or name == "valid_from") and _day(row[name]) is None:
            yield f"{name} is {row[name] or 'missing'}; write a day like 2026-11-01"
    first, last = _day(row["valid_from"]), _day(row["valid_until"])
    if first and last and last < first:
        yield f"valid_until, {last}, is before valid_from, {first}"
    told = [name for name in ("units_per_usd", "usd_per_unit") if row[name]]
    if len(told) != 1:
        yield "write one of units_per_usd and usd_per_unit"
    for name in told:
        number = _number(row[name])
        if number is None or not SMALLEST <= number <= LARGEST:
            yield f"{name} is {row[name]!r}; write a number above zero like 0.92"


def _rate(row: dict[str, str], line: int) -> Rate:
    units, dollars = row["units_per_usd"], row["usd_per_unit"]
    exact = Fraction(Decimal(units)) if units else 1 / Fraction(Decimal(dollars))
    quoted = f"{units} {row['currency']} a dollar" if units else f"{dollars} dollars a unit"
    return Rate(
        row["currency"], date.fromisoformat(row["valid_from"]), _day(row["valid_until"]) or date.max, exact, quoted,
        row["source"], line,
    )  # fmt: skip


def _clash(rate: Rate, earlier: list[Rate]) -> Iterator[str]:
    for other in earlier:
        if other.currency == rate.currency and rate.first <= other.last and other.first <= rate.last:
            yield f"{rate.currency} has a rate on these days in line {other.line}; end that one with valid_until"


def _day(told: str) -> date | None:
    try:
        return date.fromisoformat(told)
    except ValueError:
        return None


def _number(told: str) -> Decimal | None:
    try:
        number = Decimal(told)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
