"""A call and its attempts, as they become lines of the log.

A call is one `messages.create(...)` of the application; an attempt is one HTTP request that the SDK makes for it.
"""

import functools
import logging
import threading
import time
import zlib
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import ParamSpec, Protocol

import anthropic

from outlay_recorder import wire
from outlay_recorder.attribution import Labels
from outlay_recorder.log import Line, Told

P = ParamSpec("P")
CLIENT_VERSION = f"anthropic-python {anthropic.__version__}"
_diary = logging.getLogger(__name__)


class Writer(Protocol):
    """Where lines go: a `Log`."""

    def write(self, line: Line | Told) -> None:
        """Add a line."""

    def call_id(self) -> str:
        """A name that no other call has."""


def harmless(recording: Callable[P, None]) -> Callable[P, None]:
    """A step of recording whose failure is not the application's: it costs a line, never a call."""

    @functools.wraps(recording)
    def step(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            recording(*args, **kwargs)
        except Exception as error:
            _diary.debug("not recorded: %r", error)

    return step


class Call:
    """What is known about a call while it runs. One thread or task at a time."""

    __slots__ = (
        "_attempts", "_exception", "_id", "_is_open", "_is_returned", "_labels", "_last", "_last_end", "_latency_ms",
        "_log", "_started", "_started_at", "_wait_ms", "max_retries", "told", "weight",
    )  # fmt: skip

    def __init__(self, max_retries: int) -> None:
        self.max_retries = max_retries
        self._started_at, self._started = time.time(), time.monotonic()
        self.told: list[str] = []  # what each failed attempt came to, for the final error
        self._log: Writer | None = None  # where it is recorded, once an attempt of it is
        self._labels: Labels = {}
        self._id = ""
        self._attempts, self._wait_ms, self._last_end = 0, 0.0, 0.0
        self._last: Attempt | None = None
        self._is_open = self._is_returned = False
        self._exception: str | None = None
        self._latency_ms = 0.0
        self.weight = 0

    def elapsed(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._started

    def attempt(self, log: Writer, labels: Labels, asked: wire.Facts) -> "Attempt":
        """The next attempt begins now."""
        now = time.perf_counter()
        self._id = self._id or log.call_id()
        wait_ms = round((now - self._last_end) * 1e3, 3) if self._attempts else None
        self._log, self._labels, self._is_open = log, labels, True
        self._attempts += 1
        self._wait_ms += wait_ms or 0
        return Attempt(self, now, labels, {
            "kind": "attempt", "started_at": time.time(), "call_id": self._id, "attempt_no": self._attempts,
            **({} if wait_ms is None else {"wait_ms": wait_ms}), **asked,
        })  # fmt: skip

    def attempted(self, attempt: "Attempt", now: float) -> None:
        """An attempt is over."""
        self._last_end, self._last, self._is_open = now, attempt, False
        if self._log is not None:
            self._log.write(attempt)
        self._settle()

    @harmless
    def returned(self, failure: BaseException | None = None) -> None:
        """The SDK has handed the application an answer, or raised. A stream may still be open then."""
        self._is_returned = True
        self._exception = type(failure).__name__ if failure is not None else None
        self._settle()

    def _settle(self) -> None:
        if self._log is not None and self._is_returned and not self._is_open:
            log, self._log = self._log, None
            self._latency_ms = round(self.elapsed() * 1e3, 3)
            log.write(self)

    def line(self) -> Line:
        """See `Told.line`."""
        last = self._last.line() if self._last is not None else {}
        line = {
            "kind": "call", "started_at": self._started_at, "call_id": self._id, "attempts": self._attempts,
            "latency_ms": self._latency_ms, "wait_ms": round(self._wait_ms, 3),
            "is_failed": bool(self._exception) or "error_type" in last or last.get("http_status", 200) >= 400,
        }  # fmt: skip
        if self._exception:
            line["exception"] = self._exception
        line |= {name: last[name] for name in ("model", "request_id", "message_id", "error_type", "http_status")
                 if name in last}  # fmt: skip
        return line | self._labels


CALL: ContextVar[Call | None] = ContextVar("outlay_recorder_call", default=None)


class Attempt:
    """What is known about an attempt while it runs."""

    __slots__ = (
        "_call", "_content", "_headers", "_is_over", "_is_read", "_labels", "_line", "_reading", "_started", "weight",
    )  # fmt: skip

    def __init__(self, call: Call, started: float, labels: Labels, line: Line) -> None:
        self._call, self._started, self._labels, self._line, self._is_over = call, started, labels, line, False
        self._headers: Iterable[tuple[bytes, bytes]] = ()
        self._content: bytes | None = None
        self._is_read, self._reading = False, threading.Lock()
        self.weight = 0

    def _ms(self, now: float) -> float:
        return round((now - self._started) * 1e3, 3)

    @harmless
    def failed(self, error: BaseException) -> None:
        """No answer came: no connection, no time left, or the application gave up."""
        match error:
            case anthropic.APITimeoutError():
                kind = "client_timeout_error"
            case anthropic.APIConnectionError():
                kind = "connection_error"
            case Exception():
                kind = type(error).__name__
            case _:
                kind = "cancelled"
        self._over(time.perf_counter(), {"error_type": kind})

    @harmless
    def headed(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """The answer has begun."""
        self._line["http_status"] = status
        self._headers = tuple(headers)

    @harmless
    def answered(self, content: bytes) -> None:
        """The answer came whole."""
        now = time.perf_counter()
        self._content, self.weight = content, len(content)
        self._over(now, {})

    @harmless
    def refused(self) -> None:
        """The answer is an error whose body nobody has read: its status says what it is."""
        self._over(time.perf_counter(), {})

    def ended(self, facts: wire.Facts, first_token_at: float | None, now: float) -> None:
        """The pieces have come to an end, the last of them at `now`."""
        if first_token_at is not None:
            facts = facts | {"ttft_ms": self._ms(first_token_at)}
        self._over(now, facts)

    def _over(self, now: float, facts: wire.Facts) -> None:
        if not self._is_over:
            self._is_over = True
            self._line["latency_ms"] = self._ms(now)
            self._line |= facts
            self._call.attempted(self, now)

    def line(self) -> Line:
        """See `Told.line`. What the answer says is read now, by whoever asks first: the log's thread, nearly always."""
        with self._reading:
            if not self._is_read:
                self._is_read = True
                self._read()
        return self._line

    @harmless
    def _read(self) -> None:
        content, self._content, headers, self._headers = self._content, None, self._headers, ()
        line = wire.head(headers)
        line |= self._line
        line |= self._labels
        self._line = line
        if content is not None:
            line |= wire.document(content)


class Streaming:
    """Listens to the pieces of an answer on their way to the application."""

    def __init__(self, reader: wire.Reader, encoding: str, attempt: Attempt | None) -> None:
        """`encoding`: the body's content-encoding; `attempt`: what ends with the body."""
        self._attempt, self._reader, self._last_at, self._is_over = attempt, reader, time.perf_counter(), False
        self._inflate = zlib.decompressobj(47) if encoding in ("gzip", "deflate") else None
        self._is_understood = encoding in ("", "identity", "gzip", "deflate")

    def heard(self, piece: bytes) -> None:
        """A piece came by."""
        self._last_at = time.perf_counter()
        if self._is_understood:
            try:
                self._reader.feed(self._inflate.decompress(piece) if self._inflate else piece, self._last_at)
            except Exception as error:
                self._is_understood = False
                _diary.debug("not understood: %r", error)

    @harmless
    def ended(self, end: str) -> None:
        """Nothing more comes: "cut" by the server or the network, or "closed" by the application."""
        if self._is_over:
            return
        self._is_over = True
        facts = dict(self._reader.facts)
        if self._is_understood:
            if not self._reader.is_complete and (end == "cut" or "error_type" in facts):
                facts = {"error_type": "incomplete_stream"} | facts | {"stream_end": "cut"}
            else:
                facts["stream_end"] = "complete" if self._reader.is_complete else "closed"
        if self._attempt is not None:
            self._attempt.ended(facts, self._reader.first_token_at, self._last_at)
