"""A call and its attempts, as they become lines of the log.

A call is one `messages.create(...)` of the application; an attempt is one HTTP request that the SDK makes for it. While
they run, what there is to know is only held on to: it becomes lines in the log's thread, so that the caller need not
wait for it.
"""

import functools
import logging
import os
import secrets
import zlib
from collections.abc import Callable
from contextvars import ContextVar
from time import perf_counter, time
from typing import ParamSpec, Protocol

import anthropic
import httpx2

from outlay_recorder import wire
from outlay_recorder.attribution import Labels
from outlay_recorder.log import Line, Told, timestamp
from outlay_recorder.prompts import request_facts

P = ParamSpec("P")
CLIENT_VERSION = f"anthropic-python {anthropic.__version__}"
SALT = os.environ.get("OUTLAY_RECORDER_SALT", "").encode()[:64] or secrets.token_bytes(32)
MOST_GATHERED = 64 << 10  # bytes of a stream that wait to be read
_diary = logging.getLogger(__name__)


class Writer(Protocol):
    """Where lines go: a `Log`."""

    def write(self, told: Line | Told) -> None:
        """Add what it tells."""

    def call_id(self) -> str:
        """A name that no other call has."""


def harmless(recording: Callable[P, None]) -> Callable[P, None]:
    """A step of recording whose failure is not the application's: it costs a line, never a call."""

    @functools.wraps(recording)
    def step(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            recording(*args, **kwargs)
        except Exception as error:
            unrecorded(error)

    return step


def unrecorded(error: Exception) -> None:
    """Recording went wrong."""
    _diary.debug("not recorded: %r", error)


class Call:
    """What is known about a call while it runs. One thread or task at a time.

    An attempt that failed is handed to the log at once, since a long wait may follow; one that was answered goes there
    together with the call.
    """

    max_retries = 0
    told: tuple[str, ...] = ()  # what each failed attempt came to, for the final error
    count, weight = 1, 0  # see `Told`
    _log: Writer | None = None  # where it is recorded, once an attempt of it is
    _attempts, _wait, _last_end, _latency = 0, 0.0, 0.0, 0.0
    _last: "Attempt | None" = None
    _is_open = _is_held = False  # an attempt is under way; the last one is not in the log yet
    _exception: str | None = None
    _lines: "list[Line] | None" = None

    def __init__(self, is_returned: bool = False) -> None:
        """`is_returned`: nobody will say when the SDK hands the application its answer."""
        self.started_at, self.started = time(), perf_counter()
        self._is_returned = is_returned

    def elapsed(self) -> float:
        """Seconds since it began."""
        return perf_counter() - self.started

    def tell(self, word: str) -> None:
        """What a failed attempt came to."""
        self.told = (*self.told, word)

    def begin(self, attempt: "Attempt", log: Writer) -> None:
        """The next attempt begins now."""
        attempt.started = now = perf_counter()
        if self._log is None:
            self.id, self._log = log.call_id(), log
        elif self._attempts:
            attempt.wait = now - self._last_end
            self._wait += attempt.wait
            if self._is_held and self._last is not None:  # another middleware did not like the answer
                self._is_held = False
                log.write(self._last)
        self._attempts += 1
        attempt.number, self._is_open = self._attempts, True

    def attempted(self, attempt: "Attempt", now: float, is_answered: bool) -> None:
        """An attempt is over."""
        self._last_end, self._last, self._is_open = now, attempt, False
        if is_answered:
            self._is_held = True
        elif self._log is not None:
            self._log.write(attempt)
        if self._is_returned:
            self._settle()

    def returned(self, failure: BaseException | None = None) -> None:
        """The SDK has handed the application an answer, or raised. A stream may still be open then."""
        self._is_returned = True
        if failure is not None:
            self._exception = type(failure).__name__
        if not self._is_open:
            self._settle()

    def _settle(self) -> None:
        log, self._log = self._log, None
        if log is not None:
            self._latency = perf_counter() - self.started
            if self._is_held and self._last is not None:
                self.count, self.weight = 2, self._last.weight
            log.write(self)

    def lines(self) -> list[Line]:
        """See `Told.lines`."""
        if self._lines is None:
            told = self._last.lines() if self._last is not None else []
            self._lines = [*(told if self._is_held else ()), self._line(told[0] if told else {})]
        return self._lines

    def _line(self, last: Line) -> Line:
        line = {
            "kind": "call", "started_at": timestamp(self.started_at), "call_id": self.id, "attempts": self._attempts,
            "latency_ms": _ms(self._latency), "wait_ms": _ms(self._wait),
            "is_failed": bool(self._exception) or "error_type" in last or last.get("http_status", 200) >= 400,
        }  # fmt: skip
        if self._exception:
            line["exception"] = self._exception
        for name in ("model", "request_id", "message_id", "error_type", "http_status"):
            if name in last:
                line[name] = last[name]
        if self._last is not None:
            line |= self._last.labels
        return line


CALL: ContextVar[Call | None] = ContextVar("outlay_recorder_call", default=None)


class Attempt:
    """What is known about an attempt while it runs."""

    count, weight = 1, 0
    """See `Told`."""
    number, started, wait = 0, 0.0, 0.0
    _ended = 0.0
    _status: int | None = None
    _error: str | None = None
    _headers: httpx2.Headers | None = None
    _content: bytes | None = None
    _stream: "Streaming | None" = None
    _stream_end = ""
    _lines: list[Line] | None = None

    def __init__(self, call: Call, known: wire.Facts, labels: Labels, trace_id: str | None, body: object) -> None:
        """`known`: what is the same for each attempt of a client. `body`: what is sent, the SDK's own copy of it."""
        self._call, self._known, self.labels, self._trace_id, self._body = call, known, labels, trace_id, body

    @harmless
    def failed(self, error: BaseException) -> None:
        """No answer came: no connection, no time left, or the application gave up."""
        match error:
            case anthropic.APITimeoutError():
                self._error = "client_timeout_error"
            case anthropic.APIConnectionError():
                self._error = "connection_error"
            case Exception():
                self._error = type(error).__name__
            case _:
                self._error = "cancelled"
        self._ended = perf_counter()
        self.lines()  # how large the request is, nobody says: it is not kept
        self._call.attempted(self, self._ended, False)

    def headed(self, http: httpx2.Response) -> None:
        """The answer has begun."""
        self._status, self._headers = http.status_code, http.headers
        self.weight = len(http.request.content)

    def answered(self, http: httpx2.Response) -> None:
        """The answer is over: it came whole, or it is an error whose body nobody reads, which its status names."""
        self._ended = now = perf_counter()
        self.headed(http)
        if http.is_closed:
            self._content = content = http.content
            self.weight += len(content)
        self._call.attempted(self, now, http.status_code < 400)

    def ended(self, stream: "Streaming", end: str) -> None:
        """The pieces have come to an end."""
        self._stream, self._stream_end, self._ended = stream, end, stream.last_at
        self.weight += stream.weight
        self._call.attempted(self, self._ended, True)

    def lines(self) -> list[Line]:
        """See `Told.lines`."""
        if self._lines is None:
            call, started = self._call, self.started
            line = {
                "kind": "attempt", "started_at": timestamp(call.started_at + started - call.started),
                "call_id": call.id, "attempt_no": self.number, "latency_ms": _ms(self._ended - started),
            }  # fmt: skip
            self._lines = [line]
            self._read(line)
            self._body = self._headers = self._content = self._stream = None
            if self._error is not None:
                line["error_type"] = self._error
            line |= self.labels
        return self._lines

    @harmless
    def _read(self, line: Line) -> None:
        """What was asked, and what the answer says."""
        if self.number > 1:
            line["wait_ms"] = _ms(self.wait)
        line |= self._known
        if isinstance(self._body, dict):
            line |= request_facts(self._body, SALT)
        if self._trace_id is not None:
            line["trace_id"] = self._trace_id
        if self._headers is not None and self._status is not None:
            line["http_status"] = self._status
            wire.head(self._headers.raw, line)
        if self._content is not None:
            line |= wire.document(self._content)
        if self._stream is not None:
            if (first := self._stream.first_token_at) is not None:
                line["ttft_ms"] = _ms(first - self.started)
            line |= self._stream.facts(self._stream_end)


def _ms(seconds: float) -> float:
    return round(seconds * 1e3, 3)


class Streaming:
    """Listens to the pieces of an answer on their way to the application.

    They are read as they come until the first token is there, whose time counts, and many at once from then on.
    """

    def __init__(self, reader: wire.Reader, encoding: str, attempt: Attempt | None) -> None:
        """`encoding`: the body's content-encoding; `attempt`: what ends with the body."""
        self._attempt, self._reader, self.last_at, self._is_over = attempt, reader, perf_counter(), False
        self._inflate = zlib.decompressobj(47) if encoding in ("gzip", "deflate") else None
        self._is_understood = encoding in ("", "identity", "gzip", "deflate")
        self._gathered: list[bytes] = []
        self._bytes_gathered = 0

    @property
    def weight(self) -> int:
        """Bytes that are kept."""
        return self._bytes_gathered + self._reader.weight

    @property
    def first_token_at(self) -> float | None:
        """When the answer proper began, on the clock of `perf_counter`."""
        return self._reader.first_token_at

    def heard(self, piece: bytes) -> None:
        """A piece came by."""
        self.last_at = perf_counter()
        self._gathered.append(piece)
        self._bytes_gathered += len(piece)
        if self._reader.first_token_at is None or self._bytes_gathered > MOST_GATHERED:
            self._read()

    def _read(self) -> None:
        pieces, self._gathered, self._bytes_gathered = b"".join(self._gathered), [], 0
        if self._is_understood and pieces:
            try:
                self._reader.feed(self._inflate.decompress(pieces) if self._inflate else pieces, self.last_at)
            except Exception as error:
                self._is_understood = False
                _diary.debug("not understood: %r", error)

    @harmless
    def ended(self, end: str) -> None:
        """Nothing more comes: "cut" by the server or the network, or "closed" by the application."""
        if not self._is_over:
            self._is_over = True
            if self._attempt is not None:
                self._attempt.ended(self, end)

    def facts(self, end: str) -> wire.Facts:
        """What was said, once it has ended so."""
        self._read()
        facts = dict(self._reader.facts)
        if self._is_understood:
            if not self._reader.is_complete and (end == "cut" or "error_type" in facts):
                facts = {"error_type": "incomplete_stream"} | facts | {"stream_end": "cut"}
            else:
                facts["stream_end"] = "complete" if self._reader.is_complete else "closed"
        return facts
