"""The page on paper: one page, nothing outside of it, nothing cut off that a person needs, and the same sums."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pypdfium2
import pytest

from dashboard import units
from dashboard.owner import Owner
from dashboard.reports import as_pdf, fitting
from dashboard.reports.as_pdf import MARGIN
from dashboard.reports.build import PAGES
from dashboard.reports.report import Chart, Figure, Letterhead, Report, Table
from dashboard.rows import Rows, sums
from queries import Filters
from tests.dashboard.reports.conftest import Told

POINTS = 72 / 25.4
NOVEMBER = Filters(date(2026, 11, 1), date(2026, 11, 20))
LOGO = Path(__file__).parents[3] / "dashboard" / "logo.svg"
SCRIPTS = ["Kostenstelle für Größen", "Ασύρματος", "Поиск", "חיפוש", "بحث", "検索", "खोज", "🎈 fête", "a" * 300, "=x()"]


def read(pdf: bytes) -> str:
    """The text of the only page; every sign of it, and every drawn thing, lies within the margins."""
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == 1
    page = document[0]
    wide, tall = page.get_size()
    text = page.get_textpage()
    boxes = [text.get_charbox(place) for place in range(text.count_chars())]
    boxes += [found.get_bounds() for found in page.get_objects()]
    for left, bottom, right, top in boxes:
        if right > left:
            assert left >= MARGIN * POINTS - 1 and right <= wide - MARGIN * POINTS + 1
            assert bottom >= MARGIN * POINTS - 8 and top <= tall - MARGIN * POINTS + 8
    return str(text.get_text_bounded())


def crowded(rows: int, tables: int = 3, amount: str = "123456789012345.123456789012") -> Report:
    """Many rows with long names in many scripts and amounts that no company has."""
    names = [f"{SCRIPTS[row % len(SCRIPTS)]} {row}" for row in range(rows - 1)] + ["(unattributed)"]
    table = pa.table(
        {
            "feature": names,
            "cost_usd": [Decimal(amount)] * rows,
            "cost_share_rate": [1 / rows] * rows,
            "calls": [10**12] * rows,
            "cost_before_usd": [Decimal(amount)] * rows,
            "cost_change_usd": [-Decimal(amount)] * rows,
        }
    )
    made = Rows("crowded", table)
    bars = {"type": "bar", "x": ["2026-11-01", "2026-11-02"], "y": [1.0, None], "marker": {"color": "#4354C8"}}
    chart = Chart("Spend by day", {"data": [bars | {"name": name} for name in SCRIPTS[:8]]}, "alt")
    figures = tuple(Figure(name, Decimal(amount), "", Decimal(1)) for name in ("cost_usd", "net_saving_usd") * 4)
    told = Table("By feature", made, sums(made, cost_share_rate=1), "A note. " * 80)
    scope = (f"Feature: {', '.join(names)}",)
    as_of = datetime(2026, 11, 23, 4, tzinfo=UTC)
    notes = ("A long note. " * 60,)
    return Report("T" * 200, "p" * 100, "UTC", scope, as_of, figures, (chart,), (told,) * tables, notes, made, "q" * 90)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_prints_on_one(told: Told, page: str) -> None:
    report = told(page, NOVEMBER)
    said = read(as_pdf.written(report))
    assert report.title in said
    for figure in report.figures:
        assert units.text(figure.name, figure.value) in said


@pytest.mark.parametrize("rows", [1, 8, 200, 5000])
def test_nothing_is_clipped_however_much_there_is(rows: int) -> None:
    letterhead = Letterhead("W" * 300, LOGO, "Note " * 300)
    said = read(as_pdf.written(crowded(rows), letterhead))
    total = units.money(Decimal("123456789012345.123456789012") * rows)
    assert said.count(total) >= 3, "the totals are whole, whatever their size"
    assert "(unattributed)" in said
    if rows > 8:
        assert all(Path(font).exists() for font in as_pdf.MORE_FONTS) or "▯" in said
        assert "All others" in said


def test_rows_that_are_summed_up_and_rows_that_are_shown_make_the_total() -> None:
    table = crowded(200, amount="1.10").tables[0]
    for most in (3, 10, 199, 200):
        shown = fitting.printed(table, ["feature", "cost_usd", "calls"], most, "UTC")
        assert len(shown.rows) == min(most, 200)
        assert sum(Decimal(row[1].strip("$").replace(",", "")) for row in shown.rows) == Decimal("220.00")
        assert shown.total == ("Total", "$220.00", "200,000,000,000,000")


def test_what_rounding_leaves_over_is_never_among_the_others() -> None:
    names = ["a", "b", "c", "(unattributed)", "(rounding)"]
    table = Table(
        "By team", Rows("t", pa.table({"team": names, "cost_usd": [Decimal(n) for n in (8, 4, 2, 1, -1)]})), {}
    )
    told = {most: fitting.printed(table, ["team", "cost_usd"], most, "UTC").rows for most in (5, 4, 3, 2, 1)}
    assert [name for name, _ in told[5]] == names
    assert told[4] == (
        ("a", "$8.00"),
        ("(unattributed)", "$1.00"),
        ("(rounding)", "-$1.00"),
        ("All others (2)", "$6.00"),
    )
    assert told[3] == (("(unattributed)", "$1.00"), ("(rounding)", "-$1.00"), ("All others (3)", "$14.00"))
    assert told[2] == (("(unattributed)", "$1.00"), ("All others (4)", "$13.00"))
    assert told[1] == (("All others (5)", "$14.00"),)


def test_a_statement_has_the_sums_of_the_database_and_of_the_month_before(told: Told, owner: Owner) -> None:
    report = told("statement", Filters(date(2026, 11, 1), date(2026, 11, 30)))
    assert report.before_period == "1 – 31 Oct 2026"
    months = "date_trunc('month', started_at)"
    paid = owner.query(f"select {months} as m, sum(cost_usd) as c from facts.attempts group by m order by m")
    october, november = (cost.quantize(Decimal("0.01")) for cost in paid["c"].to_pylist())
    by_feature, by_team, causes = report.tables[1:]
    for table in (by_feature, by_team):
        assert table.total["cost_usd"] == november
        assert table.total["cost_before_usd"] == october
        assert table.total["cost_change_usd"] == november - october
    assert causes.total["amount_usd"] == november - october
    said = read(as_pdf.written(report, Letterhead("Muster GmbH", LOGO, "Cost centre 4711")))
    for words in ("Muster GmbH", "Cost centre 4711", "What changed, and why", units.money(november), "1 – 31 Oct 2026"):
        assert words in re.sub(r"\s+", " ", said)


def test_fonts_are_embedded(told: Told) -> None:
    pdf = as_pdf.written(told("spend", NOVEMBER))
    assert pdf.count(b"/FontFile2") == pdf.count(b"/FontDescriptor") / 2 > 0
