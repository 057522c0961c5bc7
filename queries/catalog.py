"""What the .sql files say about themselves: layer, name, summary, grain, columns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

FOLDER = Path(__file__).parent
LAYERS = ("base", "rollups", "facts", "focus", "metrics")
# What the words slice and bucket in a template stand for: the name of the view's question, and the column it groups by.
SLICES = {
    "total": "total",
    "feature": "feature",
    "model": "model",
    "user": "user_id",
    "team": "team",
    "environment": "environment",
}
BUCKETS = {"day": "day", "hour": "hour"}
# What a bill tells apart besides: no filter is set to it.
ON_THE_BILL = {"workspace": "workspace"}
_EACH = re.compile(r"^-- each (slice|bucket): (.+)\n", re.MULTILINE)
_MARK = re.compile(r"grain: .+|unfiltered|stored|kept|looks around: 1 hour")
SOURCE = re.compile(r"\b(?:from|join) (\w+\.\w+)")
_NOTE = re.compile(r"(\w+),? -- (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class View:
    """One view: where it lives, what it says about itself, and its SELECT.

    What is stored is worked out once for each connection, what is kept once for all, in the store, beside the attempts.
    What looks around says of the attempts of an hour what takes those of the hour before and after to know.
    """

    layer: str
    name: str
    summary: str
    grain: tuple[str, ...]
    notes: dict[str, str]
    is_unfiltered: bool
    is_stored: bool
    is_kept: bool
    looks_around: bool
    sql: str

    @property
    def path(self) -> str:
        """The name to select from."""
        return f"{self.layer}.{self.name}"


@cache
def catalogue() -> tuple[View, ...]:
    """Every view, in the order in which they can be created."""
    views = [
        _view(layer, name, text)
        for layer in LAYERS
        for file in sorted((FOLDER / layer).glob("*.sql"))
        for name, text in _expanded(file.stem, file.read_text())
    ]
    by_path = {view.path: view for view in views}
    below = {view.path: [path for path in SOURCE.findall(view.sql) if path in by_path] for view in views}
    return tuple(by_path[path] for path in TopologicalSorter(below).static_order())


def lists() -> list[Path]:
    """The lists kept by hand, one CSV file each."""
    return sorted((FOLDER / "lists").glob("*.csv"))


def _expanded(name: str, text: str) -> list[tuple[str, str]]:
    """A file as it stands, or a template once for each of its slices and buckets."""
    header = _EACH.search(text)
    if not header:
        return [(name, text)]
    word, chosen = header[1], header[2].split(", ")
    columns = SLICES | BUCKETS | ON_THE_BILL
    text = text.replace(header[0], "", 1)
    return [
        expanded
        for choice in chosen
        for expanded in _expanded(_renamed(name, word, choice), _reworded(text, word, choice, columns[choice]))
    ]


def _renamed(name: str, word: str, choice: str) -> str:
    return name.removesuffix(f"_by_{word}") if choice == "total" else re.sub(rf"(?<![^_]){word}(?![^_])", choice, name)


def _reworded(text: str, word: str, choice: str, column: str) -> str:
    """The template's word in the SQL becomes the column, in the prose the plain name.

    Users are in no sums by the hour; and what does not ask for a bucket of time is put to sums of whole days.
    """
    lines = []
    for line in text.split("\n"):
        code, dashes, prose = line.partition("-- ")
        if prose.startswith("grain:"):
            code, dashes, prose = line, "", ""
        if choice == "total":
            prose = prose.replace(f", by {word}", "")
        lines.append(re.sub(rf"\b{word}\b", column, code) + dashes + re.sub(rf"\b{word}\b", choice, prose))
    sql = "\n".join(lines)
    return by_row(sql) if column == "user_id" else sql if column in BUCKETS else _by_day(sql)


def by_row(sql: str) -> str:
    """A question to sums by hour, put to the rows instead."""
    return exactly(re.sub(r"\bfocus\.(attempt|call|cache_use)s_by_hour\b", r"focus.\1_rows", sql))


def exactly(sql: str) -> str:
    """A question whose sums are not exact, put to the rows instead."""
    return re.sub(r"\bfocus\.latencies_by_(hour|day)\b", "focus.latency_rows", sql)


def _by_day(sql: str) -> str:
    return re.sub(r"\bfocus\.latencies_by_hour\b", "focus.latencies_by_day", sql)


def _view(layer: str, name: str, text: str) -> View:
    header = re.match(r"(?:-- .*\n)+", text)
    if not header:
        raise ValueError(f"queries/{layer}/{name}.sql does not begin with a line that says what it shows.")
    lines = [line.removeprefix("-- ") for line in header[0].splitlines()]
    marks = [line for line in lines if _MARK.fullmatch(line)]
    grain = next((mark.removeprefix("grain: ") for mark in marks if mark.startswith("grain: ")), "")
    return View(
        layer=layer,
        name=name,
        summary=" ".join(line for line in lines if line not in marks),
        grain=() if grain == "one row" else tuple(grain.split(", ")),
        notes=dict(_NOTE.findall(text[header.end() :])),
        is_unfiltered="unfiltered" in marks,
        is_stored="stored" in marks,
        is_kept="kept" in marks,
        looks_around="looks around: 1 hour" in marks,
        sql=text,
    )
