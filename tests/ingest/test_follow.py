"""Following files and folders: whatever rotates them, whatever stops us, each line counts once."""

import gzip
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest import follow, store, tail
from ingest.load import Loader
from ingest.pace import Pace
from ingest.positions import Positions
from ingest.reader import Options
from tests.ingest.loading import opened

GOOD = {"timestamp": "2026-11-22T10:00:00Z", "model": "m", "input_tokens": 5, "output_tokens": 7}


def lines(*numbers: int) -> str:
    return "".join(json.dumps(GOOD | {"request_id": f"req_{number}"}) + "\n" for number in numbers)


def add(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


class Follower:
    """What `follow` does at each look, one look at a time."""

    def __init__(self, home: Path, path: Path) -> None:
        self.said: list[str] = []
        self._positions = Positions(home)
        self._tail = tail.Tail(path, Loader(home), self._positions, self.said.append)

    def look(self) -> int:
        """Records that landed."""
        return sum(outcome.landed.read_records for outcome in self._tail.poll(is_last=True))

    def stop(self) -> None:
        self._tail.close()
        self._positions.close()


@contextmanager
def following(home: Path, path: Path) -> Iterator[Follower]:
    follower = Follower(home, path)
    try:
        yield follower
    finally:
        follower.stop()


def fold(home: Path) -> None:
    with opened(home) as con:
        store.fold(con, home)


def request_ids(home: Path) -> list[str]:
    """The ids of all attempts that are stored, each as often as it is."""
    with opened(home) as con:
        store.fold(con, home)
        return sorted(row[0] for row in con.execute("select request_id from store.attempts").fetchall())


def ids(*numbers: int) -> list[str]:
    return sorted(f"req_{number}" for number in numbers)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder / "app.log"


def test_what_is_added_is_read_and_half_a_line_waits_for_its_end(home, log):
    log.write_text(lines(1, 2))
    with following(home, log) as follower:
        assert follower.look() == 2
        assert follower.look() == 0
        add(log, lines(3)[:40])
        assert follower.look() == 0
        add(log, lines(3)[40:] + lines(4))
        assert follower.look() == 2
    assert request_ids(home) == ids(1, 2, 3, 4)


def test_a_file_that_comes_later_is_read_once_it_is_there(home, log):
    with following(home, log) as follower:
        assert follower.look() == 0
        log.write_text(lines(1))
        assert follower.look() == 1


def test_a_renamed_file_is_read_to_its_end_before_the_new_one(home, log):
    log.write_text(lines(1))
    with following(home, log) as follower:
        follower.look()
        add(log, lines(2))
        log.rename(log.with_name("app.log.1"))
        log.write_text(lines(3))
        assert follower.look() == 2
        add(log.with_name("app.log.1"), lines(4))  # its writer has not been told yet
        assert follower.look() == 1
    assert request_ids(home) == ids(1, 2, 3, 4)


def test_the_last_line_of_a_renamed_file_needs_no_newline(home, log, monkeypatch):
    monkeypatch.setattr(tail, "QUIET_SECONDS", 0.0)
    log.write_text(lines(1) + lines(2).rstrip())
    with following(home, log) as follower:
        assert follower.look() == 1
        log.rename(log.with_name("app.log.1"))
        log.write_text(lines(3))
        assert follower.look() == 2
    assert request_ids(home) == ids(1, 2, 3)


def test_a_file_that_is_copied_and_cut_loses_nothing(home, log):
    log.write_text(lines(1, 2, 3))
    with following(home, log) as follower:
        follower.look()
        add(log, lines(4))
        shutil.copy(log, log.with_name("app.log.1"))
        os.truncate(log, 0)
        add(log, lines(5))
        assert follower.look() == 2
    assert request_ids(home) == ids(1, 2, 3, 4, 5)


def test_a_file_that_is_cut_and_has_grown_past_the_old_place_is_told_by_its_beginning(home, log):
    log.write_text(lines(1))
    with following(home, log) as follower:
        follower.look()
        log.write_text(lines(2, 3, 4))
        assert follower.look() == 3
    assert request_ids(home) == ids(1, 2, 3, 4)


def test_after_a_restart_it_goes_on_where_it_stood_through_two_rotations(home, log):
    log.write_text(lines(1))
    with following(home, log) as follower:
        follower.look()
    add(log, lines(2))
    log.rename(log.with_name("app.log.2"))
    log.with_name("app.log.1").write_text(lines(3))
    log.write_text(lines(4))
    with following(home, log) as follower:
        assert follower.look() == 3
        assert follower.look() == 0
    with following(home, log) as follower:
        assert follower.look() == 0
    assert request_ids(home) == ids(1, 2, 3, 4)


def test_a_predecessor_that_was_compressed_meanwhile_is_named(home, log):
    log.write_text(lines(1))
    with following(home, log) as follower:
        follower.look()
    add(log, lines(2))
    log.with_name("app.log.1.gz").write_bytes(gzip.compress(log.read_bytes()))
    log.unlink()
    log.with_name("fresh").write_text(lines(3))
    log.with_name("fresh").rename(log)
    with following(home, log) as follower:
        follower.look()
    assert any("app.log.1.gz: compressed" in said for said in follower.said)
    assert any("was not read" in said for said in follower.said)
    assert list(Loader(home).load_path(log.with_name("app.log.1.gz")))
    assert request_ids(home) == ids(1, 2, 3)


def test_landed_but_not_written_down_is_read_again_and_counted_once(home, log):
    log.write_text(lines(1, 2))
    with following(home, log) as follower:
        follower.look()
    (home / "follow.sqlite").unlink()  # as if the crash had come before the position was written
    add(log, lines(3))
    with following(home, log) as follower:
        assert follower.look() == 3
    assert request_ids(home) == ids(1, 2, 3)


def test_each_piece_says_at_which_line_of_the_file_it_begins(home, log):
    log.write_text(lines(1, 2))
    with following(home, log) as follower:
        follower.look()
        add(log, lines(3))
        follower.look()
    names = [json.loads(path.read_text())["source_name"] for path in home.glob("archive/*/load.json")]
    assert sorted(names) == ["app.log", "app.log from line 3"]


def test_a_line_of_any_length_is_passed(home, log):
    log.write_text("x" * (40 << 20) + "\n" + lines(1))
    with following(home, log) as follower:
        assert follower.look() == 2
    assert request_ids(home) == ids(1)


def test_many_landings_an_hour_make_pauses_and_few_make_none(monkeypatch):
    """A steady stream: pauses of 1, 2, 3 … 60 seconds take 1,830 s; then one a minute. 60 + (3600 − 1830) / 60 < 90."""
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    pace, landings = Pace(), []
    while now < 86_400:
        if pace.is_due():
            pace.landed()
            landings.append(now)
        now += 0.5
    assert landings[1] - landings[0] == 1.0
    assert len([moment for moment in landings if moment < 3600]) < 91
    assert len(landings) < 1_500
    now += 7200
    assert pace.is_due()


# --- folders ---


def watched(home: Path, folder: Path) -> Callable[[], list[str]]:
    """Looks at a folder; the names of what landed."""
    source = follow.Folder(folder, Loader(home), Positions(home))
    return lambda: [outcome.landed.source_name for outcome in source.poll()]


def test_a_file_in_a_watched_folder_is_loaded_once_it_stays_as_it_is(home, log):
    look = watched(home, log.parent)
    log.write_text(lines(1))
    assert look() == []
    add(log, lines(2))
    assert look() == [], "still being written"
    assert look() == ["app.log"]
    assert look() == []
    assert watched(home, log.parent)() == []
    add(log, lines(3))
    assert (look(), look()) == ([], ["app.log"])
    assert request_ids(home) == ids(1, 2, 3)
    assert log.read_text() == lines(1, 2, 3)


def test_a_file_that_cannot_be_read_is_said_among_the_refused_lines_until_it_changes(home, log):
    broken = log.with_name("app.jsonl.gz")
    whole = gzip.compress(lines(*range(500)).encode())
    broken.write_bytes(b"PK\x03\x04" + b"x" * 500)  # the beginning of a zip archive, and no more
    log.write_text(lines(1))
    look = watched(home, log.parent)
    look()
    assert look() == ["app.jsonl.gz", "app.log"]
    assert look() == []
    assert request_ids(home) == ids(1)
    with opened(home) as con:
        [(reason, name)] = con.execute(
            "select reason, source_name from store.refusals join store.loads using (load_id)"
        ).fetchall()
    assert name == "app.jsonl.gz" and "damaged" in reason
    broken.write_bytes(whole)
    look()
    assert look() == ["app.jsonl.gz"]
    assert request_ids(home) == ids(*range(500))


# --- the whole ---


def wait_for(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline, what
        threading.Event().wait(0.05)


def test_follow_lands_folds_and_ends_when_it_is_told_to(home, log):
    log.write_text(lines(1))
    incoming = log.parent / "incoming"
    incoming.mkdir()
    (incoming / "b.jsonl").write_text(lines(2))
    said: list[str] = []
    stop = threading.Event()
    thread = threading.Thread(target=follow.follow, args=(home, Options(), [log, incoming], said.append, stop, fold))
    thread.start()
    wait_for(lambda: len(said) == 2, "both are landed")
    add(log, lines(3))
    stop.set()
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert "app.log from line 2: 1 records read" in said, "what was there when it was stopped"
    with opened(home) as con:
        assert con.execute("select count(*) from store.attempts").fetchone() == (3,), "folded by itself"


def test_rows_added_to_a_csv_are_read_below_its_own_header(home, log):
    def row(number: int) -> str:
        return f"2026-11-22T10:00:00Z,m,5,7,req_{number}\n"

    log.write_text("timestamp,model,input_tokens,output_tokens,request_id\n" + row(1))
    with following(home, log) as follower:
        assert follower.look() == 1
        add(log, row(2) + "half,a,row\n")
    with following(home, log) as follower:  # started anew
        assert follower.look() == 2
        log.rename(log.with_name("app.log.1"))
        log.write_text("request_id,input_tokens,output_tokens,model,timestamp\nreq_3,5,7,m,2026-11-22T10:00:00Z\n")
        assert follower.look() == 1
        add(log, "req_4,5,7,m,2026-11-22T10:00:00Z\n")
        assert follower.look() == 1
    assert request_ids(home) == ids(1, 2, 3, 4)
    with opened(home) as con:
        refused = con.execute("select source_name, source_line from store.refusals join store.loads using (load_id)")
        assert refused.fetchall() == [("app.log from line 2", 3)]  # the header stands for line 2
