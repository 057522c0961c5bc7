"""Who pays what: spend by team or feature, and what is shared handed out by the rules of its day."""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa

from dashboard import units
from dashboard.alerts.parsing import RulesRefused
from dashboard.allocation import currencies, file
from dashboard.allocation.chargeback import NO_RULES, USD, Stretch, stretches
from dashboard.allocation.currencies import Rate, Rates
from dashboard.allocation.rules import Allocation, in_words
from dashboard.reading import Source
from dashboard.reports import cards
from dashboard.reports.cards import Card, Page, Tiles
from dashboard.reports.report import NothingToReport
from dashboard.rows import Rows, sums
from dashboard.view import View

ZERO = Decimal(0)
MOST_DAYS_NAMED = 5
MOST_RATES_NAMED = 3


def agreed(source: Source) -> tuple[Allocation, Rates, list[str]]:
    """The rules and rates of the home, and why one of these files is not in force."""
    allocation, rates, problems = Allocation(), Rates(), []
    try:
        allocation = file.read(source.home())
    except (RulesRefused, OSError) as error:
        problems.append(str(error))
    try:
        rates = currencies.read(source.home())
    except currencies.RatesRefused as error:
        problems.append(str(error))
    return allocation, rates, problems


def content(source: Source, view: View, currency: str = USD) -> Iterator[Card]:
    """The whole period, each month under its rules, the rules and the exchange rates."""
    allocation, rates, problems = agreed(source)
    spent = source.read("spend_by_day_and_place", view.filters)
    if currency not in rates.currencies():
        currency = USD
    key = f"chargeback/{spent.key}/{hash((repr(allocation), repr(rates), currency))}"
    found = stretches(spent, allocation, rates, currency)
    wrong = " ".join(f"Not in force: {problem.splitlines()[0]}." for problem in problems)
    yield _whole(key, found, wrong)
    for number, stretch in enumerate(reversed(found)):
        yield _month(f"{key}/{number}", stretch)
    if any(stretch.version.rules for stretch in found):
        yield _rules(f"{key}/rules", found)
    if used := dict.fromkeys(rate for stretch in found if stretch.converted for rate in stretch.converted.rates):
        columns: dict[str, list[Any]] = {
            "currency": [rate.currency for rate in used],
            "effective_from": [rate.first for rate in used],
            "effective_until": [None if rate.last == rate.last.max else rate.last for rate in used],
            "quoted": [rate.quoted for rate in used],
            "source": [rate.source or None for rate in used],
        }
        shown = Rows(f"{key}/rates", pa.table(columns))
        note = (
            "From exchange_rates.csv. Each day is converted at its own rate, once for each place, rounded half up to "
            "twelve decimals; both days are included."
        )
        yield cards.table("Exchange rates used", note, shown)


def is_narrowed(view: View) -> bool:
    """Do the filters leave calls out? Of a part of them nobody can say who pays what is shared."""
    asked = view.filters
    return bool(asked.features or asked.models or asked.users or asked.teams or asked.environments)


def whole(view: View, **_: str) -> View:
    """The view as it is. Raises NothingToReport where it is of a part of the calls."""
    if is_narrowed(view):
        raise NothingToReport("Chargeback divides what everybody spent; leave the filters out, the period aside.")
    return view


def _whole(key: str, found: list[Stretch], wrong: str) -> Card:
    """What each pays of the whole period, by whom the newest rules name."""
    among = found[-1].version.among if found else "team"
    charged: dict[str, Decimal] = {}
    for stretch in found:
        if stretch.version.among == among:
            for name, line in stretch.divided.lines.items():
                charged[name] = charged.get(name, ZERO) + line.charged
    names = sorted(charged, key=lambda name: (-charged[name], name))
    rows = Rows(f"{key}/whole", pa.table({among: names, "charged_usd": [charged[name] for name in names]}))
    others = any(stretch.version.among != among for stretch in found)
    said = [f"Months that are charged by another dimension than {among} stand below alone."] * others
    title = f"Total by {units.label(among).lower()}"
    return cards.ranking(
        rows, among, "charged_usd", title=title, note=" ".join([*said, wrong]).strip(), total=sums(rows)
    )


def _month(key: str, stretch: Stretch) -> Card:
    """What was spent in each place of a month, what of it others pay, what each pays of that, and what is left."""
    names, lines = stretch.centres, stretch.divided.lines
    columns: dict[str, list[Any]] = {
        stretch.version.among: names,
        "spent_usd": [lines[name].spent for name in names],
        "shared_usd": [lines[name].shared for name in names],
        "allocated_usd": [lines[name].allocated for name in names],
        "charged_usd": [lines[name].charged for name in names],
    }
    said = [_version(stretch), *(_idle(stretch))]
    if other := stretch.converted:
        there = other.divided.lines
        columns[f"charged_in_{other.currency.lower()}"] = [
            there[name].charged if name in there else ZERO for name in names
        ]
        if other.days_without:
            columns["unconverted_usd"] = [other.left_usd.get(name, ZERO) for name in names]
        said.append(rated(other.rates, other.days_without, other.currency))
    rows = Rows(key, pa.table(columns))
    title = units.period(stretch.first, stretch.last)
    return cards.table(title, " ".join(said), rows, sums(rows))


def _version(stretch: Stretch) -> str:
    if stretch.version is NO_RULES or not stretch.version.rules:
        return "No rules hold: everybody pays what was spent there."
    return f"Rules of version {stretch.version.name}, in force since {units.day(stretch.version.begins)}."


def _idle(stretch: Stretch) -> list[str]:
    return [
        f"{name} found nobody to charge {units.money(amount)} to, which stays where it was spent."
        for name, amount in stretch.divided.idle.items()
    ]


def rated(rates: Iterable[Rate], without: Iterable[date], currency: str) -> str:
    """The rates of a period in words, with their days, and the days that have none."""
    used, days = list(dict.fromkeys(rates)), list(dict.fromkeys(without))
    said = [f"At {rate.quoted}, the rate from {units.day(rate.first)}." for rate in used[:MOST_RATES_NAMED]]
    if len(used) > MOST_RATES_NAMED:
        said = [f"At {len(used)} {currency} rates, each day at its own."]
    if days:
        named = ", ".join(units.day(day) for day in days[:MOST_DAYS_NAMED])
        more = f" and {len(days) - MOST_DAYS_NAMED} more days" if len(days) > MOST_DAYS_NAMED else ""
        said.append(f"No {currency} rate for {named}{more}: what was spent then is in dollars only.")
    return " ".join(said)


def _rules(key: str, found: list[Stretch]) -> Card:
    versions = {stretch.version.name: stretch.version for stretch in found}
    given: dict[tuple[str, str], Decimal] = {}
    for stretch in found:
        for name, parts in stretch.divided.given.items():
            place = (stretch.version.name, name)
            given[place] = given.get(place, ZERO) + sum(parts.values(), ZERO)
    told = [(version, rule) for version in versions.values() for rule in version.rules]
    columns: dict[str, list[Any]] = {
        "version": [version.name for version, _ in told],
        "effective_from": [version.begins for version, _ in told],
        "rule": [rule.name for _, rule in told],
        "in_words": [in_words(rule) for _, rule in told],
        "handed_out_usd": [given.get((version.name, rule.name), ZERO) for version, rule in told],
    }
    rows = Rows(key, pa.table(columns))
    note = (
        "From allocation.toml. Shares are divided to the twelfth decimal; the last digits that are over go to those "
        "who lost most by rounding, so that sums are kept."
    )
    return cards.table("Rules", note, rows, sums(rows))


PAGE = Page(
    "Chargeback",
    Tiles(
        ("cost_usd", "calls", "unpriced_attempts"),
        ("totals",),
        {"unpriced_attempts": "What they cost is not known, and charged to nobody."},
    ),
    {"currency": None},
    content,
    whole,
)
