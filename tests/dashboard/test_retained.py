"""What was spent before attempts are pruned is told afterwards to the last digit, from the sums that stay."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import queries
from dashboard.cli import main
from dashboard.owner import Owner, wrong_sums
from dashboard.reading import Reading
from dashboard.trust import sentences
from dashboard.view import View
from ingest.archive import digest
from ingest.backup import backup, restore
from ingest.prune import plan, prune
from ingest.rebuild import rebuild
from ingest.retained import SumsDamaged
from ingest.verify import verify
from queries.catalog import SOURCE, by_row
from tests.dashboard.test_rollups_kept import records, take_in
from tests.ingest.loading import counts, load

# All that is asked of sums alone.
SUMMED = {
    view.path.removeprefix("metrics.")
    for view in queries.catalogue()
    if view.layer == "metrics"
    and by_row(view.sql) != view.sql
    and all(
        path.endswith(("_by_hour", "_by_day", ".users"))
        for path in SOURCE.findall(view.sql)
        if path.startswith("focus.")
    )
}
MOST_ASKED = ("totals", "spend_by_day", "spend_by_feature", "cache", "reliability", "truncation", "latency")
FILTERS = (
    queries.Filters(),
    queries.Filters(zone="Europe/Berlin", features=("chat",)),
    queries.Filters(since=date(2026, 11, 1), until=date(2026, 11, 2)),
)
BEFORE = datetime(2026, 11, 2)
RECORD = {"model": "claude-sonnet-5", "input_tokens": 1_000_000, "output_tokens": 0, "feature": "chat"}


def told(owner: Owner, metrics: Iterable[str]) -> dict[Any, list[str]]:
    """What questions to sums are answered."""
    return {
        (metric, wanted): sorted(map(repr, owner.read(metric, wanted).to_pylist()))
        for metric in metrics for wanted in FILTERS
    }  # fmt: skip


def opened(home: Path) -> Owner:
    """The owner of a home, of which all that has landed is folded."""
    owner = Owner(home)
    owner.fold()
    return owner


def pruned(home: Path, before: datetime = BEFORE) -> None:
    owner = opened(home)
    planned = plan(home, owner.query, before)
    owner.close()
    prune(home, planned, queries.retain)


def faults(owner: Owner) -> list[str]:
    return [check.sentence for check in verify(owner.home, owner.query) if not check.is_well] + [
        path for path, rows in wrong_sums(owner) if rows
    ]


def log(*days: str) -> str:
    """A call of a million tokens on each of these days: at $2 a million (Sonnet 5), two dollars."""
    return "".join(
        json.dumps(RECORD | {"timestamp": f"{day}T10:00:00Z", "request_id": f"req_{day}", "user_id": "u_1"}) + "\n"
        for day in days
    )


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Owner]:
    load(tmp_path / "home", log("2026-10-30", "2026-11-01", "2026-11-03"))
    pruned(tmp_path / "home")
    owner = opened(tmp_path / "home")
    yield owner
    owner.close()


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pieces=st.lists(st.lists(records, min_size=1, max_size=12), min_size=1, max_size=3),
    steps=st.lists(st.integers(1, 4), min_size=1, max_size=2),
    metrics=st.sets(st.sampled_from(sorted(SUMMED)), min_size=8, max_size=8),
)
def test_every_question_to_sums_is_answered_as_before(
    tmp_path_factory: pytest.TempPathFactory,
    pieces: list[list[dict[str, object]]],
    steps: list[int],
    metrics: set[str],
) -> None:
    """Also when it is done again later, and where the tries of a call lie on both sides of the midnight."""
    assert set(MOST_ASKED) <= SUMMED
    metrics |= set(MOST_ASKED)
    home = tmp_path_factory.mktemp("home")
    owner = opened(home)
    for piece in pieces:
        take_in(owner, piece)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("queries.warehouse.EXACT_UP_TO", -1)  # percentiles to 1 %, as they are told afterwards
        before = told(owner, metrics)
    for step in steps:
        owner.close()
        pruned(home, datetime(2026, 11, step))
        owner = opened(home)
        assert told(owner, metrics) == before
        assert faults(owner) == []
    reach = f"started_at < timestamp '2026-11-{max(steps):02}' and iterations is null"
    assert owner.query(f"select count(*) from store.attempts where {reach}")[0][0].as_py() == 0
    owner.close()


def test_more_logs_are_added_to_what_is_left(owner: Owner) -> None:
    """Six dollars were spent; one more call costs two; what was sent before the second is not taken twice."""
    assert owner.read("totals", queries.Filters())["cost_usd"][0].as_py() == 6
    take_in(owner, [json.loads(line) | {"request_id": "again"} for line in log("2026-11-03").splitlines()])
    assert owner.read("totals", queries.Filters())["cost_usd"][0].as_py() == 8
    owner.close()
    [line] = load(owner.home, log("2026-10-30", "2026-11-01", "2026-11-04"))
    assert counts(line) == (3, 1, 2, 0, 0)
    assert line.notes == ["2 records were sent before 2026-11-02, of which only sums are kept: they changed nothing"]
    again = opened(owner.home)
    assert again.read("totals", queries.Filters())["cost_usd"][0].as_py() == 10
    assert faults(again) == []
    again.close()


def test_a_call_that_was_told_on_both_sides_of_midnight_counts_once(tmp_path: Path) -> None:
    """The application logs a call as it begins, the gateway as it ends; of a retried call the last try lies beyond."""
    told_twice = [
        RECORD | {"message_id": "msg_1", "timestamp": f"2026-11-{at}Z"} for at in ("01T23:59:59", "02T00:00:01")
    ]
    retried = [
        RECORD | {"call_id": "c", "attempt": number, "status": status, "timestamp": f"2026-11-{at}Z"}
        for number, status, at in ((1, 529, "01T23:59:30"), (2, 200, "02T00:00:30"))
    ]
    owner = opened(tmp_path / "home")
    take_in(owner, [*told_twice, *retried])
    before = told(owner, MOST_ASKED[:-1])
    owner.close()
    pruned(tmp_path / "home")
    owner = opened(tmp_path / "home")
    totals = owner.read("totals", queries.Filters())
    assert (totals["calls"][0].as_py(), totals["attempts"][0].as_py()) == (2, 3)
    assert told(owner, MOST_ASKED[:-1]) == before and faults(owner) == []
    owner.close()


def test_a_page_says_from_when_on_it_knows_single_attempts(owner: Owner) -> None:
    view = View.of(queries.Filters(), False, (datetime(2026, 10, 30), datetime(2026, 11, 3)))
    assert "single attempts since 2 Nov 2026, sums before" in sentences(Reading(owner.read), view)


def test_what_is_left_survives_a_rebuild_a_backup_and_a_lost_store(owner: Owner, tmp_path: Path) -> None:
    before = told(owner, MOST_ASKED)
    owner.close()
    rebuild(owner.home)
    made = backup(owner.home, tmp_path / "copies")
    restore(made.folder, tmp_path / "restored", lambda home: None)
    (owner.home / "outlay.duckdb").unlink()
    for home in (owner.home, tmp_path / "restored"):
        again = opened(home)
        assert told(again, MOST_ASKED) == before and faults(again) == []
        again.close()


def test_sums_that_were_changed_are_found(owner: Owner) -> None:
    file = owner.home / "retained" / "2026-11-02" / "calls_by_hour.parquet"
    file.write_bytes(file.read_bytes() + b"x")
    assert [fault.partition(";")[0] for fault in faults(owner)] == [
        "sums of pruned attempts: calls_by_hour.parquet changed since they were written",
        "store: not compared with the archive, since the archive is not whole",
    ]
    owner.close()
    (owner.home / "outlay.duckdb").unlink()
    with pytest.raises(SumsDamaged, match=r"retained/2026-11-02: calls_by_hour\.parquet changed"):
        Owner(owner.home)


def test_sums_of_an_earlier_version_lack_what_it_did_not_know(owner: Owner) -> None:
    owner.close()
    file = owner.home / "retained" / "2026-11-02" / "attempts_by_hour.parquet"
    with duckdb.connect() as con:
        con.execute(f"create table rows as from '{file}'")
        con.execute(f"copy (select * exclude (log_tokens), 1 as gone from rows) to '{file}' (format parquet)")
    digests = file.with_name("digests.json")
    digests.write_text(json.dumps(json.loads(digests.read_text()) | {file.name: digest(file)}))
    (owner.home / "outlay.duckdb").unlink()
    again = opened(owner.home)
    assert again.read("totals", queries.Filters())["cost_usd"][0].as_py() == 6
    assert wrong_sums(again) == [(view.path, 0) for view in queries.kept()]
    again.close()


@pytest.mark.parametrize(
    "moment",
    ["retained.sync = after(0)", "retained.sweep = after(0)", "prune._remove = after(0)", "prune._remove = after(1)"],
)
def test_killed_at_any_moment_no_dollar_is_lost_or_counted_twice(tmp_path: Path, moment: str) -> None:
    home = tmp_path / "home"
    load(home, log("2026-10-30", "2026-11-03"))
    load(home, log("2026-11-01"), "b.log")
    script = f"""
import os, signal, sys
from datetime import datetime
from pathlib import Path
from ingest import prune, retained
from tests.dashboard.test_retained import pruned

def after(count):
    def killed(*arguments):
        nonlocal count
        count -= 1
        if count < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments)
    name = {moment.split(" = ")[0]!r}
    function = eval(name)
    return killed
{moment}
pruned(Path(sys.argv[1]))
"""
    killed = subprocess.run([sys.executable, "-c", script, str(home)], capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    for is_done in (False, True):
        owner = opened(home)
        assert owner.read("totals", queries.Filters())["cost_usd"][0].as_py() == 6
        assert faults(owner) == []
        held = owner.query("select count(*) from store.attempts")[0][0].as_py()
        owner.close()
        assert held == 1 or not is_done
        pruned(home)
    assert [path.name for path in (home / "retained").iterdir()] == ["2026-11-02"]
    shutil.rmtree(home)


def test_the_command_keeps_sums_unless_it_is_told_to_forget(tmp_path: Path) -> None:
    home = tmp_path / "home"
    load(home, log("2026-10-30", "2026-11-01", "2026-11-03"))
    days = f"{(datetime.now() - BEFORE).days}d"

    def outlay(*arguments: str) -> str:
        said = CliRunner().invoke(main, ["--home", str(home), *arguments], env=os.environ)
        assert said.exit_code == 0, said.output
        return said.stdout

    assert "spend that stays, in sums by the hour: 4.00 USD" in outlay("prune", "--keep", days)
    assert "spend that leaves the pages: 4.00 USD" in outlay("prune", "--keep", days, "--forget", "--dry-run")
    for spent in (6, 2):
        owner = opened(home)
        assert owner.read("totals", queries.Filters())["cost_usd"][0].as_py() == spent
        assert faults(owner) == []
        owner.close()
        outlay("prune", "--keep", days, "--forget")
    assert not (home / "retained").exists()
