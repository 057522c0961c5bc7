"""A rules file's text as rules, or everything that is wrong with it: where, what, and what to do."""

import difflib
import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from functools import cache, partial
from pathlib import Path as FilePath
from typing import Any, TypeVar, cast

import queries
from dashboard import units
from dashboard.alerts import times, values
from dashboard.alerts.rules import (
    COUNTS,
    FORMS,
    KINDS,
    MARKS,
    METRICS,
    REPORTS,
    SLICES,
    Alert,
    Budget,
    BudgetWatch,
    Channel,
    Comparison,
    Delivery,
    MetricWatch,
    MissingWatch,
    Rules,
    SignalsWatch,
    view_of,
)
from dashboard.reports.report import Letterhead
from queries import Filters
from queries.signals.wording import NAMES

Path = tuple[str, ...]
Parse = Callable[[Any], Any]
Told = TypeVar("Told")

NARROWING = ("features", "models", "users", "teams", "environments")
SLICE_KINDS = ("total", "feature", "model", "user", "team")
SIGNALS: dict[str, str] = NAMES
COMPARISONS = ("above", "below", "rises_by_percent", "falls_by_percent")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: the line (from 1) and key in the file, and a sentence that says what to do."""

    line: int
    key: str
    sentence: str

    def said(self, file: str) -> str:
        """The problem with its place, as compilers tell it."""
        return f"{file}:{self.line}: {self.key + ': ' if self.key else ''}{self.sentence}"


class RulesRefused(ValueError):
    """A rules file that says something that cannot be. `problems` are all that was found."""

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        """`file` as the reader knows it."""
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        super().__init__("\n".join(problem.said(file) for problem in self.problems))


def parse(text: str, file: str = "rules.toml") -> Rules:
    """The rules of a file. Raises RulesRefused with everything that is wrong with it."""
    return checked(text, file, _rules)


def checked(text: str, file: str, read: "Callable[[Table], Told]") -> Told:
    """What `read` takes from a TOML text. Raises RulesRefused with everything that is wrong with it."""
    try:
        told = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+), .*\)|\(at end of document\)", str(error))
        line = int(place[1]) if place and place[1] else text.count("\n") + 1
        said = f"this is not TOML: {str(error).partition(' (at ')[0]}; put this line right"
        raise RulesRefused(file, [Problem(line, "", said)]) from error
    found: list[tuple[Path, str]] = []
    rules = read(Table((), told, found))
    if found:
        raise RulesRefused(
            file, [Problem(line_of(text, path), ".".join(path), sentence) for path, sentence in dict.fromkeys(found)]
        )
    return rules


def line_of(text: str, path: Path) -> int:
    """The line (from 1) on which a key of a TOML text stands, or the nearest heading above it; 1 if there is none."""
    table: Path = ()
    best, depth = 1, 0
    for number, line in enumerate(text.splitlines(), 1):
        here: Path | None = None
        if re.match(r"\s*\[", line):
            here = table = _keys(line) or table
        elif match := re.match(r"\s*([A-Za-z0-9_.\"' -]+?)\s*=", line):
            here = (*table, *_keys(f"{match[1]} = 0"))
        shared = here[: len(path)] if here else ()
        if shared and shared == path[: len(shared)] and len(shared) > depth:
            best, depth = number, len(shared)
    return best


def _keys(line: str) -> Path:
    """The path that one line of TOML, a heading or a key, opens."""
    try:
        level = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return ()
    keys: list[str] = []
    while isinstance(level, dict) and level:
        key, level = next(iter(level.items()))
        keys.append(key)
    return tuple(keys)


class Table:
    """One table of the file, from which keys are taken one by one; what is left over in the end is a mistake."""

    def __init__(self, path: Path, told: object, found: list[tuple[Path, str]]) -> None:
        self.path, self.found = path, found
        self._told: dict[str, Any] = dict(told) if isinstance(told, dict) else {}
        self._known: list[str] = []
        if not isinstance(told, dict):
            self.wrong("", f"is a single value; write a table, [{'.'.join(path)}]")

    def take(self, key: str, parse: Parse, default: Any = None, needed: bool = False) -> Any:
        """The parsed value of a key; its default where it is missing or wrong."""
        self._known.append(key)
        if key not in self._told:
            if needed:
                self.wrong("", f"{key} is missing")
            return default
        try:
            return parse(self._told.pop(key))
        except ValueError as error:
            self.wrong(key, str(error))
            return default

    def tables(self, key: str) -> "list[tuple[str, Table]]":
        """The named tables below a key."""
        below = self.take(key, values.dict_, {})
        return [(name, Table((*self.path, key, name), told, self.found)) for name, told in below.items()]

    def has(self, key: str) -> bool:
        """Whether the key is still there."""
        return key in self._told

    def wrong(self, key: str, sentence: str) -> None:
        """Note a mistake."""
        self.found.append(((*self.path, key) if key else self.path, sentence))

    def done(self) -> None:
        """Whatever nobody took is a mistake."""
        for key in self._told:
            near = difflib.get_close_matches(key, self._known, 1)
            advice = f"did you mean {near[0]}?" if near else f"known here: {', '.join(self._known)}"
            self.wrong(key, f"is not a key that is known here; {advice}")


def _rules(file: Table) -> Rules:
    zone = file.take("zone", values.zone_, "UTC")
    rules = Rules(base_url=file.take("base_url", values.base_url, Rules.base_url), zone=zone)
    for name, table in file.tables("channels"):
        rules.channels[name] = _channel(name, table)
    for name, table in file.tables("budgets"):
        rules.budgets[name] = _budget(name, table, zone)
    for name, table in file.tables("alerts"):
        rules.alerts[name] = _alert(name, table, rules)
    for name, table in file.tables("deliveries"):
        rules.deliveries[name] = _delivery(name, table, rules)
    head = file.take("statement", values.dict_, {})
    rules = replace(rules, letterhead=_letterhead(Table(("statement",), head, file.found)))
    file.done()
    return rules


def _delivery(name: str, table: Table, rules: Rules) -> Delivery:
    report = table.take("report", partial(values.one_of, REPORTS), "statement", needed=True)
    forms = FORMS if report != "focus" else ("csv", "parquet")
    delivery = Delivery(
        name,
        report,
        table.take("format", partial(values.one_of, forms), forms[0]),
        table.take("every", _calendar, times.Period("month"), needed=True),
        _filters(table, rules.zone),
        table.take("folder", values.text_, ""),
        table.take("channels", partial(values.several, tuple(rules.channels)), ()),
        table.take("delay", times.length, timedelta(hours=6)),
        table.take("names_users", values.bool_, False),
        table.take("enabled", values.bool_, True),
    )
    if not delivery.folder and not delivery.channels:
        table.wrong("", "goes nowhere; write a folder, or channels that can carry files")
    hooks = [channel for channel in delivery.channels if rules.channels[channel].kind == "webhook"]
    if hooks:
        table.wrong("channels", f"{', '.join(hooks)} is a webhook, which carries no files; name one of kind apprise")
    table.done()
    return delivery


def _calendar(value: object) -> times.Period:
    if value not in times.CALENDAR:
        raise ValueError(f"{value!r} is no calendar period; write one of {', '.join(times.CALENDAR)}")
    return times.Period(str(value))


def _letterhead(table: Table) -> Letterhead:
    logo = table.take("logo", values.text_, "")
    head = Letterhead(
        table.take("title", values.text_, ""), FilePath(logo) if logo else None, table.take("note", values.text_, "")
    )
    table.done()
    return head


def _channel(name: str, table: Table) -> Channel:
    kind = table.take("kind", partial(values.one_of, ("apprise", "webhook")), "apprise", needed=True)
    url_env = table.take("url_env", values.variable, "", needed=True)
    secret_env = table.take("secret_env", values.variable, needed=kind == "webhook") if kind == "webhook" else None
    if table.has("url"):
        table.wrong("url", "an address is a secret; put it into an environment variable and name that in url_env")
        table.take("url", str)
    table.done()
    return Channel(name, kind, url_env, secret_env)


def _budget(name: str, table: Table, zone: str) -> Budget:
    budget = Budget(
        name,
        table.take("amount_usd", values.amount, Decimal(1), needed=True),
        table.take("period", times.period, times.Period("month"), needed=True),
        table.take("marks", values.marks, MARKS),
        _filters(table, zone),
    )
    table.done()
    return budget


def _alert(name: str, table: Table, rules: Rules) -> Alert:
    kind = table.take("kind", partial(values.one_of, tuple(KINDS)), needed=True)
    watch: Any = None
    match kind:
        case "metric":
            watch = _metric(table)
        case "signals":
            watch = SignalsWatch(
                table.take("metrics", partial(values.several, tuple(SIGNALS)), ("cost",)),
                table.take("slices", partial(values.several, SLICE_KINDS), SLICE_KINDS),
                table.take("least_usd", values.number, Decimal(0)),
                table.take("recent", times.length, timedelta(days=2)),
            )
        case "budget":
            watch = BudgetWatch(
                table.take("budgets", partial(values.several, tuple(rules.budgets)), ()),
                table.take("projected", values.bool_, False),
            )
        case "missing":
            watch = MissingWatch(table.take("after", times.length, timedelta(hours=1), needed=True))
    alert = Alert(
        name,
        kind or "",
        watch,
        Filters(zone=table.take("zone", values.zone_, rules.zone)) if kind == "budget" else _filters(table, rules.zone),
        channels=table.take("channels", partial(values.several, tuple(rules.channels)), ()),
        is_enabled=table.take("enabled", values.bool_, True),
        hold=table.take("hold", times.length, timedelta()),
        again_after=table.take("again_after", times.length),
        quiet=table.take("quiet_hours", times.quiet),
        in_quiet=table.take("in_quiet_hours", partial(values.one_of, ("deliver later", "keep")), "deliver later"),
        no_data=table.take("no_data", partial(values.one_of, ("wait", "fire", "resolve")), "wait"),
        names_users=table.take("names_users", values.bool_, False),
        note=table.take("note", values.text_, ""),
    )
    if kind:
        table.done()
    return alert


def _metric(table: Table) -> MetricWatch | None:
    metric = table.take("metric", partial(values.one_of, tuple(METRICS)), needed=True)
    each = table.take("each", partial(values.one_of, tuple(SLICES)))
    given = [name for name in COMPARISONS if table.has(name)]
    limits = {name: table.take(name, values.number) for name in COMPARISONS}
    column = table.take("column", values.text_, "", needed=True)
    window = table.take("window", times.length, timedelta(hours=24), needed=True)
    least = table.take("least_count", values.whole, 0)
    if len(given) != 1:
        said = f"has {' and '.join(given)}" if given else "says nothing to compare with"
        table.wrong("", f"{said}; write one of {', '.join(COMPARISONS)}")
    if metric is None or len(given) != 1 or limits[given[0]] is None:
        return None
    watch = MetricWatch(metric, column, cast(Comparison, given[0]), limits[given[0]], window, each, least)
    columns = number_columns(watch.view)
    if not columns:
        words = [word for word in SLICES if number_columns(view_of(metric, word))]
        table.wrong("each", f"{metric} is not known by {each}; write one of {', '.join(words)}")
    elif column not in columns:
        near = difflib.get_close_matches(column, columns, 1)
        advice = f"did you mean {near[0]}?" if near else f"it has {', '.join(columns)}"
        table.wrong("column", f"{watch.view} has no number called {column!r}; {advice}")
    return watch


def _filters(table: Table, zone: str) -> Filters:
    narrowed = {key: table.take(key, values.texts, ()) for key in NARROWING}
    return Filters(zone=table.take("zone", values.zone_, zone), **narrowed)


@cache
def number_columns(view: str) -> tuple[str, ...]:
    """The columns of a metric view that hold numbers; none if there is no such view."""
    notes = next((of.notes for of in queries.catalogue() if of.layer == "metrics" and of.name == view), {})
    return tuple(name for name in notes if name != "total" and units.kind(name) not in ("name", "at", "day", "hour"))


def count_column(view: str) -> str | None:
    """The column that says how much a view's figures are made of."""
    return next((column for column in COUNTS if column in number_columns(view)), None)
