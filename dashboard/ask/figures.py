"""The figures that a text is written from: tables of aggregates, the same for Claude and for the reader beside it.

Whatever is sent is made here, from metric views and signals: sums and rates by slice, never a row of a log.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from dashboard import units
from dashboard.ask.names import KINDS, OTHERS, Mask
from dashboard.names import UNKNOWN
from queries import Filters
from queries.signals import Explanation, Forecast, Signal, explain, forecast

Read = Callable[[str, Filters], pa.Table]

OWN_WORDS = ("cause", "metric", "slice_kind")
MOST_SLICES = 10
MOST_SIGNALS = 12
_FILTERED = {"feature": "features", "model": "models", "team": "teams", "user": "users"}
MONEY = pa.decimal128(38, 12)
TOTALS = {
    "totals": ("cost_usd", "calls", "attempts", "cost_per_call_usd", "input_tokens", "output_tokens"),
    "cache": ("cache_hit_rate", "net_saving_usd"),
    "reliability": ("retry_known_rate", "masked_rate", "final_error_rate"),
    "truncation": ("truncation_rate",),
    "latency": ("p50_ms", "p95_ms"),
}


@dataclass(frozen=True)
class Table:
    """Some figures with their heading. Columns are named as everywhere: the suffix is the unit."""

    title: str
    rows: pa.Table
    is_ours: bool = False
    """Every text in it is a word of Outlay's own, none a name from a log."""

    def text(self, mask: Mask) -> str:
        """The table as Claude reads it: the words of the page, names masked."""
        columns = self.rows.column_names
        lines = [" | ".join(units.label(name) for name in columns)]
        for row in self.rows.to_pylist():
            lines.append(" | ".join(self._cell(name, row, mask) for name in columns))
        return f"{self.title}\n" + "\n".join(lines)

    def worded(self) -> pa.Table:
        """The table in the words of the page, with every name as it is."""
        rows, columns = self.rows.to_pylist(), self.rows.column_names
        cells = {name: [self._cell(name, row, lambda kind, value: value) for row in rows] for name in columns}
        return pa.table({units.label(name): pa.array(values, pa.string()) for name, values in cells.items()})

    def _cell(self, column: str, row: dict[str, Any], mask: Callable[[str, str], str]) -> str:
        value = row[column]
        if value is None:
            return UNKNOWN
        if self.is_ours or column in OWN_WORDS or (column == "slice" and row["slice_kind"] == "total"):
            return value if isinstance(value, str) else words(column, value)
        if isinstance(value, (bool, int, float, Decimal, date, timedelta)):
            return words(column, value)
        kind = row["slice_kind"] if column == "slice" else column
        return mask(KINDS.get(str(kind), "name"), str(value))


@dataclass(frozen=True)
class Figures:
    """All the figures of one text. `task` says in a sentence what they are and what is wanted; it names nothing."""

    task: str
    tables: tuple[Table, ...]

    def text(self, mask: Mask) -> str:
        """All tables as Claude reads them."""
        return "\n\n".join(table.text(mask) for table in self.tables)


def change(read: Read, before: Filters, after: Filters, by: str, signals: Iterable[Signal] = ()) -> Figures:
    """Why `after` cost more or less than `before`: totals, causes in dollars, the slices that moved, the signals."""
    found = explain(read, before, after, by)
    task = (
        f"Explain why spend in the second period ({_days(after)}) differs from the first ({_days(before)}).\n"
        f"Filters in force: {_narrowing(after)}. {_clock(after)}"
    )
    return Figures(task, (
        Table("Both periods", _totals(read, before, after), is_ours=True),
        Table("The change by cause, in parts that add up to it", _causes(found)),
        Table(f"The change by {by}, largest first", _slices(found, by)),
        *_signals(signals, after),
    ))  # fmt: skip


def signal(read: Read, about: Signal, zone: str) -> Figures:
    """Why a signal was raised: its days against the same weekdays just before, within its slice.

    `zone`: on whose clock it was judged.
    """
    first, last = about.start.date(), (about.end - timedelta(microseconds=1)).date()
    weeks = ((last - first).days + 7) // 7
    within: dict[str, Any] = {_FILTERED[about.slice_kind]: (about.slice,)} if about.slice_kind in _FILTERED else {}
    after = Filters(first, last, zone=zone, **within)
    before = replace(after, since=first - timedelta(weeks=weeks), until=last - timedelta(weeks=weeks))
    by = "feature" if about.slice_kind in ("total", "user", "model") else "user"
    figures = change(read, before, after, by)
    task = (
        f"Explain the signal in the first table. Its days ({_days(after)}) stand against the same weekdays "
        f"{'before' if weeks == 1 else f'{weeks} weeks before'} ({_days(before)}), within its {about.slice_kind}.\n"
        f"{_clock(after)}"
    )
    return Figures(task, (*_signals([about], after), *figures.tables))


def month(read: Read, filters: Filters, first: date, signals: Iterable[Signal] = ()) -> Figures:
    """A month for finance, against the month before: by feature, model and team.

    A month that goes on is compared with as many days of the month before, and comes with its forecast.
    """
    this = replace(filters, since=first, until=_end(first))
    last = replace(filters, since=(first - timedelta(days=1)).replace(day=1), until=first - timedelta(days=1))
    seen = read("totals", filters).column("last_started_at")[0].as_py()
    days = (_day(seen, filters) - first).days + 1 if seen else 0
    is_going_on = this.until is not None and 0 < days < this.until.day
    task = f"Write the monthly note on Claude API spend for finance: {first:%B %Y} against the month before.\n"
    if is_going_on:
        this = replace(this, until=first + timedelta(days=days - 1))
        last = replace(last, until=min(last.until or first, (last.since or first) + timedelta(days=days - 1)))
        task += f"The month goes on: its first {days} days stand against as many of the month before.\n"
    begun = read("totals", Filters()).column("first_started_at")[0].as_py()
    if begun and last.since and _day(begun, filters) > last.since:
        task += f"The data begins on {_day(begun, filters)}: the month before is not whole.\n"
    found = explain(read, last, this, "feature")
    return Figures(task + f"Filters in force: {_narrowing(filters)}. {_clock(filters)}", (
        Table("Both months", _totals(read, last, this), is_ours=True),
        Table("The change by cause, in parts that add up to it", _causes(found)),
        Table("The change by feature, largest first", _slices(found, "feature")),
        *(Table(f"Spend by {by}", _spend(read, this, by)) for by in ("model", "team")),
        *_forecast(forecast(read, filters) if is_going_on else None),
        *_signals(signals, this),
        Table("What is not known", read("totals", this).select(
            ["unpriced_attempts", "unattributed_cost_usd", "unattributed_calls"])),
    ))  # fmt: skip


def answer(question: str, rows: pa.Table, most: int = 50) -> Figures:
    """The rows of a question's answer, for a text about them where that is allowed."""
    cut = f" These are the first {most} of {rows.num_rows:,} rows." if rows.num_rows > most else ""
    return Figures(
        f"Answer this question from the table: {question}\n{cut}".strip(), (Table("Rows", rows.slice(0, most)),)
    )


def public_models(read: Read) -> set[str]:
    """The models of the price list: names that are no secret."""
    return set(read("price_list", Filters()).column("model").to_pylist())


def words(column: str, value: Any) -> str:
    """A value that is no text, as a person reads it: in the column's unit where it has one that fits."""
    kind = units.kind(column)
    if isinstance(value, Decimal) and value == value.to_integral_value() and kind != "usd":
        value = int(value)
    if isinstance(value, (bool, timedelta)) or (isinstance(value, date) != (kind in ("day", "hour", "at"))):
        return str(value)
    if kind in ("count", "name", "tokens") and not isinstance(value, (date, int)):
        return f"{value:,.6g}"
    return str(value) if kind == "name" else units.text(column, value)


def _totals(read: Read, *periods: Filters) -> pa.Table:
    """One row per figure, one column per period, in words: the units differ from row to row."""
    columns: dict[str, list[str]] = {"figure": [units.label(name) for names in TOTALS.values() for name in names]}
    for filters in periods:
        said = {metric: read(metric, filters).to_pylist() for metric in TOTALS}
        columns[_days(filters)] = [
            UNKNOWN if not said[metric] or said[metric][0][name] is None else words(name, said[metric][0][name])
            for metric, names in TOTALS.items()
            for name in names
        ]
    return pa.table(columns)


def _causes(found: Explanation) -> pa.Table:
    parts = sorted(((cause, part) for cause, part in found.parts.items() if part), key=lambda item: -abs(item[1]))
    return pa.table(
        {
            "cause": [cause.replace("_", " ") for cause, _ in parts],
            "change_usd": pa.array([_exact(part) for _, part in parts], MONEY),
        }
    )


def _slices(found: Explanation, by: str) -> pa.Table:
    shown, rest = found.slices[:MOST_SLICES], found.slices[MOST_SLICES:]
    rows = [(of.slice, of.before_usd, of.after_usd, of.change_usd, _mostly(of.parts)) for of in shown]
    if rest:
        sums = [sum((getattr(of, name) for of in rest), Decimal(0)) for name in ("before_usd", "after_usd")]
        rows.append((OTHERS, sums[0], sums[1], sums[1] - sums[0], None))
    names, before, after, moved, causes = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    return pa.table(
        {
            "user_id" if by == "user" else by: pa.array(names, pa.string()),
            "before_usd": pa.array(map(_exact, before), MONEY),
            "after_usd": pa.array(map(_exact, after), MONEY),
            "change_usd": pa.array(map(_exact, moved), MONEY),
            "cause": pa.array(causes, pa.string()),
        }
    )


def _mostly(parts: dict[str, Decimal]) -> str | None:
    return max(parts, key=lambda cause: abs(parts[cause])).replace("_", " ") if parts else None


def _spend(read: Read, filters: Filters, by: str) -> pa.Table:
    table = read(f"spend_by_{by}", filters).select([by, "cost_usd", "cost_share_rate", "calls"])
    return table.slice(0, MOST_SLICES)


def _forecast(ahead: Forecast | None) -> Iterator[Table]:
    if ahead:
        amounts = {
            "spent_usd": ahead.spent_usd, "expected_usd": ahead.expected_usd, "low_usd": ahead.low_usd,
            "high_usd": ahead.high_usd,
        }  # fmt: skip
        rows = pa.table({name: pa.array([_exact(value)], MONEY) for name, value in amounts.items()})
        yield Table(f"What the month will come to, as seen on {ahead.as_of}; four times in five", rows)


def _signals(signals: Iterable[Signal], filters: Filters) -> Iterator[Table]:
    """The signals of a period that moved the most money."""
    begin = datetime.combine(filters.since or date.min, datetime.min.time())
    end = datetime.combine(filters.until or date.max, datetime.max.time())
    inside = [of for of in signals if of.start <= end and of.end > begin]
    inside = sorted(inside, key=lambda of: -abs(of.stake_usd))[:MOST_SIGNALS]
    if inside:
        yield Table("Signals, those about most money first" if len(inside) > 1 else "The signal", pa.table({
            "slice_kind": [of.slice_kind for of in inside],
            "slice": [of.slice for of in inside],
            "metric": [of.metric.replace("_", " ") for of in inside],
            "day": pa.array([of.start.date() for of in inside], pa.date32()),
            "change_rate": [of.actual / of.expected - 1 if of.expected else None for of in inside],
            "excess_usd": pa.array([_exact(of.stake_usd) for of in inside], MONEY),
            "cause": pa.array([of.cause and of.cause.replace("_", " ") for of in inside], pa.string()),
            "user_id": pa.array([of.driver_user for of in inside], pa.string()),
        }))  # fmt: skip


def _end(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _days(filters: Filters) -> str:
    return units.period(filters.since or date.min, filters.until or date.max)


def _day(moment: datetime, filters: Filters) -> date:
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(filters.zone)).date()


def _clock(filters: Filters) -> str:
    return f"Days are those of the time zone {filters.zone}."


def _narrowing(filters: Filters) -> str:
    """Which filters are set, without what they are set to."""
    names = ("features", "models", "users", "teams", "environments")
    chosen = [f"{len(getattr(filters, name))} {name}" for name in names if getattr(filters, name)]
    return "only " + ", ".join(chosen) if chosen else "none"


def _exact(amount: Decimal | float) -> Decimal:
    return (amount if isinstance(amount, Decimal) else Decimal(repr(float(amount)))).quantize(Decimal(1).scaleb(-12))
