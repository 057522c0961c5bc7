"""Who pays what of a period: spend by team or feature, with what is shared handed out by the rules of each day."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from itertools import groupby

import pyarrow as pa

from dashboard.allocation.currencies import Rate, Rates
from dashboard.allocation.divide import NOTHING, Divided, Line, Spent, divided
from dashboard.allocation.rules import NAMED_BY, Allocation, Version
from dashboard.names import UNATTRIBUTED
from dashboard.rows import Rows

USD = "USD"
NO_RULES = Version("no rules", date.min)


@dataclass(frozen=True)
class Converted:
    """The same lines in another currency; without the days that have no rate: what each pays of those is in
    `left_usd`."""

    currency: str
    divided: Divided
    rates: tuple[Rate, ...]
    days_without: tuple[date, ...] = ()
    left_usd: dict[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class Stretch:
    """The days of one month under one version of the rules, first and last with spend."""

    version: Version
    first: date
    last: date
    divided: Divided
    converted: Converted | None = None

    @property
    def centres(self) -> list[str]:
        """Who has a line, by what they pay; what is unattributed last, and always there."""
        lines = self.divided.lines
        named = sorted((name for name in lines if name != UNATTRIBUTED), key=lambda name: (-lines[name].charged, name))
        return [*named, UNATTRIBUTED]


def stretches(spent: Rows, allocation: Allocation, rates: Rates, currency: str = USD) -> list[Stretch]:
    """The period by month and version. `spent`: rows of `spend_by_day_and_place`."""
    days = sorted(_places(spent), key=lambda place: place[0])
    return [
        _stretch(version, list(places), rates, currency)
        for (version, _), places in groupby(
            days, lambda place: (_version(allocation, place[0]), place[0].replace(day=1))
        )
    ]


def converted(usd_by_day: Sequence[tuple[date, Decimal]], rates: Rates, currency: str) -> tuple[Decimal, Decimal]:
    """Dollars by day in a currency, and the dollars of days without a rate."""
    amount = left = NOTHING
    for day, usd in usd_by_day:
        rate = rates.on(currency, day)
        if rate:
            amount += rate.convert(usd)
        else:
            left += usd
    return amount, left


def _version(allocation: Allocation, day: date) -> Version:
    return allocation.on(day) or NO_RULES


def _places(spent: Rows) -> Iterator[tuple[date, dict[str, str], Decimal]]:
    columns = [spent[name] for name in ("day", *NAMED_BY, "cost_usd")]
    for day, *names, usd in zip(*columns, strict=True):
        yield day, dict(zip(NAMED_BY, names, strict=True)), usd


def _stretch(
    version: Version, places: Sequence[tuple[date, dict[str, str], Decimal]], rates: Rates, currency: str
) -> Stretch:
    spent = [Spent(named[version.among], named, usd) for _, named, usd in places]
    told = divided(spent, version.rules)
    told.lines.setdefault(UNATTRIBUTED, Line())
    other = None if currency == USD else _converted(version, places, spent, rates, currency)
    return Stretch(version, places[0][0], places[-1][0], told, other)


def _converted(
    version: Version,
    places: Sequence[tuple[date, dict[str, str], Decimal]],
    spent: Sequence[Spent],
    rates: Rates,
    currency: str,
) -> Converted:
    by_day = {day: rates.on(currency, day) for day, _, _ in places}
    amounts: list[Spent] = []
    left: list[Spent] = []
    for (day, _, usd), of in zip(places, spent, strict=True):
        rate = by_day[day]
        amounts.append(replace(of, amount=rate.convert(usd) if rate else NOTHING))
        left.append(replace(of, amount=NOTHING if rate else usd))
    measures = [of.amount for of in spent]
    told = divided(amounts, version.rules, measures)
    left_usd = {name: line.charged for name, line in divided(left, version.rules, measures).lines.items()}
    used = dict.fromkeys(rate for rate in by_day.values() if rate)
    without = tuple(day for day, rate in by_day.items() if not rate)
    return Converted(currency, told, tuple(used), without, left_usd)


def table(found: Sequence[Stretch]) -> pa.Table:
    """Every line of every month as one table: days, version, who by which dimension, and the amounts."""
    rows = []
    for of in found:
        for name in of.centres:
            line = of.divided.lines[name]
            row = {
                "first_day": of.first,
                "last_day": of.last,
                "version": of.version.name,
                "charged_by": of.version.among,
                "charged": name,
                "spent_usd": line.spent,
                "shared_usd": line.shared,
                "allocated_usd": line.allocated,
                "charged_usd": line.charged,
            }
            if other := of.converted:
                there = other.divided.lines.get(name)
                row[f"charged_in_{other.currency.lower()}"] = there.charged if there else NOTHING
                row["unconverted_usd"] = other.left_usd.get(name, NOTHING)
            rows.append(row)
    return pa.Table.from_pylist(rows)
