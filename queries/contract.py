"""The prices that were agreed upon: a CSV file of dated rows, read into rows for `lists.contract_prices`.

Columns, of which any but `valid_from` may be empty or missing:

- `model`: a model of the price list; empty for all. `platform`: anthropic, bedrock, vertex or azure; empty for all.
  A log that names no platform, or a gateway, counts as anthropic. `mode`: standard or fast; empty for both.
- `valid_from`, `valid_until`: days (UTC), both included; without an end it holds until further notice.
- `discount_percent`: off the list price of every class of tokens, 0 to 100. Or prices of their own, in USD per million
  tokens: `input_usd_mtok`, `output_usd_mtok`, `cache_write_5m_usd_mtok`, `cache_write_1h_usd_mtok`,
  `cache_read_usd_mtok`; one that is left out stays at list price. They hold for prompts of every length, of one model.
- `source`: where it is written.

The price of one token is rounded to whole pico-dollars, half up, after the factors for batches and regions, which apply
to both. Web searches stay at list price. Of several rows that hold on a day the one that names a model wins, then the
one that names a platform, then the one that names a mode; two rows alike are refused.
"""

from __future__ import annotations

import csv
import difflib
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import TYPE_CHECKING

from queries.catalog import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = "contract_prices.csv"
OWN_PRICES = (
    "input_usd_mtok",
    "output_usd_mtok",
    "cache_write_5m_usd_mtok",
    "cache_write_1h_usd_mtok",
    "cache_read_usd_mtok",
)
COLUMNS = ("model", "platform", "mode", "valid_from", "valid_until", "discount_percent", *OWN_PRICES, "source")
CHOICES = {"platform": ("anthropic", "bedrock", "vertex", "azure"), "mode": ("standard", "fast")}
LARGEST_PRICE = Decimal(100_000)
DIGITS = 6  # after the decimal point, as in the price list

Row = dict[str, str | None]


def read(folder: Path) -> list[Row]:
    """The rows of the file in a home, as text, each with its `line`; none without a file.

    A file with mistakes is not in force at all: its rows are then its problems, each with a `line` and a `problem`, a
    sentence that begins with file and line.
    """
    try:
        text = (folder / FILE).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        return [_problem(1, f"it cannot be read as UTF-8 text ({type(error).__name__}); save it as UTF-8")]
    return parse(text)


def parse(text: str) -> list[Row]:
    """The rows of a file's text, or its problems."""
    lines = csv.reader(text.splitlines(), strict=True)
    rows: list[Row] = []
    problems: list[Row] = []
    head: list[str] | None = None
    try:
        for cells in lines:
            said = [cell.strip() for cell in cells]
            if not any(said) or said[0].startswith("#"):
                continue
            if head is None:
                head = said
                problems += [_problem(lines.line_num, sentence) for sentence in _wrong_head(head)]
                if problems:
                    return problems
                continue
            if len(said) > len(head):
                problems.append(_problem(lines.line_num, f"it has {len(said)} cells under {len(head)} headings"))
                continue
            row: Row = dict.fromkeys(COLUMNS) | {
                name: cell or None for name, cell in zip(head, said, strict=False) if name in COLUMNS
            }
            row |= {"line": str(lines.line_num), "problem": None}
            problems += [_problem(lines.line_num, sentence) for sentence in _wrong(row)]
            rows.append(row)
    except csv.Error as error:
        problems.append(_problem(lines.line_num, f"this is no CSV ({error}); put the quotes of this line right"))
    return problems or [_problem(int(str(line)), sentence) for line, sentence in _clashes(rows)] or rows


def _problem(line: int, sentence: str) -> Row:
    return dict.fromkeys(COLUMNS) | {"line": str(line), "problem": f"{FILE}:{line}: {sentence}"}


def _wrong_head(head: list[str]) -> Iterator[str]:
    for name in head:
        if name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, 1)
            yield f"{name!r} is no column; " + (f"did you mean {near[0]}?" if near else f"known: {', '.join(COLUMNS)}")
    if "valid_from" not in head:
        yield "the column valid_from is missing; name the columns in the first line"
    for name in sorted({name for name in head if head.count(name) > 1}):
        yield f"the column {name} is there twice"


def _wrong(row: Row) -> Iterator[str]:
    """What is wrong with a row, in sentences."""
    model = row["model"]
    if model and model not in _listed():
        near = difflib.get_close_matches(model, _listed(), 1)
        advice = f"did you mean {near[0]}?" if near else "see `outlay prices`"
        yield f"{model!r} is not in the price list; {advice}"
    for name, known in CHOICES.items():
        if row[name] and row[name] not in known:
            yield f"{row[name]!r} is no {name}; write one of {', '.join(known)}, or leave it empty for all"
    days = {name: _day(row[name]) for name in ("valid_from", "valid_until")}
    for name, day in days.items():
        if (row[name] or name == "valid_from") and day is None:
            yield f"{name} is {row[name] or 'missing'}; write a day like 2026-11-01"
    first, last = days["valid_from"], days["valid_until"]
    if first and last and last < first:
        yield f"valid_until, {last}, is before valid_from, {first}"
    own = [name for name in OWN_PRICES if row[name]]
    if (row["discount_percent"] is None) == (not own):
        yield "write either discount_percent or prices of their own (input_usd_mtok …)"
    if own and not model:
        yield "prices of their own are those of one model; name it"
    for name in (*own, *(["discount_percent"] if row["discount_percent"] else [])):
        most = Decimal(100) if name == "discount_percent" else LARGEST_PRICE
        amount = _number(row[name])
        if amount is None or not 0 <= amount <= most:
            yield f"{name} is {row[name]!r}; write a number from 0 to {most:,} with at most {DIGITS} decimals"


def _clashes(rows: list[Row]) -> Iterator[tuple[str | None, str]]:
    """Rows that are alike in what they name, and hold on the same day."""
    for place, row in enumerate(rows):
        for earlier in rows[:place]:
            if any(row[name] != earlier[name] for name in ("model", "platform", "mode")):
                continue
            first, last = _days(row)
            begins, ends = _days(earlier)
            if first <= ends and begins <= last:
                yield (
                    row["line"],
                    f"it holds on the same days as line {earlier['line']} for the same; end that one with valid_until",
                )


def _days(row: Row) -> tuple[date, date]:
    return _day(row["valid_from"]) or date.min, _day(row["valid_until"]) or date.max


def _day(told: str | None) -> date | None:
    try:
        day = date.fromisoformat(told or "")
    except ValueError:
        return None
    return day if date(2000, 1, 1) <= day <= date.max - timedelta(days=366) else None


def _number(told: str | None) -> Decimal | None:
    try:
        amount = Decimal(told or "")
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount == round(amount, DIGITS) else None


@cache
def _listed() -> list[str]:
    with (FOLDER / "lists" / "prices.csv").open(encoding="utf-8") as prices:
        return sorted({row["model_id"] for row in csv.DictReader(prices)})
