"""The upload page tells what became of each file, and what it refused, so that the numbers add up."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest

from dashboard import load_reports, uploads
from tests.dashboard.conftest import Opened

REPORT: dict[str, Any] = {
    "source_name": "app.jsonl",
    "formats": ["app_log"],
    "bytes": 2_500,
    "lines": 12,
    "other_lines": 1,
    "read_records": 11,
    "new_attempts": 7,
    "known_records": 2,
    "folded_records": 1,
    "refused_records": 1,
    "refusals": [{"reason": "no time in it", "records": 1, "line": 4}],
    "unpriced_models": [{"model": "[house](http://evil.example)", "attempts": 3}],
    "notes": ["Times without a zone were read as UTC."],
    "first_started_at": None,
    "last_started_at": None,
}


def test_each_file_is_told_with_its_arithmetic(home: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str, file: IO[bytes], tell: Callable[[int, int], None]) -> list[dict[str, Any]]:
        tell(len(file.read()), 12)
        if name == "broken.jsonl":
            raise ValueError("the file ends in the middle")
        return [REPORT | {"source_name": name}]

    monkeypatch.setattr(uploads, "load_file", load)
    app = opened(home, "upload")
    app.file_uploader[0].upload("app.jsonl", b"{}\n")
    app.file_uploader[0].upload("broken.jsonl", b"{")
    app.form_submit_button[0].click().run()

    assert not app.exception
    assert (
        "**11** records read = **7** new + **2** already known + **1** folded + **1** refused" in app.markdown[0].value
    )
    assert "the file ends in the middle" in app.error[0].value
    assert r"\[house\]\(http" in app.warning[0].value
    assert len(app.get("download_button")) == 1


def test_nothing_chosen_is_said(home: Path, opened: Opened) -> None:
    app = opened(home, "upload")
    app.form_submit_button[0].click().run()

    assert "Choose one or more files" in app.info[0].value


def test_a_reason_cannot_become_a_formula_in_a_spreadsheet() -> None:
    reasons = ["=cmd()", "+1", "-1", "@x", "\ttab", "plain, with a comma"]
    text = load_reports.refusals_csv([{"reason": reason, "records": 1, "line": 1} for reason in reasons])

    cells = [row["reason"] for row in csv.DictReader(io.StringIO(text))]
    assert [cell.lstrip("'") for cell in cells] == reasons
    assert all(cell[0] not in "=+-@\t" for cell in cells)
