"""What the API's answers say, by allow-list: counts, ids and single words, never text.

Everything that reaches the log from a response goes through `_counts` or `word` here. A value that is neither a whole
number nor one short word is left out, whatever its name.
"""

import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Protocol

Facts = dict[str, Any]
Names = tuple[tuple[str, str], ...]  # theirs and ours

LONGEST_EVENT = 1 << 20  # bytes; what is counted stands in events of a few hundred
_WORD = re.compile(r"[A-Za-z0-9][\w.:@/+-]{0,199}", re.ASCII)
_USAGE = (
    ("input_tokens", "input_tokens"),
    ("output_tokens", "output_tokens"),
    ("cache_read_input_tokens", "cache_read_tokens"),
    ("cache_creation_input_tokens", "cache_write_tokens"),
)
_USAGE_PARTS = {
    "cache_creation": (
        ("ephemeral_5m_input_tokens", "cache_write_5m_tokens"),
        ("ephemeral_1h_input_tokens", "cache_write_1h_tokens"),
    ),
    "server_tool_use": (("web_search_requests", "web_search_requests"),),
    "output_tokens_details": (("thinking_tokens", "thinking_tokens"),),
}
_USAGE_WORDS = tuple((name, name) for name in ("service_tier", "speed", "inference_geo"))
_MESSAGE = (("id", "message_id"), ("model", "model"), ("stop_reason", "stop_reason"))
_ITERATION_WORDS = (("type", "type"), ("model", "model"))
_ITERATION_COUNTS = tuple((name, name) for name, _ in _USAGE)
_ITERATION_WRITTEN = tuple((name, name) for name, _ in _USAGE_PARTS["cache_creation"])
_BEDROCK_ERRORS = {
    "throttlingException": "rate_limit_error",
    "validationException": "invalid_request_error",
    "modelTimeoutException": "timeout_error",
    "serviceUnavailableException": "overloaded_error",
    "internalServerException": "api_error",
    "modelStreamErrorException": "api_error",
}


def word(value: object) -> str | None:
    """One word of at most 200 ASCII characters, as ids and type names are; None for anything else."""
    return value if isinstance(value, str) and _WORD.fullmatch(value) else None


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _parsed(text: bytes | bytearray) -> Mapping[str, Any]:
    return _object(json.loads(text))


def _counts(said: Mapping[str, Any], names: Names, facts: Facts) -> None:
    """Add the whole numbers that are said under their names, under ours."""
    for theirs, ours in names:
        value = said.get(theirs)
        if type(value) is int and value >= 0:
            facts[ours] = value


def _words(said: Mapping[str, Any], names: Names, facts: Facts) -> None:
    """Add the single words that are said under their names, under ours."""
    for theirs, ours in names:
        value = said.get(theirs)
        if value is not None and (known := word(value)) is not None:
            facts[ours] = known


def _known(pairs: dict[str, Any]) -> Facts:
    return {name: value for name, value in pairs.items() if value is not None}


def usage(said: Mapping[str, Any], facts: Facts) -> None:
    """Add Anthropic's usage object. input_tokens leaves out what was read from or written to the cache."""
    _counts(said, _USAGE, facts)
    for part, names in _USAGE_PARTS.items():
        if isinstance(counts := said.get(part), dict):
            _counts(counts, names, facts)
    if isinstance(iterations := said.get("iterations"), list) and iterations:
        facts["iterations"] = [_iteration(_object(part)) for part in iterations[:1000]]
    _words(said, _USAGE_WORDS, facts)


def _iteration(part: Mapping[str, Any]) -> Facts:
    """One part of an answer that was billed in several, under Anthropic's names."""
    facts: Facts = {}
    written: Facts = {}
    _words(part, _ITERATION_WORDS, facts)
    _counts(part, _ITERATION_COUNTS, facts)
    _counts(_object(part.get("cache_creation")), _ITERATION_WRITTEN, written)
    if written:
        facts["cache_creation"] = written
    return facts


def message(said: Mapping[str, Any]) -> Facts:
    """A Message object: its id, model, stop reason and usage."""
    facts: Facts = {}
    _words(said, _MESSAGE, facts)
    usage(_object(said.get("usage")), facts)
    return facts


def error(body: Mapping[str, Any]) -> Facts:
    """An error body: its type, and its code where it has one. Never its message, which may quote the request."""
    said = _object(body.get("error"))
    code = _object(said.get("details")).get("error_code")
    return _known({"error_type": word(said.get("type")), "error_code": word(code)})


def document(content: bytes) -> Facts:
    """A whole answer: a Message, or an error body."""
    try:
        said = json.loads(content)
    except ValueError:
        return {}
    said = _object(said)
    return message(said) if said.get("type") == "message" else error(said)


_HEADS = {
    b"request-id": "request_id",
    b"x-amzn-requestid": "request_id",
    **{f"anthropic-ratelimit-{limit}-{side}".encode(): f"{limit} {side}"
       for limit in ("requests", "input-tokens", "output-tokens") for side in ("limit", "remaining")},
}  # fmt: skip
_HEADROOM = tuple(
    (name.replace("-", "_") + "_headroom", f"{name} limit", f"{name} remaining")
    for name in ("requests", "input-tokens", "output-tokens")
)


def head(headers: Iterable[tuple[bytes, bytes]], facts: Facts) -> None:
    """Add the attempt's id, and the share of each rate limit that is left, 0 to 1, from the headers of its answer."""
    said = {known: value for name, value in headers if (known := _HEADS.get(name.lower())) is not None}
    if (request_id := word(said.get("request_id", b"").decode("ascii", "replace"))) is not None:
        facts["request_id"] = request_id
    for ours, of_all, of_rest in _HEADROOM:
        limit, left = said.get(of_all, b""), said.get(of_rest, b"")
        if limit.isdigit() and left.isdigit() and int(limit) > 0:
            facts[ours] = round(min(int(left) / int(limit), 1.0), 4)


class Reader(Protocol):
    """Takes the pieces of a body as they come and keeps what they said."""

    @property
    def facts(self) -> Facts:
        """What was said so far."""

    @property
    def is_complete(self) -> bool:
        """Was the end heard?"""

    @property
    def first_token_at(self) -> float | None:
        """When the answer proper began, on the clock of `feed`."""

    @property
    def weight(self) -> int:
        """Bytes that are kept to be read."""

    def feed(self, piece: bytes, now: float) -> None:
        """Take the next piece, which came at `now` (seconds, any clock)."""


class Kept:
    """What all readers have: bytes that are not read yet."""

    def __init__(self) -> None:
        self._rest = bytearray()

    @property
    def weight(self) -> int:
        """See `Reader.weight`."""
        return len(self._rest)


class Messages(Kept):
    """The events of one streamed answer. Usage is cumulative there: the last word counts."""

    def __init__(self) -> None:
        super().__init__()
        self.facts: Facts = {}
        self.is_complete = False
        self.first_token_at: float | None = None

    def take(self, kind: str, event: Callable[[], Mapping[str, Any]], now: float) -> None:
        """One event of this kind. `event` parses its body: most events are not worth it."""
        if kind == "content_block_delta":
            self.first_token_at = self.first_token_at or now
        elif kind == "message_start":
            said = message(_object(event().get("message")))
            placeholders = ("output_tokens", "thinking_tokens")
            self.facts.update({name: value for name, value in said.items() if name not in placeholders})
        elif kind == "message_delta":
            body = event()
            usage(_object(body.get("usage")), self.facts)
            _words(_object(body.get("delta")), _MESSAGE[-1:], self.facts)
        elif kind == "message_stop":
            self.is_complete = True
        elif kind == "error":
            self.facts.update({"error_type": "api_error"} | error(event()))


class ServerSentEvents(Messages):
    """text/event-stream, as Anthropic and Vertex send it."""

    def __init__(self) -> None:
        super().__init__()
        self._kind = ""

    def feed(self, piece: bytes, now: float) -> None:
        """See `Reader.feed`."""
        self._rest += piece
        if b"\n" not in piece:
            del self._rest[LONGEST_EVENT:]
            return
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            if line.startswith(b"event:"):
                self._kind = line[6:].strip().decode("ascii", "replace")
            elif line.startswith(b"data:"):
                self.take(self._kind, partial(_parsed, line[5:]), now)


class AwsEvents(Messages):
    """application/vnd.amazon.eventstream, as Bedrock sends it: framed, each event as base64 within JSON.

    A frame is its length, the length of its headers and a checksum (4 bytes each), headers, body, checksum:
    https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html
    """

    def feed(self, piece: bytes, now: float) -> None:
        """See `Reader.feed`."""
        self._rest += piece
        while len(self._rest) >= 16:
            length, headers = int.from_bytes(self._rest[:4]), int.from_bytes(self._rest[4:8])
            if not 16 <= length <= LONGEST_EVENT * 16:
                raise ValueError("not a frame")
            if len(self._rest) < length:
                return
            self._frame(bytes(self._rest[12 : 12 + headers]), bytes(self._rest[12 + headers : length - 4]), now)
            del self._rest[:length]

    def _frame(self, headers: bytes, body: bytes, now: float) -> None:
        if b":exception-type" in headers:
            name = next((name for name in _BEDROCK_ERRORS if name.encode() in headers), "")
            self.facts["error_type"] = _BEDROCK_ERRORS.get(name, "api_error")
        elif encoded := _object(json.loads(body)).get("bytes"):
            event = _object(json.loads(b64decode(encoded)))
            self.take(str(event.get("type")), lambda: event, now)


class WholeDocument(Kept):
    """A JSON body that the application reads when it likes."""

    first_token_at: float | None = None

    def feed(self, piece: bytes, now: float) -> None:
        """See `Reader.feed`."""
        if len(self._rest) <= 32 * LONGEST_EVENT:
            self._rest += piece

    @property
    def facts(self) -> Facts:
        """What the document says, as far as it was read."""
        return document(bytes(self._rest))

    @property
    def is_complete(self) -> bool:
        """Was it read to its end?"""
        return "message_id" in self.facts


class BatchResults(Kept):
    """JSON lines, one for each request of a batch; each is handed on as soon as it is whole."""

    def __init__(self, take: Callable[[Facts], None]) -> None:
        super().__init__()
        self.facts: Facts = {}
        self.is_complete = True
        self.first_token_at: float | None = None
        self._take = take

    def feed(self, piece: bytes, now: float) -> None:
        """See `Reader.feed`."""
        self._rest += piece
        if b"\n" not in piece:
            return
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            if line.strip():
                self._take(batch_result(_object(json.loads(line))))


def batch_result(line: Mapping[str, Any]) -> Facts:
    """One line of a batch's results. A result without a Message is an error named after what became of it."""
    result = _object(line.get("result"))
    facts = _known({"custom_id": word(line.get("custom_id"))})
    if result.get("type") == "succeeded":
        return facts | message(_object(result.get("message"))) | {"service_tier": "batch"}
    said = {"error_type": word(result.get("type")) or "unknown_error", "service_tier": "batch"}
    failure = _object(result.get("error"))
    return facts | said | error(failure) | _known({"request_id": word(failure.get("request_id"))})
