"""`outlay export`, `statement` and `deliveries`: files, and sentences where there is none."""

import io
import json
import zipfile
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pypdfium2
from click.testing import CliRunner, Result

from dashboard.cli import main
from tests.ingest.loading import load

# Three calls of 1,000 tokens in and 100 out on claude-opus-5-5: 4 and 20 dollars a million.
COST = 3 * (1000 * Decimal(4) + 100 * Decimal(20)) / 1_000_000

CALL = {"timestamp": "2026-11-20T10:00:00Z", "model": "claude-opus-5-5", "input_tokens": 1000, "output_tokens": 100}


def outlay(home: Path, *arguments: object) -> Result:
    return CliRunner().invoke(main, ["--home", str(home), *map(str, arguments)])


def given(home: Path, **more: str) -> None:
    load(home, "".join(json.dumps(CALL | more | {"request_id": f"req_{number}"}) + "\n" for number in range(3)))


def test_pages_and_statements_are_written_as_files(home: Path, tmp_path: Path) -> None:
    given(home, feature="=search")
    said = outlay(home, "export", "spend", "--format", "csv", "--table", "Spend by feature")
    assert said.stdout.splitlines()[-1].split(",")[:2] == ["Total", f"{COST:.12f}"]
    assert "'=search" in said.stdout
    asked = outlay(home, "query", "select feature, -1 as x from facts.calls limit 1", "--format", "csv")
    assert asked.stdout == "feature,x\n'=search,-1\n"

    book, sheet, table, paper = (tmp_path / name for name in ("a.xlsx", "all.zip", "f.parquet", "s.pdf"))
    assert outlay(home, "export", "spend", "--switch", "by=Model", "-o", book).exit_code == 0
    assert "Spend by model" in openpyxl.load_workbook(book).sheetnames
    assert outlay(home, "export", "spend", "--format", "parquet", "-o", sheet).exit_code == 0
    with zipfile.ZipFile(sheet) as bundle:
        assert bundle.namelist() == ["about.txt", "1-spend-by-day.parquet", "2-spend-by-feature.parquet"]
        assert sum(pq.read_table(io.BytesIO(bundle.read(bundle.namelist()[2])))["cost_usd"].to_pylist()) == COST
    assert outlay(home, "export", "focus", "-o", table).exit_code == 0
    assert sum(pq.read_table(table)["BilledCost"].to_pylist()) == COST
    assert outlay(home, "statement", "--month", "2026-11", "-o", paper).exit_code == 0
    assert "$0.02" in pypdfium2.PdfDocument(paper)[0].get_textpage().get_text_bounded()
    assert "Nothing was delivered yet" in outlay(home, "deliveries").stdout


def test_what_cannot_be_written_is_said_in_a_sentence(home: Path, tmp_path: Path) -> None:
    given(home)
    for arguments, sentence in (
        (("export", "spend", "--format", "csv"), "name one table with --table"),
        (("export", "spend", "--switch", "by=Colour"), "by=Colour is no switch of spend; it has: by=Feature | Model"),
        (("export", "spend", "-o", tmp_path / "x.docx"), "docx is no format of spend"),
        (("export", "spend", "--user", "nobody"), "Nothing that was logged passes these filters"),
        (("statement",), "name the period"),
    ):
        said = outlay(home, *arguments)
        assert said.exit_code in (1, 2) and sentence in said.stderr, said
        assert "Traceback" not in said.stderr
