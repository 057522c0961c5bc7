"""What is worth a look, judged once per generation of the data and kept: no page waits for it, and no fold.

The server judges in a thread of its own, one zone at a time, UTC first and then the zones that somebody looked at
lately; after each judgement it rests for many times as long. What it found is also written to a private file in the
home, so that a restart shows it at once; the file is only a cache, made anew where it is missing, broken or another
version's. Where pages are served without our server, the data is judged when the first page asks.

Signals are judged on everything that is stored: a page picks the slices that its filters name.
"""

import contextlib
import json
import secrets
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import streamlit as st

import queries
from queries.signals import Expected, Findings, Memory, Read, Signal, find

LOOK_EVERY_SECONDS = 1.0
REST = 10  # times what the last judgement took: at most a tenth of a core, for a busy log as well
LONGEST_REST_SECONDS = 60.0
LATELY_SECONDS = 24 * 3600.0  # for so long after the last look at it a zone is judged anew
MOST_ZONES = 8
MOMENTS = ("start", "end", "raised_at")

Connect = Callable[[], duckdb.DuckDBPyConnection | None]


@dataclass(frozen=True)
class Judged:
    """One finished judgement of one generation of the data.

    is_current: no newer data has been seen since. problem: why newer data is not judged, as a sentence, or None.
    """

    findings: Findings
    generation: str
    judged_at: datetime
    is_current: bool
    problem: str | None = None


class Judge:
    """Judges in the background, and remembers."""

    def __init__(self, home: Path, connect: Connect) -> None:
        """`connect` gives a connection of one's own to the data; the cache is kept in `home`."""
        self._folder, self._connect = home / "signals", connect
        self._kept = dict(_stored(self._folder))
        self._asked = dict.fromkeys(["UTC", *self._kept], time.monotonic())  # zone: when somebody last looked at it
        self._tried: dict[str, str] = {}  # zone: the last generation that was judged, well or not
        self._rests_until: dict[str, float] = {}
        self._memories: dict[str, Memory] = {}  # zone: what spares judging the past again
        self._generation = ""
        self._lock, self._wake, self._is_closing = threading.Lock(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="judging", daemon=True)

    def start(self) -> None:
        """Judge what there is, and from now on every new generation."""
        self._thread.start()

    def close(self) -> None:
        """Stop, as soon as the query or the pass over the numbers that is under way has ended."""
        self._is_closing.set()
        self._wake.set()
        self._thread.join()

    def judged(self, zone: str) -> Judged | None:
        """The newest finished judgement, at once; None until there is one. The zone is judged from now on."""
        with self._lock:
            self._asked[zone] = time.monotonic()
            kept = self._kept.get(zone)
        if kept is None:
            self._wake.set()
            return None
        return replace(kept, is_current=kept.problem is None and kept.generation == self._generation)

    def _work(self) -> None:
        while not self._is_closing.is_set():
            try:
                self._look()
            except Exception as error:  # a store that cannot be read just now: the next look may go well
                _complain(error)
            self._wake.wait(LOOK_EVERY_SECONDS)
            self._wake.clear()

    def _look(self) -> None:
        """Judge the zones that are due."""
        with contextlib.ExitStack() as at_end:
            if connection := self._connect():
                at_end.callback(connection.close)
                self._generation = queries.generation(connection)
                while (zone := self._due()) and not self._is_closing.is_set():
                    self._judge(connection, zone)

    def _due(self) -> str | None:
        """The zone to judge next: UTC, then one that has nothing to show, then one that has something old."""
        now = time.monotonic()
        with self._lock:
            lately = [zone for zone, at in self._asked.items() if zone == "UTC" or now - at < LATELY_SECONDS]
            lately.sort(key=lambda zone: (zone != "UTC", -self._asked[zone]))
            for zone in set(self._asked) - set(lately[:MOST_ZONES]):
                del self._asked[zone]
                self._kept.pop(zone, None)
                self._memories.pop(zone, None)
                _path(self._folder, zone).unlink(missing_ok=True)
            due = [
                zone for zone in self._asked
                if self._tried.get(zone) != self._generation and now >= self._rests_until.get(zone, 0)
            ]  # fmt: skip
        return min(due, key=lambda zone: (zone != "UTC", zone in self._kept), default=None)

    def _judge(self, connection: duckdb.DuckDBPyConnection, zone: str) -> None:
        begun = time.thread_time()
        self._tried[zone] = self._generation
        before = self._kept.get(zone)
        if before and before.generation == self._generation and before.problem is None:
            return
        try:
            memory = self._memories.setdefault(zone, Memory())
            judged = judge_now(self._reader(connection), zone, self._generation, memory)
            _store(self._folder, zone, judged)
        except _Closing:
            return
        except Exception as error:
            self._memories.pop(zone, None)
            judged = _failed(error, before)
        with self._lock:
            self._kept[zone] = judged
        rest = min(REST * (time.thread_time() - begun), LONGEST_REST_SECONDS)
        self._rests_until[zone] = time.monotonic() + rest

    def _reader(self, connection: duckdb.DuckDBPyConnection) -> Read:
        def read(metric: str, filters: queries.Filters) -> Any:
            if self._is_closing.is_set():
                raise _Closing
            return queries.read(connection, metric, filters)

        return read


class _Closing(Exception):
    """The server stops; what was begun is dropped."""


_judge: Judge | None = None
_connect: Connect | None = None


def serve_from(judge: Judge) -> None:
    """Tell what this judge has found from now on."""
    global _judge
    _judge = judge


def read_from(connect: Connect) -> None:
    """Without a judge, judge through this connection when a page asks."""
    global _connect
    _connect = connect


def judged(zone: str) -> Judged | None:
    """The newest finished judgement of all data on the clock of a zone; None until there is one.

    In the server it is there at once. Without a server the first page that asks for a generation waits for it.
    """
    if _judge:
        return _judge.judged(zone)
    connection = _connect and _connect()
    return _judged_when_asked(connection, zone, queries.generation(connection)) if connection else None


def judge_now(read: Read, zone: str, generation: str = "", memory: Memory | None = None) -> Judged:
    """Judge everything that `read`, a function that reads a metric view under filters, gives to see, on this clock."""
    return Judged(find(read, queries.Filters(zone=zone), memory), generation, datetime.now(UTC), True)


@st.cache_resource(max_entries=MOST_ZONES, show_spinner=False)
def _judged_when_asked(_connection: duckdb.DuckDBPyConnection, zone: str, generation: str) -> Judged:
    try:
        return judge_now(lambda metric, filters: queries.read(_connection, metric, filters), zone, generation)
    except Exception as error:
        return _failed(error, None)


def _failed(error: Exception, before: Judged | None) -> Judged:
    """What there was before, with a sentence why there is nothing newer."""
    number = _complain(error)
    problem = f"The newest data could not be judged; no figure depends on it. (Error {number} in the server's log.)"
    kept = before or Judged(Findings((), ()), "", datetime.now(UTC), False)
    return replace(kept, is_current=False, problem=problem)


def _complain(error: Exception) -> str:
    """Write an error to the log under a number, and give the number."""
    number = secrets.token_hex(4)
    print(f"outlay: judging failed, error {number}", *traceback.format_exception(error), file=sys.stderr, flush=True)
    return number


@cache
def _version() -> str:
    """Changes with the way signals are judged: what another way has found is not shown."""
    sources = [file.read_bytes() for file in sorted(files("queries.signals").iterdir(), key=str) if file.is_file()]
    return sha256(b"\0".join(sources)).hexdigest()[:16]


def _path(folder: Path, zone: str) -> Path:
    return folder / f"{sha256(zone.encode()).hexdigest()[:16]}.json"


def _store(folder: Path, zone: str, judged: Judged) -> None:
    """Write a judgement to its file, for this user's eyes only. A disk without room costs the next start, no more."""
    told = {
        "version": _version(), "zone": zone, "generation": judged.generation, "judged_at": judged.judged_at,
        "signals": [asdict(of) for of in judged.findings.signals], "expected": judged.findings.expected,
    }  # fmt: skip
    path = _path(folder, zone)
    part = path.with_suffix(".part")
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        part.write_text(json.dumps(told, default=datetime.isoformat), encoding="utf-8")
        part.replace(path)


def _stored(folder: Path) -> Iterator[tuple[str, Judged]]:
    """Zone and judgement of every file that this version has written."""
    for path in folder.glob("*.json"):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            told = json.loads(path.read_text(encoding="utf-8"))
            if told["version"] == _version():
                signals = tuple(Signal(**of | {name: _moment(of[name]) for name in MOMENTS}) for of in told["signals"])
                expected = tuple(Expected(_moment(day), *values) for day, *values in told["expected"])
                findings = Findings(signals, expected)
                yield told["zone"], Judged(findings, told["generation"], _moment(told["judged_at"]), False)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
