"""A report holds what its page shows, and the files written from it read back as the database has it."""

import csv
import io
import json
import re
from datetime import date, datetime
from decimal import Context, Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dashboard import units
from dashboard.names import display_name
from dashboard.owner import Owner
from dashboard.reports import as_csv, as_parquet, as_xlsx
from dashboard.reports.build import PAGES, NothingToReport
from dashboard.reports.report import Report, Table
from dashboard.rows import Rows, sums
from queries import Filters
from tests.dashboard.conftest import Opened
from tests.dashboard.reports.conftest import Told
from tests.dashboard.traffic import HOSTILE

SHOWN = [page for page in PAGES if page != "statement"]  # which is on no page
NOVEMBER = Filters(date(2026, 11, 1), date(2026, 11, 20))


def book(report: Report) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(as_xlsx.written(report)))


def within_15(amount: Decimal) -> Decimal:
    return Context(prec=15).plus(amount)


def decimal(cell: object) -> Decimal:
    """What Excel shows of a number: 15 digits."""
    return within_15(Decimal(repr(float(str(cell)))))


@pytest.mark.parametrize("page", SHOWN)
def test_a_report_holds_what_its_page_shows_and_the_page_offers_it(
    full_home: Path, opened: Opened, told: Told, page: str
) -> None:
    """Two ways to the same: the page as a browser opens it, and the report built without it."""
    app = opened(full_home, page, range="Custom", dates=["2026-11-01", "2026-11-20"])
    report = told(page, NOVEMBER)

    titles = [element.value for element in app.subheader]
    assert {table.title for table in report.tables} <= set(titles)
    assert len(report.charts) == len(app.get("plotly_chart"))
    if app.metric:
        tiles = [(units.label(figure.name), units.text(figure.name, figure.value)) for figure in report.figures]
        assert tiles == [(tile.label, tile.value) for tile in app.metric]
    offered = [button.label for button in app.get("download_button")]
    forms = ["Workbook (XLSX)", "One page (PDF)", "Tables as CSV (zip)", "Tables as Parquet (zip)"]
    money = (
        ["Statement (PDF)", "FinOps FOCUS 1.2 (CSV), 32 unpriced attempts left out"]
        if page in ("overview", "spend", "compare", "chargeback", "reconciliation")
        else []
    )
    assert [label for label in offered if label != "CSV"] == forms + money
    for toggle in app.toggle:
        if toggle.label == "Table":
            toggle.set_value(True)
    frames = [frame.value for frame in app.run().dataframe]
    for table in report.tables:
        sizes = [len(table.rows), len(table.rows) + bool(table.total)]
        assert any(list(frame.columns) == list(table.rows.columns) and len(frame) in sizes for frame in frames), table


@pytest.mark.parametrize("page", PAGES)
def test_every_page_can_be_written_in_every_form(told: Told, page: str) -> None:
    report = told(page, NOVEMBER)
    sheets = book(report)
    assert len(sheets.sheetnames) == len(report.tables) + 2
    for table in report.tables:
        assert len(list(csv.reader(io.StringIO(as_csv.written(table, "UTC"))))) == len(table.rows) + 1 + bool(
            table.total
        )
        assert pq.read_table(io.BytesIO(as_parquet.written(report, table))).num_rows == len(table.rows)


def test_what_is_written_adds_up_to_the_database(told: Told, owner: Owner) -> None:
    period = "started_at >= '2026-11-01' and started_at < '2026-11-21'"
    [cost] = owner.query(f"select sum(cost_usd) as x from facts.attempts where {period}")["x"].to_pylist()
    [calls] = owner.query(f"select count(*) as x from facts.calls where {period}")["x"].to_pylist()
    report = told("spend", NOVEMBER)
    by_feature = report.tables[1]

    read = list(csv.DictReader(io.StringIO(as_csv.written(by_feature, "UTC"))))
    assert sum(Decimal(line["Spend (USD)"]) for line in read[:-1]) == Decimal(read[-1]["Spend (USD)"]) == cost
    assert sum(int(line["Calls"]) for line in read[:-1]) == int(read[-1]["Calls"]) == calls

    stored = pq.read_table(io.BytesIO(as_parquet.written(report, by_feature)))
    assert pa.types.is_decimal(stored.schema.field("cost_usd").type)
    assert sum(stored["cost_usd"].to_pylist()) == cost == Decimal(stored.schema.metadata[b"total.cost_usd"].decode())

    sheet = book(report)["Spend by feature"]
    head, *lines, total = sheet.iter_rows(values_only=True)
    place = head.index("Spend (USD)")
    assert total[0] == "Total"
    assert decimal(total[place]) == within_15(cost)
    assert all(isinstance(line[place], int | float) for line in lines)
    assert abs(sum(decimal(line[place]) for line in lines) - cost) < Decimal("1e-10")


def test_a_workbook_holds_real_dates_and_says_what_it_is_about(told: Told) -> None:
    sheets = book(told("spend", NOVEMBER, chosen={"by": "Model"}, hides_users=True))
    assert sheets.sheetnames == ["Summary", "Spend by day", "Spend by model", "About"]
    day = sheets["Spend by day"]["A2"]
    assert (day.value, day.is_date) == (datetime(2026, 11, 1), True)

    about = [cell for row in sheets["About"].iter_rows(values_only=True) for cell in row if cell is not None]
    assert "1 – 20 Nov 2026, both days included" in about
    assert "User names are left out" in about
    assert any(isinstance(cell, datetime) for cell in about), "as of when"
    assert "claude-sonnet-5" in about
    assert "claude-fable-5-2" not in about, "a price that was not used"
    assert any("genai-prices" in str(cell) or "pricing" in str(cell) for cell in about), "where prices come from"


def test_an_amount_with_more_digits_than_excel_keeps_stands_beside_it_in_full() -> None:
    exact = Decimal("123456789.123456789012")
    rows = Rows("k", pa.table({"feature": ["a", "b"], "cost_usd": [exact, Decimal("0.500000000000")]}))
    report = Report("T", "p", "UTC", (), datetime(2026, 11, 20), (), (), (Table("By", rows, sums(rows)),), (), rows)
    head, first, second, total = book(report)["By"].iter_rows(values_only=True)

    assert head == ("Feature", "Spend (USD)", "Spend (USD), every digit")
    assert first == ("a", 123456789.123457, "123456789.123456789012")
    assert second == ("b", 0.5, "0.500000000000")
    assert total == ("Total", 123456789.623457, "123456789.623456789012")


def test_names_from_logs_stay_text(told: Told) -> None:
    names = [line[0] for line in book(told("spend", NOVEMBER))["Spend by feature"].iter_rows(values_only=True)]
    assert display_name(HOSTILE, limit=1000) in names
    rows = Rows("k", pa.table({"feature": ['=HYPERLINK("http://x")', "https://x", "+1"], "calls": [1, 2, 3]}))
    report = Report("T", "p", "UTC", (), datetime(2026, 11, 20), (), (), (Table("[By]: */?", rows, {}),), (), rows)
    sheet = book(report)["By"]
    assert [(cell.value, cell.data_type, cell.hyperlink) for cell in sheet["A"][1:]] == [
        ('=HYPERLINK("http://x")', "s", None),
        ("https://x", "s", None),
        ("+1", "s", None),
    ]
    lines = as_csv.written(report.tables[0], "UTC").splitlines()
    assert lines[1:] == ['"\'=HYPERLINK(""http://x"")",1', "https://x,2", "'+1,3"]


def test_users_can_be_left_out_everywhere(told: Told) -> None:
    users = told("spend", NOVEMBER, chosen={"by": "User"}).tables[1].rows
    hidden = told("spend", NOVEMBER, chosen={"by": "User"}, hides_users=True)
    assert hidden.tables[1].rows["cost_usd"] == users["cost_usd"]
    said = as_csv.written(hidden.tables[1], "UTC") + json.dumps([chart.figure for chart in hidden.charts])
    assert not re.search(r"u_0\d\d", said)
    assert re.search(r"User \d", said)
    one = told("spend", Filters(users=(users["user_id"][0],)), hides_users=True)
    assert one.scope == ("User: 1 chosen", "User names are left out")
    assert one.figures[0].value


def test_filters_that_nothing_passes_say_so(told: Told) -> None:
    with pytest.raises(NothingToReport, match="choose another period"):
        told("spend", Filters(users=("nobody",)))


def test_charts_have_the_colours_of_the_light_theme(told: Told) -> None:
    for page in PAGES:
        for chart in told(page, NOVEMBER).charts:
            assert not re.search(r"#0000\d\d", json.dumps(chart.figure))


def test_many_filters_are_named_and_counted(told: Told) -> None:
    users = tuple(f"u_{number:03d}" for number in range(1000))
    [said] = told("spend", Filters(users=users)).scope
    assert said == f"User: {', '.join(users[:20])} and 980 more"
