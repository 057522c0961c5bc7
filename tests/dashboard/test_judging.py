"""Signals that are judged in the background: found once, kept, told again after a restart, and never in the way."""

import json
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from threading import Event

import pytest

from dashboard import judging as judging_module
from dashboard.judging import Judge, Judged, judge_now
from dashboard.owner import Owner
from queries import Filters
from queries.signals import find
from tests.ingest.loading import load

FIRST = datetime(2026, 9, 7)


def days(first: int, last: int, odd: int | None = None) -> str:
    """A hundred calls of a cent a day, and five hundred on an odd one."""
    return "".join(
        json.dumps({
            "timestamp": (FIRST + timedelta(days=day, seconds=28_800 + 36_000 * number / count)).isoformat() + "Z",
            "request_id": f"req_{day}_{number}", "model": "claude-opus-4-5", "input_tokens": 1_000,
            "output_tokens": 200, "stop_reason": "end_turn", "feature": "chat", "retries": 0,
        }) + "\n"
        for day in range(first, last) for count in [500 if day == odd else 100] for number in range(count)
    )  # fmt: skip


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Owner]:
    load(tmp_path / "home", days(0, 32, odd=30))
    owner = Owner(tmp_path / "home")
    yield owner
    owner.close()


@contextmanager
def judging(owner: Owner) -> Iterator[Judge]:
    judge = Judge(owner.home, owner.cursor)
    judge.start()
    try:
        yield judge
    finally:
        judge.close()


def when(judge: Judge, zone: str, is_so: Callable[[Judged], bool]) -> Judged:
    """What is judged, as soon as it is so."""
    give_up_at = time.monotonic() + 60
    while not ((judged := judge.judged(zone)) and is_so(judged)):
        assert time.monotonic() < give_up_at, judged
        Event().wait(0.02)  # a look that leaves the processor to the judge
    return judged


def is_current(judged: Judged) -> bool:
    return judged.is_current


def test_what_is_found_in_the_background_is_what_a_look_finds(owner):
    with judging(owner) as judge:
        found = when(judge, "UTC", is_current)
    assert found.findings == find(owner.read, Filters()) == judge_now(owner.read, "UTC").findings
    assert {of.start.date() for of in found.findings.signals} == {(FIRST + timedelta(days=30)).date()}
    assert found.problem is None


def test_a_zone_is_judged_once_somebody_looks(owner):
    with judging(owner) as judge:
        when(judge, "UTC", is_current)
        found = when(judge, "Asia/Tokyo", is_current)
    assert found.findings == find(owner.read, Filters(zone="Asia/Tokyo"))


def test_a_restart_shows_at_once_what_was_found(owner):
    with judging(owner) as judge:
        found = when(judge, "UTC", is_current)
    again = Judge(owner.home, owner.cursor).judged("UTC")
    assert again is not None
    assert again.findings == found.findings
    assert (again.judged_at, again.is_current) == (found.judged_at, False), "the data has not been looked at yet"
    [file] = (owner.home / "signals").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"{}", b'{"version": "another"}', b"\xff"])
def test_a_file_that_is_not_ours_is_made_anew(owner, content):
    with judging(owner) as judge:
        when(judge, "UTC", is_current)
    [file] = (owner.home / "signals").iterdir()
    good = json.loads(file.read_text())
    file.write_bytes(content)
    assert Judge(owner.home, owner.cursor).judged("UTC") is None
    with judging(owner) as judge:
        when(judge, "UTC", is_current)
    assert json.loads(file.read_text()) | {"judged_at": good["judged_at"]} == good


def test_new_data_is_judged_while_the_old_is_shown(owner, tmp_path):
    with judging(owner) as judge:
        old = when(judge, "UTC", is_current)
        (tmp_path / "more.log").write_text(days(32, 34))
        load_beside(owner, tmp_path / "more.log")
        new = when(judge, "UTC", lambda judged: judged.is_current and judged.generation != old.generation)
    assert max(of.day for of in new.findings.expected) > max(of.day for of in old.findings.expected)


def load_beside(owner: Owner, log: Path) -> None:
    """Land a file as another process would, and fold it."""
    from ingest.load import Loader
    from ingest.reader import Options

    with log.open("rb") as file:
        list(Loader(owner.home, Options()).load_stream(file, log.name))
    owner.fold()


def test_what_cannot_be_judged_is_a_sentence_and_the_next_data_is_judged(owner, capsys):
    """A zone that no clock keeps, as somebody might write into the address of a page."""
    with judging(owner) as judge:
        found = when(judge, "Nowhere/Land", lambda judged: judged.problem is not None)
        assert not found.is_current
        assert found.findings.signals == ()
        assert when(judge, "UTC", is_current).problem is None
    number = found.problem.split("Error ")[1].split(" ")[0]
    assert f"error {number}" in capsys.readouterr().err


def test_without_a_server_the_first_look_judges(owner, monkeypatch):
    found = find(owner.read, Filters())
    owner.close()
    monkeypatch.setenv("OUTLAY_HOME", str(owner.home))
    import_module("dashboard.data")  # the pages' door, which hands over its connection
    judged = judging_module.judged("UTC")
    assert (judged.findings, judged.is_current, judged.problem) == (found, True, None)
    assert judging_module.judged("UTC") is judged
    monkeypatch.setenv("OUTLAY_HOME", str(owner.home / "empty"))
    assert judging_module.judged("UTC") is None
