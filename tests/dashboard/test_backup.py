"""`outlay backup` and `outlay restore`: whole while the server runs and loads come in, or refused."""

import stat
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dashboard.choices import choices
from dashboard.login import users
from dashboard.login.users import Role
from dashboard.shares import ledger
from ingest import store
from ingest.archive import Archive
from ingest.backup import SUMS, BackupRefused, backup, backups, restore
from ingest.load import Loader
from ingest.positions import Position, Positions
from ingest.reader import Options
from ingest.verify import verify
from queries import Filters
from tests.dashboard.test_cli import outlay
from tests.ingest.durability import REQUESTS, STEP, log
from tests.ingest.loading import attempts, load, opened


def as_it_is(copy: Path) -> None:
    """Settle nothing."""


def is_whole(home: Path) -> bool:
    with opened(home) as con:
        store.fold(con, home)
        return all(check.is_well for check in verify(home, lambda sql: con.sql(sql).to_arrow_table()))


@pytest.fixture
def full(home: Path) -> Path:
    """Two loads, a decision of every kind, and what is not to be copied."""
    load(home, log(0), "log-0")
    load(home, log(1) + "rubbish\n", "log-1")
    users.put(home, "ana@example.com", Role.ADMIN, "a good long word")
    assert users.log_in(home, "ana@example.com", "a good long word")
    for name, ends_in in (("open", 30), ("over", -1)):
        scope = ledger.Scope("spend", Filters(), {})
        ends_at = datetime.now(UTC) + timedelta(days=ends_in)
        ledger.add(home, name, name, scope, by="ana", expires_at=ends_at, rendering="r")
    ledger.let_in(home, "open", "a browser")
    (home / "shares" / "open" / "r").mkdir(parents=True)
    (home / "shares" / "open" / "r" / "page.html").write_text("frozen")
    (home / "shares" / "open" / ".being-made").mkdir()
    (home / "shares" / "open" / ".being-made" / "page.html").write_text("half")
    (home / "rules.toml").write_text('zone = "Europe/Berlin"\n')
    for name in ("signals", "uploads"):
        (home / name).mkdir()
        (home / name / "x").write_text("left out")
    (home / "server.json").write_text("{}")
    return home


def test_a_backup_put_back_is_the_same_home(full: Path, tmp_path: Path) -> None:
    positions = Positions(full)
    positions.write_tail(Path("/logs/a.log"), Position(1, 2, offset=300))
    made = backup(full, tmp_path / "copies")  # while another process has the positions open
    positions.close()
    again = tmp_path / "again"
    put = restore(made.folder, again, as_it_is)

    assert (made.loads, put.loads, made.damaged) == (2, 2, [])
    assert is_whole(again)
    assert attempts(again) == attempts(full) and len(attempts(again)) == STEP + REQUESTS
    positions = Positions(again)
    assert positions.of_tail(Path("/logs/a.log")) == [Position(1, 2, offset=300)]
    positions.close()
    assert (again / "rules.toml").read_text() == (full / "rules.toml").read_text()
    assert (again / "keys" / "pseudonyms.key").read_bytes() == (full / "keys" / "pseudonyms.key").read_bytes()
    assert [path.name for path in sorted((again / "shares").rglob("*"))] == ["open", "r", "page.html"]
    assert {path.name for path in again.iterdir()} == {
        *("archive", "follow.sqlite", "keys", "outlay.sqlite", "rules.toml", "shares"),
        *("landing", "outlay.duckdb"),  # of looking at it
    }


def test_coreutils_can_check_it_and_only_its_owner_can_read_it(full: Path, tmp_path: Path) -> None:
    folder = backup(full, tmp_path / "copies").folder
    checked = subprocess.run(["sha256sum", "--check", "--strict", SUMS], cwd=folder, capture_output=True, text=True)
    assert checked.returncode == 0 and "archive/" in checked.stdout, checked
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != SUMS]
    assert files and {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_the_next_backup_shares_the_loads_and_keeps_them_when_the_first_is_deleted(full: Path, tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    first = backup(full, copies)
    older = first.folder.rename(copies / "2020-01-01T00-00-00Z")
    damaged = next(Archive(full).loads()) / "attempts.parquet"
    damaged.write_bytes(b"damaged after it was copied")
    load(full, log(2), "log-2")
    said = outlay(full, "backup", copies, "--keep", "1")
    assert said.returncode == 0 and "3 loads" in said.stdout and f"deleted {older.name}" in said.stdout, said
    [second] = backups(copies)
    assert restore(copies, tmp_path / "again", as_it_is).loads == 3
    assert is_whole(tmp_path / "again"), "the damaged load came from the backup before"
    assert second.name > older.name


def test_a_load_that_was_damaged_before_it_was_copied_is_named(full: Path, tmp_path: Path) -> None:
    damaged = next(Archive(full).loads())
    (damaged / "attempts.parquet").write_bytes(b"damaged")
    said = outlay(full, "backup", tmp_path / "copies")
    assert said.returncode == 1 and damaged.name in said.stderr and "2 loads" in said.stdout
    restore(tmp_path / "copies", tmp_path / "again", as_it_is)  # as it was


@pytest.mark.parametrize("change", ["flip", "lack", "outside"])
def test_what_is_not_as_it_was_copied_is_not_put_back(full: Path, tmp_path: Path, change: str) -> None:
    folder = backup(full, tmp_path / "copies").folder
    victim = next((folder / "archive").iterdir()) / "attempts.parquet"
    if change == "flip":
        data = bytearray(victim.read_bytes())
        data[len(data) // 2] ^= 1
        victim.write_bytes(data)
    elif change == "lack":
        victim.unlink()
    else:
        (folder / SUMS).write_text(f"{'0' * 64}  ../../outside\n")
    again = tmp_path / "again"
    with pytest.raises(BackupRefused):
        restore(folder, again, as_it_is)
    assert list(again.iterdir()) == [], "nothing became the home"


def test_homes_and_backups_that_are_none_are_refused(full: Path, tmp_path: Path) -> None:
    for code, *arguments in [
        (1, tmp_path / "empty", "backup", tmp_path / "copies"),
        (1, full, "backup", full / "copies"),
        (1, full, "restore", full),
        (2, full, "restore", tmp_path / "nowhere"),
    ]:
        said = outlay(*arguments)
        assert said.returncode == code and "Traceback" not in said.stderr and said.stderr, said
    backup(full, tmp_path / "copies")
    with pytest.raises(BackupRefused, match="not empty"):
        restore(tmp_path / "copies", full, as_it_is)


def test_a_restore_ends_logins_and_pauses_shares(full: Path, tmp_path: Path) -> None:
    backup(full, tmp_path / "copies")
    again = tmp_path / "again"
    again.mkdir()  # as an empty volume is
    (again / "restoring").mkdir()  # and what a restore that was killed has left
    (again / "restoring" / "archive").write_text("half")
    said = outlay(again, "restore", tmp_path / "copies")
    assert said.returncode == 0 and "shares paused: 1;" in said.stdout, said
    states = {share.name: share.state(datetime.now(UTC)) for share in ledger.shares(again)}
    assert states == {"open": "paused", "over": "expired"}
    with choices(again) as con:
        counts = "select (select count(*) from user_sessions), (select count(*) from share_visitors)"
        assert con.execute(counts).fetchall() == [(0, 0)]
    assert users.log_in(again, "ana@example.com", "a good long word"), "passwords are as they were"
    assert not (again / "restoring").exists()


def test_killed_backups_are_no_backups_and_are_swept(full: Path, tmp_path: Path) -> None:
    script = (
        "import os, pathlib, signal, sys; from ingest import backup\n"
        "backup._Copying._load = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "backup.backup(*map(pathlib.Path, sys.argv[1:]))"
    )
    copies = tmp_path / "copies"
    killed = subprocess.run([sys.executable, "-c", script, str(full), str(copies)])
    assert killed.returncode == -9 and len(list(copies.iterdir())) == 1 and backups(copies) == []
    made = backup(full, copies)
    assert list(copies.iterdir()) == [made.folder]


def test_backups_are_whole_while_a_server_runs_and_loads_come_in(home: Path, tmp_path: Path, server) -> None:
    """Each holds whatever was acknowledged before it began, and its positions are never ahead of its loads."""
    load(home, log(0), "log-0")
    server(home)
    acknowledged: list[str] = []
    enough = threading.Event()

    def keep_loading() -> None:
        loader, positions, number = Loader(home, Options()), Positions(home), 0
        while not enough.is_set() and number < 120:
            number += 1
            lines = log(number).splitlines(True)[:20]
            path = tmp_path / f"log-{number}"
            path.write_text("".join(lines))
            acknowledged.extend(outcome.landed.load_id for outcome in loader.load_path(path))
            positions.write_tail(Path("followed"), Position(1, 1, offset=number))
        positions.close()

    loading = threading.Thread(target=keep_loading)
    loading.start()
    copies = []
    for number in range(2):
        before = list(acknowledged)
        said = outlay(home, "backup", tmp_path / f"copies-{number}")
        assert said.returncode == 0, said
        copies.append((before, len(acknowledged)))
    enough.set()
    loading.join()
    assert len(acknowledged) > copies[0][1] > 0, "loads came in meanwhile"
    for number, (before, _) in enumerate(copies):
        again = tmp_path / f"again-{number}"
        restore(tmp_path / f"copies-{number}", again, as_it_is)
        there = {path.name for path in Archive(again).loads()}
        assert there >= set(before)
        positions = Positions(again)
        position = positions.of_tail(Path("followed"))
        positions.close()
        assert len(there) - 1 >= (position[0].offset if position else 0)
        assert is_whole(again)
