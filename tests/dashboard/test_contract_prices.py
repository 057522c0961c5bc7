"""The file of agreed prices in a home: an owner that is running notices it, and every report says so."""

from decimal import Decimal
from pathlib import Path

from dashboard.owner import Owner
from dashboard.reports import bundle
from dashboard.reports.build import report_of
from queries import Filters
from queries.contract import FILE
from tests.dashboard import traffic
from tests.ingest.loading import load


def test_an_edited_file_is_noticed_priced_by_and_named(home: Path) -> None:
    load(home, traffic.lines(), name="app.jsonl")
    owner = Owner(home)
    owner.fold()

    def spent() -> Decimal:
        cost: Decimal = owner.query("select cost_usd from metrics.totals")["cost_usd"][0].as_py()
        return cost

    def about() -> str:
        return bundle.about(report_of("spend", Filters(), owner.read))

    try:
        listed = spent()
        assert "At list price on the day of each call" in about()

        (home / FILE).write_text("valid_from,discount_percent,source\n2026-01-01,25,Order form 7\n")
        owner.fold_if_changed()
        assert spent() == listed * 3 / 4  # this traffic has no web searches
        assert "At your contract prices, and else at list price" in about()
        assert "at your contract prices (1 row of contract_prices.csv)" in about()

        (home / FILE).write_text("valid_from,discount_percent,source\n2026-01-01,250,Order form 7\n")
        owner.fold_if_changed()
        assert spent() == listed
        assert "contract prices are not in force: contract_prices.csv:2: discount_percent is '250'" in about()

        (home / FILE).unlink()
        owner.fold_if_changed()
        assert "contract" not in about()
    finally:
        owner.close()
