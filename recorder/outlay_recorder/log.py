"""The log: lines go into a bounded queue without waiting, and one thread writes them out.

What the queue has no room for is counted, and the count is a line of the log as soon as there is room. Lines are
numbered from 1 in each process, those that found no room included, so that a reader can tell what is missing.
"""

import atexit
import functools
import itertools
import json
import logging
import os
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any, Protocol

from outlay_recorder.sinks import Sink, Tally

VERSION = 1  # of the format
Line = dict[str, Any]


class Told(Protocol):
    """What becomes lines when its turn comes: reading an answer can wait, the caller cannot."""

    @property
    def count(self) -> int:
        """How many lines."""

    @property
    def weight(self) -> int:
        """Bytes that it keeps in memory until then."""

    def lines(self) -> list[Line]:
        """The lines; the same each time. Never raises. One thread at a time."""


GATHER = 0.05  # seconds in which lines gather before they are written together
PAUSE = 1.0  # seconds before a failed write is tried again
MOST_HELD = 16 << 20  # bytes of answers that wait to be read; beyond them the caller reads its own
AT_EXIT = 5.0  # seconds that the end of the process waits for the last lines

_diary = logging.getLogger(__name__)
_encode = json.JSONEncoder(
    check_circular=False, separators=(",", ":"), default=lambda value: type(value).__name__
).encode
_logs: "list[Log]" = []


def timestamp(seconds: float) -> str:
    """Epoch seconds as ISO 8601 in UTC, to the microsecond."""
    second, microseconds = divmod(round(seconds * 1e6), 1_000_000)
    return f"{_second(second)}.{microseconds:06d}Z"


@functools.lru_cache(64)  # the lines of a batch share their seconds
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


class Log:
    """Takes lines from any thread; safe across forks. Nothing here raises into the caller or waits for the sink."""

    def __init__(self, sink: Sink, limit: int = 10_000) -> None:
        """`limit` bounds the lines that wait for the sink, and again those that it is being given."""
        self._tally: Tally | None
        self._sink, self._limit = sink, limit
        self._begin()
        self._tally = sink.tally(self._process)  # now, not when the first line comes: this may touch a disk
        _logs.append(self)

    def _begin(self) -> None:
        """As new: in a new process, which has its own name, numbers and thread."""
        self._process, self._calls = token_hex(6), itertools.count(1)
        self._lock = threading.RLock()  # reentrant: a finalizer may write while a line is being added
        self._sending, self._reading = threading.Lock(), threading.RLock()
        self._moved = threading.Condition(threading.Lock())
        self._awake, self._hurry = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._waiting: list[tuple[int, Line | Told]] = []  # each with the number of its last line
        self._lines_waiting = self._held = 0
        self._unsent: list[tuple[int, bytes]] = []
        self._issued = self._settled = 0
        self.dropped = 0  # not yet reported
        self._tally = None
        self._is_failing = False

    def write(self, told: Line | Told) -> None:
        """Add lines, or count them as dropped where there is no room. Takes microseconds."""
        if isinstance(told, dict):
            count, weight = 1, 0
        elif (weight := told.weight) + self._held > MOST_HELD:
            with self._reading:
                told.lines()
            count, weight = told.count, 0
        else:
            count = told.count
        with self._lock:
            if self._tally is None:
                self._tally = self._sink.tally(self._process)
            self._issued += count
            self._tally.set(self._issued)
            if self._lines_waiting + count > self._limit:
                self.dropped += count
                return
            self._waiting.append((self._issued, told))
            self._lines_waiting += count
            self._held += weight
        if not self._awake.is_set():
            self._wake()

    def call_id(self) -> str:
        """A name that no other call has, of this process or another."""
        return f"{self._process}-{next(self._calls)}"

    def _wake(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            with self._lock, suppress(RuntimeError):  # at the end of the interpreter no thread can be begun
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._run, name="outlay-recorder", daemon=True)
                    self._thread.start()
        self._awake.set()

    def flush(self, timeout: float = AT_EXIT) -> bool:
        """Wait until all that was written so far is out, `timeout` seconds at most; was that enough?"""
        target, deadline = self._issued, time.monotonic() + timeout
        if self._settled >= target:
            return True
        self._hurry.set()
        self._wake()
        if self._thread is None or not self._thread.is_alive():
            self._send()
        with self._moved:
            return self._moved.wait_for(lambda: self._settled >= target, max(deadline - time.monotonic(), 0))

    def _run(self) -> None:
        for line in self._lost():
            self.write(line)
        while True:
            self._awake.wait()
            self._hurry.wait(GATHER)
            self._awake.clear()
            self._hurry.clear()
            if not self._send():
                self._hurry.wait(PAUSE)
                self._awake.set()

    def _lost(self) -> list[Line]:
        """What processes that were killed had accepted and not written, as lines."""
        try:
            return [
                _drops("killed", missing, process, lines_given) for process, missing, lines_given in self._sink.lost()
            ]
        except Exception as error:
            _diary.debug("could not look for lost lines: %r", error)
            return []

    def _send(self) -> bool:
        """Give the sink what waits; False when it did not take everything."""
        with self._sending:
            if not self._unsent:
                self._unsent = [line for number, told in self._take() for line in self._texts(number, told)]
            try:
                sent = self._sink.send([text for _, text in self._unsent])
                self._say(sent < len(self._unsent), "it takes no more")
            except Exception as error:
                sent = 0
                self._say(True, repr(error))
            if sent:
                settled = self._unsent[sent - 1][0]
                del self._unsent[:sent]
                with self._moved:
                    self._settled = settled
                    self._moved.notify_all()
            return not self._unsent

    def _take(self) -> list[tuple[int, Line | Told]]:
        with self._lock:
            if self.dropped:
                self._issued += 1
                if self._tally:
                    self._tally.set(self._issued)
                self._waiting.append((self._issued, _drops("queue_full", self.dropped)))
                self.dropped = 0
            taken, self._waiting, self._lines_waiting, self._held = self._waiting, [], 0, 0
        return taken

    def _texts(self, last: int, told: Line | Told) -> list[tuple[int, bytes]]:
        """The lines as they are written, each with its number; that of the last one is given."""
        if isinstance(told, dict):
            lines = [told]
        else:
            with self._reading:
                lines = told.lines()
        return [(number, self._text(number, line)) for number, line in enumerate(lines, last + 1 - len(lines))]

    def _text(self, number: int, line: Line) -> bytes:
        return (
            f'{{"outlay_recorder":{VERSION},"process":"{self._process}","seq":{number},{_encode(line)[1:]}\n'.encode()
        )

    def _say(self, is_failing: bool, why: str) -> None:
        """One word in the application's own log when the sink begins to fail, and one when it works again."""
        if is_failing != self._is_failing:
            self._is_failing = is_failing
            if is_failing:
                _diary.warning("the log cannot be written (%s); keeping what fits, counting the rest", why)
            else:
                _diary.warning("the log can be written again")

    def forked(self) -> None:
        """In a new process: what waits is the parent's to write."""
        self._sink.forked(self._tally)
        self._begin()

    def close(self) -> None:
        """At the end of the process: write the last lines, and take the tally away when none is missing."""
        if self.flush() and self._tally is not None:
            self._tally.remove()


def _drops(reason: str, count: int, of: str | None = None, lines_given: int = 0) -> Line:
    """A line that tells of lines which are not in the log."""
    line = {"kind": "drops", "recorded_at": timestamp(time.time()), "reason": reason, "dropped": count}
    return line | {"lost_process": of, "lines_given": lines_given} if of else line


def flush(timeout: float = AT_EXIT) -> bool:
    """Wait until every log of this process is written out, `timeout` seconds at most; was that enough?"""
    deadline = time.monotonic() + timeout
    done = [log.flush(max(deadline - time.monotonic(), 0)) for log in list(_logs)]
    return all(done)


def _at_exit() -> None:
    for log in list(_logs):
        with suppress(Exception):
            log.close()


def _after_fork() -> None:
    for log in list(_logs):
        with suppress(Exception):
            log.forked()
    if (processes := sys.modules.get("multiprocessing.util")) is not None:  # its processes end without atexit
        processes.register_after_fork(_at_exit, lambda last: processes.Finalize(None, last, exitpriority=1))


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
