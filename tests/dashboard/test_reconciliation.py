"""The bill in the command line and on its page: taken in, shown, added up, and told where it belongs."""

import csv
import io
import json
import os
import threading
from decimal import Decimal
from pathlib import Path

import pytest

from dashboard.reconciling import CAUSES, sentence
from dashboard.reports.build import report_of
from queries import Filters, catalogue
from tests.dashboard import bills
from tests.dashboard.conftest import Opened
from tests.dashboard.reports.conftest import owner as owner
from tests.dashboard.test_cli import log, outlay
from tests.ingest.test_bill import Api


def test_every_cause_that_sql_names_has_words():
    [view] = [view for view in catalogue() if view.path == "focus.reconciled_differences"]
    assert all(f"'{cause}'" in view.sql for cause in CAUSES)
    assert view.sql.count("union all select") + 1 == len(CAUSES)


@pytest.mark.parametrize(
    ("billed", "logged", "rest", "says"),
    [
        (2, 2, 0, "they tie out"),
        (2, 3, 0, "of -$1.00, all of it explained"),
        (3, 2, 1, "of +$1.00; $1.00 of it, over and under taken together, no named cause explains"),
        (2, 2, 4, "of +$0.00; $4.00 of it"),
    ],
)
def test_the_headline_never_hides_a_rest(billed, logged, rest, says):
    total = {"billed_usd": billed, "logged_usd": logged, "difference_usd": billed - logged, "days": 1}
    said = sentence({name: Decimal(value) for name, value in total.items()} | {
        "days": 1, "not_explained_either_way_usd": Decimal(rest)
    })  # fmt: skip
    assert says in said


def test_a_bill_is_imported_shown_and_added_up(home: Path, tmp_path: Path):
    assert outlay(home, "ingest", log(tmp_path / "logs")).returncode == 0  # 3 x $0.006 on 20 November
    path = tmp_path / "cost.json"
    path.write_text(bills.cost_report())
    nothing = outlay(home, "bill")
    assert nothing.returncode == 1
    assert "outlay bill import FILE" in nothing.stderr

    first, again = outlay(home, "bill", "import", path), outlay(home, "bill", "import", path)
    assert "cost.json: cost of 2026-11-20 to 2026-11-20, 2 rows" in first.stdout, first.stderr
    assert "already known" in again.stdout
    said = outlay(home, "bill", "--since", "2026-11-20", "--until", "2026-11-20")
    assert "Billed $1.50, logged $0.02 on 1 UTC day: a difference of +$1.48" in said.stdout
    rows = list(csv.DictReader(io.StringIO(outlay(home, "bill", "--format", "csv").stdout)))
    assert {row["cause"]: Decimal(row["amount_usd"]) for row in rows} == {
        "missing_logs": Decimal("2.5"),  # of a model that no log names
        "credits": -1,
        "not_on_this_bill": Decimal("-0.018"),
    }
    assert sum(Decimal(row["amount_usd"]) for row in rows) == Decimal("1.5") - Decimal("0.018")


def test_a_file_that_is_no_bill_is_refused_and_a_bill_among_logs_is_sent_where_it_belongs(home: Path, tmp_path: Path):
    refused = outlay(home, "bill", "import", log(tmp_path / "logs"))
    assert refused.returncode == 1
    assert "a.jsonl" in refused.stderr
    path = tmp_path / "cost.json"
    path.write_text(bills.cost_report())
    sent = outlay(home, "ingest", path)
    assert sent.returncode == 1
    assert "outlay bill import" in sent.stderr


def test_the_bill_is_fetched_and_the_key_is_nowhere(home: Path, monkeypatch: pytest.MonkeyPatch):
    without = outlay(home, "bill", "fetch", "--since", "2026-11-01", "--until", "2026-11-30")
    assert without.returncode == 2
    assert "ANTHROPIC_ADMIN_KEY" in without.stderr
    with Api() as api:
        threading.Thread(target=api.serve_forever, daemon=True).start()
        monkeypatch.setenv("ANTHROPIC_BASE_URL", api.url)
        monkeypatch.setenv("ANTHROPIC_ADMIN_KEY", "sk-ant-admin-canary")
        said = outlay(home, "bill", "fetch", "--since", "2026-11-01", "--until", "2026-11-30")
        api.shutdown()
    assert said.returncode == 0, said.stderr
    assert "fetched: cost 2026-11-01 to 2026-11-30: cost of 2026-11-01 to 2026-11-30, 2 rows" in said.stdout
    files = [Path(folder) / name for folder, _, names in os.walk(home) for name in names]
    assert files
    assert all(b"canary" not in file.read_bytes() for file in files)
    assert "canary" not in said.stdout + said.stderr


def test_the_report_adds_up_and_says_whose_days_it_means(owner):
    report = report_of("reconciliation", Filters(features=("chat",), zone="Asia/Kolkata"), owner.read)

    assert report.zone == "UTC"
    assert report.scope == ("All calls",)
    figures = {figure.name: figure.value for figure in report.figures}
    assert figures["billed_usd"] == Decimal("1.5")
    [causes] = [table for table in report.tables if table.title == "Causes of the difference"]
    assert sum(causes.rows["amount_usd"]) == figures["billed_usd"] - figures["logged_usd"] == figures["difference_usd"]
    [steps] = [table for table in report.tables if table.title == "From logged to billed"]
    assert sum(steps.rows["amount_usd"][:-1]) == steps.rows["amount_usd"][-1] == figures["billed_usd"]


def test_the_page_says_what_filters_do_not_apply_and_what_to_do_without_a_bill(full_home: Path, opened: Opened):
    shown = opened(full_home, "reconciliation", feature="chat")
    assert not shown.exception
    assert next(tile.value for tile in shown.metric) == "$1.50"
    assert any("features, users or teams" in caption.value for caption in shown.caption)
    empty = opened(full_home, "reconciliation", range="Custom", dates=["2026-11-01", "2026-11-02"])
    assert not empty.exception
    assert any("outlay bill import" in code.value for code in empty.code)


def test_samples_tie_out_but_for_what_they_are_made_to_differ_in():
    """The files of the sample logs, read as they are: 13 days, $3.20 of code execution, a credit of $25."""
    told = json.loads((Path(__file__).parents[2] / "sample_logs" / "bill" / "cost.json").read_text())["data"]
    assert len({row["starting_at"] for row in told}) == 13
    kinds = {row["group"]["cost_type"]: row["cost"]["amount"] for row in told}
    assert (kinds["code_execution"], kinds["credit"]) == ("320", "-2500")
