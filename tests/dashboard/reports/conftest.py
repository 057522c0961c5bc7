"""Reports over a real store, built without any page."""

from collections.abc import Callable, Iterator

import pytest

from dashboard.owner import Owner
from dashboard.reports.build import report_of
from dashboard.reports.report import Report
from queries import Filters
from tests.dashboard import bills, traffic
from tests.ingest.loading import load

Told = Callable[..., Report]


@pytest.fixture(scope="session")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    home = tmp_path_factory.mktemp("reports")
    load(home, traffic.lines(), name="app.jsonl")
    bills.keep(home)
    owned = Owner(home)
    owned.fold()
    yield owned
    owned.close()


@pytest.fixture(scope="session")
def told(owner: Owner) -> Told:
    """Builds the report of a page under filters, each once."""
    known: dict[str, Report] = {}

    def build(page: str, filters: Filters | None = None, **how: object) -> Report:
        asked = repr((page, filters, how))
        if asked not in known:
            known[asked] = report_of(page, filters or Filters(), owner.read, **how)
        return known[asked]

    return build
