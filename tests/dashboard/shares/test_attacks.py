"""Whatever a name says, a share stays the page it is: no tag, no address and no formula comes out of data."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest

from dashboard import figures
from dashboard.owner import Owner, filters_from, plain
from dashboard.reports import as_csv
from dashboard.reports.build import NothingToReport, report_of
from dashboard.reports.palette import coloured
from dashboard.reports.report import Chart, Figure, Report, Table
from dashboard.rows import Rows
from dashboard.shares import page, snapshot
from dashboard.shares.ledger import Scope
from queries import Filters
from tests.dashboard.attacks import PAYLOADS
from tests.dashboard.shares import scopes
from tests.dashboard.shares.conftest import Made
from tests.dashboard.shares.scopes import KINDS, cases
from tests.ingest.loading import load

WHEN = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Structure(HTMLParser):
    """What a browser makes of a page: its tags with their attributes, and what scripts read; no text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.data = ""
        self._is_data = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = tuple((name, value) for name, value in attrs if name != "aria-label")
        self.tags.append((tag, (*named, *(("aria-label", None) for name, _ in attrs if name == "aria-label"))))
        self._is_data = ("type", "application/json") in attrs

    def handle_data(self, data: str) -> None:
        if self._is_data:
            self.data += data

    def handle_endtag(self, tag: str) -> None:
        self._is_data = False


def report(name: str) -> Report:
    """A report in which every text comes from a log."""
    said = name or " "  # without words, a note has no place of its own
    columns = {"feature": [name, "chat"], "model": ["m", name], "cost_usd": [2, 1], "calls": [1, 1]}
    rows = Rows(name, pa.table(columns))
    chart = Chart(name, coloured(figures.ranked(rows, "feature", "cost_usd")), name, said)
    table, figure = Table(name, rows, {"calls": 2}, said), Figure("cost_usd", 3, said)
    return Report(name, name, "UTC", (name,), WHEN, (figure,), (chart,), (table,), (name,), rows, said)


def html(name: str) -> str:
    return page.written(report(name), name, WHEN, [("report.pdf", "PDF")])


def drawn(value: Any, key: str = "") -> Iterator[str]:
    """The texts of a figure that are drawn: what a click would open, the first of each customdata, is not."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from drawn(part, name)
    elif isinstance(value, list):
        for part in value:
            yield from drawn(part[1:] if key == "customdata" else part)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_name_changes_what_a_page_is_made_of(payload: str) -> None:
    seen, harmless = Structure(html(payload)), Structure(html("harmless"))

    assert seen.tags == harmless.tags
    assert set(json.loads(seen.data)) == {"charts", "dark"}
    for text in drawn(json.loads(seen.data)["charts"]):
        assert "<" not in re.sub(r"</?(b|br|extra)>", "", text)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_name_becomes_a_formula(payload: str, tmp_path: Path) -> None:
    told = report(payload)
    cells = [cell for line in csv.reader(io.StringIO(as_csv.written(told.tables[0], "UTC"))) for cell in line]
    assert not any(cell[:1] in tuple("=+-@\t\r") and cell for cell in cells)

    book = openpyxl.load_workbook(io.BytesIO(snapshot.FILES["report.xlsx"].write(told)))
    held = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert held and not any(cell.hyperlink for cell in held)
    assert not any(payload.strip()[:8] in str(cell.value) and cell.data_type == "f" for cell in held if payload.strip())


def test_no_name_of_a_share_is_more_than_a_name(make: Made, owner: Owner) -> None:
    for payload in PAYLOADS[1:2]:
        share, _ = make(name=payload or "x")
        written = snapshot.content(owner.home, share, snapshot.PAGE) or b""
        assert [tag for tag in Structure(written.decode()).tags if tag[0] in ("img", "script", "a")] == [
            tag
            for tag in Structure((snapshot.content(owner.home, make()[0], snapshot.PAGE) or b"").decode()).tags
            if tag[0] in ("img", "script", "a")
        ]


@pytest.fixture(scope="module")
def values(owner: Owner) -> dict[str, list[str]]:
    return scopes.values(owner)


def test_ten_thousand_scopes_are_kept_as_they_were(values: dict[str, list[str]]) -> None:
    """A scope that came back wider from the file would show more at its next refresh."""
    for filters in cases(10_000, values):
        assert filters_from(json.loads(json.dumps(asdict(filters), default=plain))) == filters


def test_the_rows_of_generated_scopes_are_those_inside_of_them(owner: Owner, values: dict[str, list[str]]) -> None:
    """Not one more and not one less; `python -m tests.dashboard.shares.scopes` tries ten thousand."""
    known, rows = scopes.calls(owner), 0
    for number, filters in enumerate(cases(60, values)):
        wrong, seen = scopes.wrong(owner, known, filters, scopes.BY[number % len(scopes.BY)])
        assert not wrong
        rows += seen
    assert rows > 30


def test_files_of_a_share_name_nobody_and_nothing_beyond_its_scope(owner: Owner, values: dict[str, list[str]]) -> None:
    made = 0
    for filters in cases(6, values):
        scope = Scope("spend", filters, {"by": "User"})
        try:
            told = report_of("spend", filters, owner.read, chosen=scope.switches, hides_users=True)
        except NothingToReport:
            continue
        made += 1
        archive = zipfile.ZipFile(io.BytesIO(snapshot.FILES["report.csv.zip"].write(told)))
        text = page.written(told, "x", WHEN, []) + "".join(archive.read(of).decode() for of in archive.namelist())
        shown = {cell for table in told.tables for column in table.rows.columns.values() for cell in column}
        assert not {name for name in values["user"] if name in shown or name in text}
        for kind in KINDS:
            asked = getattr(filters, f"{kind}s")
            assert not asked or not (set(values[kind]) - set(asked)) & shown, kind
    assert made


def test_no_canary_reaches_a_store_or_a_file(tmp_path: Path) -> None:
    """Two hundred records with prompts, answers, tools, headers and keys that must never be seen again."""
    canaries = [f"CANARY{number:04}{kind}" for number in range(200) for kind in ("p", "r", "t", "h", "k", "u")]
    records = [
        {
            "timestamp": f"2026-11-20T{number // 60:02}:{number % 60:02}:00Z", "request_id": f"req_{number}",
            "model": "claude-opus-5-5", "input_tokens": 10, "output_tokens": 5, "feature": "chat", "user_id": "u1",
            "messages": [{"role": "user", "content": f"CANARY{number:04}p"}],
            "content": [{"type": "text", "text": f"CANARY{number:04}r"}],
            "tools": [{"name": f"CANARY{number:04}t"}], "headers": {"x-api-key": f"sk-ant-CANARY{number:04}h"},
            "api_key": f"sk-ant-api03-CANARY{number:04}k", "something": {"else": f"CANARY{number:04}u"},
        }
        for number in range(200)
    ]  # fmt: skip
    home = tmp_path / "home"
    lines = "".join(json.dumps(record) + "\n" for record in records)
    load(home, lines + '{"CANARY0000p": \n', name="app.jsonl")
    owner = Owner(home)
    owner.fold()
    share, _ = snapshot.make(
        home, owner.read, Scope("spend", Filters(), {"by": "User"}, shows_users=True), name="All", by="ana"
    )
    seen = [
        str(owner.query(f"from {table}").to_pydict()) for table in ("store.attempts", "store.refusals", "store.loads")
    ]
    owner.close()
    for file in home.rglob("*"):
        if file.is_file():
            seen.append(file.read_bytes().decode("latin-1"))
            if zipfile.is_zipfile(file):
                with zipfile.ZipFile(file) as archive:
                    seen += [archive.read(name).decode("latin-1") for name in archive.namelist()]
    everything = "\n".join(seen)

    assert share.share_id and "req_199" in everything
    assert not [canary for canary in canaries if canary in everything]
    assert "sk-ant" not in everything
