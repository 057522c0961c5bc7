"""Whatever is logged and asked for: every form of every export has the sum that the database has, to the last digit."""

import csv
import io
import json
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal
from zoneinfo import ZoneInfo

import openpyxl
import pyarrow.parquet as pq
import pypdfium2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboard import units
from dashboard.owner import Owner
from dashboard.reports import as_csv, as_focus, as_parquet, as_pdf, as_xlsx
from dashboard.reports.build import NothingToReport, report_of
from queries import Filters
from tests.dashboard.traffic import HOSTILE
from tests.ingest.loading import load

FEATURES = ["chat", "=sum(A1)", HOSTILE, "検索", "c" * 200, None]
TEAMS = ["ads", "Größe", None]
MODELS = ["claude-opus-5-5", "claude-haiku-5-5", "claude-sonnet-4-6", "house-model"]
FIRST = datetime(2026, 10, 20)
EVERYWHERE = "(unattributed)"


def lines() -> str:
    """Calls from a hundredth of a cent to a thousand dollars, so that sums have more digits than Excel keeps."""
    dice = random.Random(11)
    records = []
    for number in range(500):
        scale = 10 ** dice.uniform(0, 7)
        records.append(
            {
                "timestamp": f"{(FIRST + timedelta(minutes=dice.randrange(40 * 24 * 60))).isoformat()}Z",
                "request_id": f"req_{number}",
                "model": dice.choice(MODELS),
                "input_tokens": int(scale),
                "cache_read_input_tokens": dice.choice([0, int(scale) * 3]),
                "output_tokens": dice.randrange(1, 5000),
                "feature": dice.choice(FEATURES),
                "team": dice.choice(TEAMS),
                "user_id": f"u_{dice.randrange(9)}",
            }
        )
    return "\n".join(json.dumps(record) for record in records)


@pytest.fixture(scope="module")
def spender(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    home = tmp_path_factory.mktemp("spender")
    load(home, lines(), name="app.jsonl")
    owner = Owner(home)
    yield owner
    owner.close()


@st.composite
def asked(draw: st.DrawFn) -> Filters:
    since = date(2026, 10, 18) + timedelta(days=draw(st.integers(0, 40)))
    until = since + timedelta(days=draw(st.integers(0, 40)))
    zone = draw(st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata", "Pacific/Apia"]))
    features = draw(st.lists(st.sampled_from([name or EVERYWHERE for name in FEATURES]), max_size=2, unique=True))
    teams = draw(st.lists(st.sampled_from([name or EVERYWHERE for name in TEAMS]), max_size=1))
    return Filters(since, until, zone, features=tuple(features), teams=tuple(teams))


def spent(owner: Owner, filters: Filters) -> Decimal:
    """The sum, added up here from single attempts: days cut by the time zone's own clock, no view but the facts."""
    zone = ZoneInfo(filters.zone)
    begin, end = (
        datetime.combine(day, time(), zone).astimezone(UTC).replace(tzinfo=None)
        for day in (filters.since, filters.until + timedelta(days=1))
    )
    rows = owner.query("select started_at, feature, team, cost_usd from facts.attempts where cost_usd is not null")
    return sum(
        (
            row["cost_usd"]
            for row in rows.to_pylist()
            if begin <= row["started_at"] < end
            and (not filters.features or row["feature"] in filters.features)
            and (not filters.teams or row["team"] in filters.teams)
        ),
        Decimal(0),
    )


@settings(max_examples=5, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(filters=asked(), by=st.sampled_from(["Feature", "Model", "Team", "User", "Token class"]))
def test_every_form_has_the_sum_of_the_database(spender: Owner, filters: Filters, by: str) -> None:
    cost = spent(spender, filters)
    try:
        report = report_of("spend", filters, spender.read, chosen={"by": by})
    except NothingToReport:
        assert cost == 0
        return
    over_time, breakdown = report.tables
    for table in (over_time, breakdown):
        head, *rows = csv.reader(io.StringIO(as_csv.written(table, filters.zone)))
        place = head.index("Spend (USD)")
        assert sum(Decimal(row[place]) for row in rows[:-1]) == Decimal(rows[-1][place]) == cost
        stored = pq.read_table(io.BytesIO(as_parquet.written(report, table)))
        assert sum(stored["cost_usd"].to_pylist()) == cost

    book = openpyxl.load_workbook(io.BytesIO(as_xlsx.written(report)))
    assert Decimal(book["Summary"]["D6"].value) == cost
    head, *rows = book[book.sheetnames[2]].iter_rows(values_only=True)
    shown = Context(prec=15).plus(cost)
    assert Context(prec=15).plus(Decimal(repr(rows[-1][head.index("Spend (USD)")]))) == shown
    if "Spend (USD), every digit" in head:
        whole = [Decimal(row[head.index("Spend (USD), every digit")]) for row in rows]
        assert sum(whole[:-1]) == whole[-1] == cost
    else:
        assert shown == cost

    paper = pypdfium2.PdfDocument(as_pdf.written(report))
    assert len(paper) == 1
    assert units.money(cost) in paper[0].get_textpage().get_text_bounded()

    charges = spender.read(as_focus.VIEW, filters)
    read = csv.DictReader(io.StringIO(as_focus.as_csv(charges)))
    assert sum((Decimal(row["BilledCost"]) for row in read), Decimal(0)) == cost
