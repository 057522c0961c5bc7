"""The allocation file, `allocation.toml` in the home: read, and checked with a sentence for each mistake."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from dashboard.alerts import rules_file, values
from dashboard.alerts.parsing import Table, checked
from dashboard.allocation.rules import CENTRES, NAMED_BY, WAYS, Allocation, Rule, Version

BEGINNING = """\
# Who pays for what is shared. Each version holds from its day on, until the next one begins: add a version rather than
# change one, and a month that has been charged keeps its rules.
"""
EXAMPLE = """
[versions.first]
from = {day}
among = "team"                  # who pays: teams, or "feature"

[versions.first.rules.nobody]
team = ["(unattributed)"]       # what is shared, by team, feature or model
way = "share"                   # by each one's own spend; or "even"
"""
NAME = "allocation.toml"


def example(day: date) -> str:
    """A first version with one rule, from the month of this day on."""
    return EXAMPLE.replace("{day}", day.replace(day=1).isoformat())


def is_beginning(said: str) -> bool:
    """Does the text say nothing but what a missing file does?"""
    return said == BEGINNING


def path(home: Path) -> Path:
    """Where the rules are."""
    return home / NAME


def text(home: Path) -> str:
    """What the file says; a beginning of one where there is none. Raises OSError or UnicodeDecodeError."""
    return rules_file.text(path(home), BEGINNING)


def read(home: Path) -> Allocation:
    """The rules of a home; none without a file. Raises RulesRefused, or OSError where the file cannot be read."""
    try:
        return parse(text(home), NAME)
    except UnicodeDecodeError as error:
        raise OSError(f"{path(home)}: this is not UTF-8 text; save it as UTF-8") from error


def write(home: Path, said: str, expected: str) -> None:
    """Put a new text in place of the one whose version is `expected`. Raises RulesRefused or NotWritten."""
    rules_file.write(path(home), said, expected, parse, BEGINNING)


def parse(said: str, file: str = NAME) -> Allocation:
    """The rules of a file. Raises RulesRefused with everything that is wrong with it."""
    return checked(said, file, _allocation)


def _allocation(file: Table) -> Allocation:
    versions = [_version(name, table) for name, table in file.tables("versions")]
    begun: dict[date, str] = {}
    for version in versions:
        if version.begins in begun:
            file.wrong(
                "versions", f"{begun[version.begins]} and {version.name} begin on the same day; give one another day"
            )
        begun[version.begins] = version.name
    file.done()
    return Allocation(tuple(sorted(versions, key=lambda version: version.begins)))


def _version(name: str, table: Table) -> Version:
    version = Version(
        name,
        table.take("from", _day, date.min, needed=True),
        table.take("among", partial(values.one_of, CENTRES), "team", needed=True),
        tuple(_rule(rule, below) for rule, below in table.tables("rules")),
    )
    table.done()
    return version


def _rule(name: str, table: Table) -> Rule:
    said = [of for of in NAMED_BY if table.has(of)]
    named = {of: names for of in NAMED_BY if (names := table.take(of, values.texts, ())) or of in said}
    if len(named) != 1:
        table.wrong(
            "", f"says what is shared by one of {', '.join(NAMED_BY)}: write one of these, with a list of names"
        )
    of, names = next(iter(named.items()), (NAMED_BY[0], ()))
    way = table.take("way", partial(values.one_of, tuple(WAYS)), "share", needed=True)
    percent = table.take("percent", _percent, {}, needed=way == "fixed") if way == "fixed" else {}
    to = table.take("to", values.texts, ()) if way != "fixed" else ()
    if way == "fixed" and table.has("to"):
        table.take("to", values.texts)
        table.wrong("to", "is said by percent already; leave it out")
    if way != "fixed" and table.has("percent"):
        table.take("percent", values.dict_)
        table.wrong("percent", f'goes with way = "fixed"; this one divides {WAYS[way]}')
    table.done()
    return Rule(name, of, names, way, to, percent)


def _day(value: object) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError(f"{value!r} is no day; write one like 2026-11-01, without quotes")
    return value


def _percent(value: object) -> Mapping[str, Decimal]:
    if not isinstance(value, dict) or not value:
        raise ValueError("names nobody; write who pays how much, like { search = 60, chat = 40 }")
    told: dict[str, Any] = {name: values.number(part) for name, part in value.items()}
    if any(part < 0 for part in told.values()):
        raise ValueError("has a part below zero; every part is zero or more")
    if (whole := sum(told.values())) != 100:
        raise ValueError(f"adds up to {whole:f}; make it 100")
    return told
