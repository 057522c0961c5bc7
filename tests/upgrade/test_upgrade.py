"""A home of the first release, opened by the code of today: nothing is lost, and no number moves."""

import contextlib
import json
import tarfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dashboard.owner import Owner, plain
from ingest.archive import Archive
from ingest.attempt import ADDED, CONTENT, ORIGIN
from ingest.load import Loader
from ingest.rebuild import rebuild
from ingest.verify import verify
from tests.upgrade.first_release import KEPT, LOGS, QUESTION, SAID

# Dollars a million tokens at the list prices of those days: Sonnet 4.5 3 and 15, cache read 0.30 and written 3.75;
# Haiku 4.5 1 and 5.
COST_USD = {
    "(unattributed)": (10 * 3 + 2000 * 3.75 + 1024 * 15) / 1e6,
    "chat": (300 * 1 + 30 * 5) / 1e6,
    "search": (1050 * 3 + 4000 * 0.30 + 207 * 15) / 1e6,
}


@pytest.fixture
def old_home(home: Path) -> Path:
    with tarfile.open(KEPT) as tar:
        tar.extractall(home, filter="data")
    return home


def asked(home: Path) -> list[dict[str, Any]]:
    """The answer of today's code, as the command line writes it; all that is in the archive has to be whole."""
    with contextlib.closing(Owner(home)) as owner:
        owner.fold()
        assert [check.sentence for check in verify(home, owner.query) if not check.is_well] == []
        rows = owner.query(QUESTION).to_pylist()
    return [{name: plain(value) for name, value in row.items()} for row in rows]


def loaded(home: Path, *logs: Path) -> dict[str, tuple[int, int, int]]:
    """new, already known and folded records of each log."""
    landed = {log.name: outcome.landed.load_id for log in logs for outcome in Loader(home).load_path(log)}
    with contextlib.closing(Owner(home)) as owner:
        reports = {report["load_id"]: report for report in owner.reports(list(landed.values()))}
    counts = ("new_attempts", "known_records", "folded_records")
    return {name: tuple(reports[load_id][count] for count in counts) for name, load_id in landed.items()}


def test_an_old_home_says_what_it_said_then(old_home: Path) -> None:
    then = json.loads(SAID.read_text())
    assert asked(old_home) == then
    assert {row["feature"]: float(row["cost_usd"]) for row in then} == pytest.approx(COST_USD)


def test_a_field_that_a_version_adds_leaves_the_names_of_records_without_ids(old_home: Path) -> None:
    """It belongs to ADDED, or every such record would be counted twice when its log is loaded again."""
    then = pq.read_schema(next(Archive(old_home).loads()) / "attempts.parquet").names
    assert set(CONTENT) - ADDED == set(then) - set(ORIGIN)


def test_logs_that_an_old_home_knows_are_known(old_home: Path, tmp_path: Path) -> None:
    """Read anew by today's readers, and folded beside loads that have fewer columns."""
    assert loaded(old_home, *sorted(LOGS.iterdir())) == {"app.jsonl": (0, 5, 0), "pairs.jsonl": (0, 2, 0)}
    assert asked(old_home) == json.loads(SAID.read_text())
    more = tmp_path / "more.jsonl"
    more.write_text(LOGS.joinpath("app.jsonl").read_text().splitlines()[0].replace("_1", "_77"))
    assert loaded(old_home, more) == {"more.jsonl": (1, 0, 0)}
    before = asked(old_home)
    rebuild(old_home)
    assert asked(old_home) == before
