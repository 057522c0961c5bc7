"""Pruning: what is old goes as a whole and is known when it comes again, whatever happens in between."""

import datetime as dt
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from dashboard.cli import main
from ingest import store
from ingest.archive import PRUNED, Archive, lock_on
from ingest.backup import BackupRefused, backup
from ingest.prune import PruneRefused, plan, prune
from ingest.rebuild import rebuild
from ingest.verify import verify
from tests.ingest.loading import attempts, counts, load, opened

BEFORE = dt.datetime(2026, 10, 1)
LINE = {"model": "claude-opus-5-5", "input_tokens": 1_000_000, "output_tokens": 100_000}


def log(*days: str) -> str:
    """One attempt a day, known by its request id, without one on days that end in 9."""
    records = [LINE | {"timestamp": f"{day}T10:00:00Z"} for day in days]
    return "".join(
        json.dumps(record | ({} if day.endswith("9") else {"request_id": f"req_{day}"})) + "\n"
        for day, record in zip(days, records, strict=True)
    )


LOGS = {
    "old": log("2026-08-01", "2026-08-02", "2026-08-09") + "rubbish\n",
    "old and new": log("2026-09-30", "2026-10-02"),
    "told by a new one too": log("2026-09-28", "2026-09-29"),
    "tells it too": log("2026-09-28", "2026-09-29", "2026-10-01"),
    "no attempts": "rubbish\n",
}


@pytest.fixture
def full(home: Path) -> Path:
    for name, lines in LOGS.items():
        load(home, lines, name)
    return home


def planned(home: Path, before: dt.datetime = BEFORE):
    with opened(home) as con:
        store.fold(con, home)
        return plan(home, lambda sql: con.sql(sql).to_arrow_table(), before, forgets=True)


def faults(home: Path) -> list[str]:
    with opened(home) as con:
        store.fold(con, home)
        return [
            check.sentence for check in verify(home, lambda sql: con.sql(sql).to_arrow_table()) if not check.is_well
        ]


def told(home: Path) -> list[tuple[str, int]]:
    """Everything the pages would show, without what names the load."""
    return [(row["attempt_id"], row["started_at"]) for row in attempts(home)]


def never_older(folder: Path) -> list[tuple[str, int]]:
    """What a home says to which nothing older ever came."""
    for name, lines in LOGS.items():
        load(folder, "".join(line for line in lines.splitlines(True) if not re.search("2026-0[89]", line)), name)
    return told(folder)


def test_what_is_old_goes_as_if_it_had_never_come(full: Path, tmp_path: Path) -> None:
    old = planned(full)
    assert (len(old.load_ids), old.whole_loads, old.records, old.refused_records) == (4, 2, 3 + 1 + 2 + 2, 1)
    assert (old.first_started_at, old.last_started_at) == (
        dt.datetime(2026, 8, 1, 10),
        dt.datetime(2026, 9, 30, 10),
    )
    folders = [Archive(full).folder / load_id for load_id in old.load_ids]
    sizes = sorted(sum(file.stat().st_size for file in folder.iterdir()) for folder in folders)
    assert sum(sizes[:2]) < old.bytes < sum(sizes)
    prune(full, old, None)
    assert not any(folder.exists() for folder in folders)
    expected = never_older(tmp_path / "other")
    assert told(full) == expected and len(expected) == 2
    assert faults(full) == [] and planned(full).load_ids == []
    rebuild(full)
    assert told(full) == expected


def test_a_pruned_load_stays_in_the_ledger_and_is_known_when_it_comes_again(full: Path) -> None:
    prune(full, planned(full), None)
    after = told(full)
    for name, read, note in [
        ("old", 0, "pruned: 3 records, sent before 2026-10-01, and 1 refused lines are no longer kept"),
        ("old and new", 1, "pruned: 1 records, sent before 2026-10-01, and 0 refused lines are no longer kept"),
    ]:
        [line] = load(full, LOGS[name], name)
        assert line.load_id.endswith(f"{PRUNED}2026-10-01") and counts(line) == (read, read, 0, 0, 0)
        assert line.notes[-1].startswith(note)
    assert told(full) == after and faults(full) == []
    with opened(full) as con:
        assert con.execute("select count(*) from store.loads").fetchall() == [(len(LOGS),)]


def test_pruning_goes_on_from_where_it_was(full: Path) -> None:
    for before in (dt.datetime(2026, 9, 29), BEFORE, dt.datetime(2026, 10, 2)):
        prune(full, planned(full, before), None)
        assert faults(full) == []
    [line] = load(full, LOGS["tells it too"], "tells it too")
    assert line.load_id.endswith(f"{PRUNED}2026-10-02") and counts(line) == (0, 0, 0, 0, 0)
    notes = [note for note in line.notes if note.startswith("pruned: ")]
    assert len(notes) == 1 and notes[0].startswith("pruned: 3 records, sent before 2026-10-02, and 0 refused lines")
    assert [started_at for _, started_at in told(full)] == [dt.datetime(2026, 10, 2, 10)]


def test_a_load_without_attempts_goes_by_when_it_landed(full: Path) -> None:
    tomorrow = dt.datetime.now(dt.UTC).replace(tzinfo=None) + dt.timedelta(days=1)
    assert planned(full, tomorrow).whole_loads == len(LOGS)


@pytest.mark.parametrize(
    "moment",
    [
        "prune.sync = after(1, prune.sync)",
        "prune._remove = after(0, prune._remove)",
        "prune._remove = after(2, prune._remove)",
        "store.fold = after(2, store.fold)",
    ],
)
def test_killed_at_any_moment_it_leaves_a_whole_home_and_can_be_done_again(
    full: Path, tmp_path: Path, moment: str
) -> None:
    """`after(n, …)`: killed after the n-th call; at the beginning of the first for 0."""
    script = f"""
import datetime, os, signal, sys
from pathlib import Path
from ingest import prune, store
from tests.ingest.loading import opened

def after(count, function):
    calls = 0
    def counted(*arguments):
        nonlocal calls
        if count:
            function(*arguments)
        calls += 1
        if calls >= count:
            os.kill(os.getpid(), signal.SIGKILL)
    return counted

home = Path(sys.argv[1])
with opened(home) as con:
    old = prune.plan(home, lambda sql: con.sql(sql).to_arrow_table(), {BEFORE!r})
{moment}
prune.prune(home, old, None)
"""
    planned(full)
    everything = told(full)
    killed = subprocess.run([sys.executable, "-c", script, str(full)], capture_output=True, text=True)
    assert killed.returncode == -9, killed.stderr
    assert faults(full) == []
    kept = never_older(tmp_path / "other")
    assert set(kept) <= set(told(full)) <= set(everything)
    prune(full, planned(full), None)
    assert faults(full) == [] and told(full) == kept
    left = {path.name for path in Archive(full).folder.iterdir()}
    assert left == {path.name for path in Archive(full).loads()} and len(left) == len(LOGS)


def test_backup_and_pruning_wait_for_each_other(full: Path, tmp_path: Path) -> None:
    lock = lock_on(full)
    assert lock is not None
    with pytest.raises(PruneRefused):
        prune(full, planned(full), None)
    with pytest.raises(BackupRefused, match="another process"):
        backup(full, tmp_path / "copies")
    assert list((tmp_path / "copies").iterdir()) == []


def test_the_command_says_what_goes_and_does_it_only_when_told(full: Path) -> None:
    def outlay(*arguments: str):
        return CliRunner().invoke(main, ["--home", str(full), "prune", *arguments])

    days = (dt.datetime.now(dt.UTC).replace(tzinfo=None) - BEFORE).days
    before = told(full)
    # Three attempts at 4 dollars for a million tokens in and 2 for a tenth of a million out; August has no price.
    words = [
        "from before 2026-10-01 (UTC): 4 loads, 2 of them as a whole;",
        "8 records and 1 refused lines; 2026-08-01 to 2026-09-30",
    ]
    for option, word in (((), "spend that stays, in sums by the hour: 18.00 USD"), (("--forget",), "pages: 18.00 USD")):
        said = outlay("--keep", f"{days}d", "--dry-run", *option)
        assert said.exit_code == 0 and all(each in said.stdout for each in (*words, word)), said.output
    for wrong in ("0d", "400", "-1d", "long"):
        assert outlay("--keep", wrong).exit_code == 2
    holding = "import sys; from pathlib import Path; from tests.ingest.loading import opened\n"
    holding += "with opened(Path(sys.argv[1])): print(flush=True); sys.stdin.read()"
    old = planned(full)
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(full)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout and holder.stdout.readline()
        with pytest.raises(store.StoreBusy):
            prune(full, old, None)
        holder.communicate()
    assert told(full) == before
    assert outlay("--keep", f"{days}d", "--forget").exit_code == 0
    assert len(told(full)) < len(before) and faults(full) == []
    assert "from before 2026-10-01 (UTC): 0 loads, 0 of them as a whole; 0 B\n" in outlay("--keep", f"{days}d").stdout
