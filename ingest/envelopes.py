"""What loggers and log shippers wrap around a record, taken off.

A line that no format knows as it stands is handed here. Each envelope is one function: from a line's text, or from a
JSON object, to what lies inside and the time that the envelope gives. They are applied over one another, since a
container runtime wraps what a logging library has wrapped.
"""

import ast
import json
import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ingest.otlp import console_span, log_records, spans

DEEPEST = 6

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_CRI = re.compile(r"(\d{4}-\d\d-\d\dT\S+) (?:stdout|stderr) ([FP])(?: (.*))?$", re.DOTALL)
_TIME_PREFIX = re.compile(r"\[?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)\]?[\s:|-]+")
# A key begins a word and is not long: looking for one takes time in proportion to the line, whatever the line is.
_PAIR = re.compile(r"""(?<!\w)([A-Za-z_@][\w.@-]{0,63})=("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s]*)""")

# Where a JSON line that is no record itself may carry one, in the order in which they are looked at.
_INNER = (
    "message",
    "msg",
    "event",
    "log",
    "MESSAGE",
    "record",
    "extra",
    "attributes",
    "jsonPayload",
    "fields",
    "detail",
)
_TIMES = ("timestamp", "ts", "time", "@timestamp", "asctime", "date", "__REALTIME_TIMESTAMP", "ingestionTime")


class Found(NamedTuple):
    """A record inside a line: its JSON text, and the time of the envelope around it (text; None without one)."""

    record: str
    logged_at: str | None


class Unwrapper:
    """Takes envelopes off the lines of one log, in order: a long line may be spread over several records."""

    def __init__(self) -> None:
        self._pieces: dict[str, str] = {}

    def unwrap(self, text: str) -> list[Found] | None:
        """The records inside one line. An empty list: none, and rightly so (a piece of one). None: a puzzle."""
        self._explained = False
        try:
            found = [Found(_utf8(record), when and _utf8(when)) for record, when in self._from_text(text, None, 0)]
        except RecursionError:  # nested deeper than any record is
            return None
        return found if found or self._explained else None

    def unfinished(self) -> int:
        """How many lines were begun and never ended. Asked once, at the end of a log."""
        return len(self._pieces)

    def _from_text(self, text: str, logged_at: str | None, depth: int) -> Iterator[Found]:
        text = _ANSI.sub("", text).strip()
        if depth > DEEPEST or not text:
            return
        if line := _CRI.match(text):
            when, mark, rest = line.groups()
            if (whole := self._joined("cri", rest or "", mark == "F")) is not None:
                yield from self._from_text(whole, logged_at or when, depth + 1)
            return
        if text[0] in "{[":
            values = _json_values(text)
            if values is not None:
                for value in values:
                    yield from self._from_value(value, logged_at, depth)
                return
        if prefix := _TIME_PREFIX.match(text):
            logged_at = logged_at or prefix[1]
        if (inner := _braced(text)) is not None:
            yield from self._from_value(inner, logged_at, depth)
            return
        pairs = {key: _unquoted(value) for key, value in _PAIR.findall(text)} if "model=" in text else {}
        if "model" in pairs:
            yield Found(
                json.dumps({key: value for key, value in pairs.items() if value not in ("", "None")}), logged_at
            )

    def _from_value(self, value: Any, logged_at: str | None, depth: int) -> Iterator[Found]:
        if isinstance(value, list) and depth <= DEEPEST:
            for item in value:
                yield from self._from_value(item, logged_at, depth + 1)
            return
        if not isinstance(value, dict) or depth > DEEPEST:
            return
        if _is_record(value):
            yield Found(json.dumps(value, ensure_ascii=False), logged_at or _time_of(value))
            return
        if "resourceSpans" in value:
            records = [Found(json.dumps(span), None) for span in spans(value)]
            self._explained = self._explained or not records
            yield from records
            return
        if isinstance(value.get("context"), dict) and "span_id" in value["context"] and "start_time" in value:
            yield Found(json.dumps(console_span(value)), None)
            return
        if "resourceMetrics" in value:  # sums over many calls
            self._explained = True
            return
        if "resourceLogs" in value:  # an application's log, of which most records tell of no request
            self._explained = True
            for text, attributes, time in log_records(value):
                if _is_record(attributes):
                    yield Found(json.dumps(attributes), logged_at or _time_of(attributes) or time)
                else:
                    yield from self._from_text(text, logged_at or time, depth + 1)
            return
        if isinstance(value.get("log"), str) and "stream" in value:  # docker's json-file driver
            line, stream = value["log"], f"docker {value['stream']}"
            if (whole := self._joined(stream, line.removesuffix("\n"), line.endswith("\n"))) is not None:
                yield from self._from_text(whole, logged_at or _time_of(value), depth + 1)
            return
        for many in ("events", "logEvents", "data", "Records"):  # CloudWatch, Datadog
            if isinstance(value.get(many), list):
                if value.get("messageType", "DATA_MESSAGE") == "DATA_MESSAGE":
                    yield from self._from_value(value[many], logged_at, depth + 1)
                else:
                    self._explained = True  # the shipper talking to itself
                return
        when = logged_at or _time_of(value)
        for name in _INNER:
            inner = value.get(name)
            found: list[Found] = []
            if isinstance(inner, str) and ("{" in inner or "=" in inner):
                found = list(self._from_text(inner, when, depth + 1))
            elif isinstance(inner, dict):
                found = list(self._from_value(inner, when or _time_of(inner), depth + 1))
            if found:
                yield from found
                return

    def _joined(self, stream: str, piece: str, is_last: bool) -> str | None:
        """Pieces of a long line put together; None until the last has come."""
        whole = self._pieces.pop(stream, "") + piece
        if is_last:
            return whole
        self._pieces[stream] = whole
        self._explained = True
        return None


def _is_record(value: dict[str, Any]) -> bool:
    """Does this object say something about a request itself, rather than carry what does?"""
    if "outlay_recorder" in value or any(keys <= value.keys() for keys in _MARKS):
        return True
    if value.get("type") in ("message", "error") and ("usage" in value or "error" in value):
        return True
    if "response" in value and isinstance(value.get("request"), dict):
        return True
    if isinstance(value.get("model"), str) and (value.keys() & _TOLD_BY_A_CALL):
        return True
    return ("error" in value or "error_type" in value) and ("latency_ms" in value or "duration_ms" in value)


# Keys that only a record of a cloud platform, gateway or observability product has together.
_MARKS = (
    {"schemaType", "requestId"},
    {"meta", "metrics", "span_id"},
    {"traceId", "startTime", "type"},
    {"trace_id", "start_time", "type"},
    {"request_created_at", "request_id"},
    {"ai_model", "created_at"},
    {"logging_time", "api_method"},
    {"model", "spend"},
    {"model", "response_cost"},
    {"custom_id", "result"},
)
_TOLD_BY_A_CALL = {"input_tokens", "output_tokens", "usage", "error", "error_type", "latency_ms", "stop_reason"}


def _finite(number: str) -> float | str:
    """A number; as text where it is larger than any that can be written again (1e400)."""
    value = float(number)
    return value if math.isfinite(value) else number


# As DuckDB reads JSON: of a key said twice the first counts, and NaN and Infinity are words.
_DECODER = json.JSONDecoder(
    object_pairs_hook=lambda pairs: dict(reversed(pairs)), parse_constant=str, parse_float=_finite
)


def _utf8(text: str) -> str:
    """Text without lone surrogates, which JSON can write and UTF-8 cannot."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _json_values(text: str) -> list[Any] | None:
    """All the JSON values of a line, which may follow one another without a break; None if it is no JSON."""
    values, at = [], 0
    try:
        while at < len(text):
            value, at = _DECODER.raw_decode(text, at)
            values.append(value)
            while at < len(text) and text[at] in " \t\r\n,":
                at += 1
    except (ValueError, RecursionError):
        return None
    return values


def _braced(text: str) -> dict[str, Any] | None:
    """The dictionary inside a line, as JSON or as Python prints it: from a first brace to the last."""
    end = text.rfind("}") + 1
    start = text.find("{")
    for _ in range(4):  # a logging prefix may hold a brace of its own
        if start < 0 or end <= start:
            return None
        inner = text[start:end]
        try:
            value = _DECODER.decode(inner)
        except (ValueError, RecursionError):
            try:  # what JSON has no words for, such as a set, is null
                value = json.loads(json.dumps(ast.literal_eval(inner), default=lambda _: None, skipkeys=True))
            except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
                value = None
        if isinstance(value, dict):
            return value
        start = text.find("{", start + 1)
    return None


def _unquoted(value: str) -> str:
    return value[1:-1].replace('\\"', '"') if len(value) > 1 and value[0] in "\"'" and value[-1] == value[0] else value


def _time_of(value: dict[str, Any]) -> str | None:
    """The time that an envelope gives, as text that the formats' clock understands."""
    for name in _TIMES:
        when = value.get(name)
        if isinstance(when, dict):  # loguru
            when = when.get("timestamp") or when.get("repr")
        if isinstance(when, (int, float)) and not isinstance(when, bool):
            return repr(when)
        if isinstance(when, str) and (when[:4].isdigit() or _is_number(when)):
            return when
    return None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def why_not(text: str) -> str:
    """Why a line was refused, for the person who has to put it right."""
    line = text.strip()
    if "\0" in line:
        return "holds NUL bytes: damaged where it was written or copied"
    if line.startswith("{"):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            return "broken JSON: the line is cut short or damaged"
        if "model" not in value:
            return "JSON without a model, in the record or inside its message"
        return "names a model but tells of no request: no token counts, no error, no latency"
    if "{" in line:
        return "the part in braces is neither JSON nor a Python dictionary"
    if re.match(r"(DEBUG|INFO|WARNING|ERROR|CRITICAL):", line):
        return "a log message without its fields: the formatter left them out; log the record as JSON"
    return "no record in this line"


_KNOWN_WORD = re.compile(
    r"(?:model|usage|message|content|text|messages|request|response|type|role|id|stop_reason|feature|user_id|user|team|env"
    r"|environment|timestamp|ts|time|level|logger|event|name|status|status_code|error|error_type|attempt|retries"
    r"|retries_taken|latency_ms|ttft_ms|max_tokens|request_id|message_id|call_id|trace_id|session_id|service_tier|speed"
    r"|inference_geo|log|stream|record|extra|\w*_tokens)\Z"
)


def preview(text: str, width: int = 160) -> str:
    """A refused line with its content masked: letters become x, digits 0; only well-known field names stay readable."""
    # Only what stands as a key (in quotes before a colon, or before an equals sign) can be a field name.
    shown, at = [], 0
    head = re.sub(r"[\s\x00-\x1f\x7f]+", " ", text[: 16 * width]).strip()[: 2 * width]
    for key in re.finditer(r"""(?<=["'])\w+(?=["']\s*:)|\b\w+(?==)""", head):
        shown += [_masked(head[at : key.start()]), key[0] if _KNOWN_WORD.match(key[0]) else _masked(key[0])]
        at = key.end()
    line = "".join([*shown, _masked(head[at:])])
    return line if len(line) <= width else line[: width - 1] + "…"


def _masked(text: str) -> str:
    return re.sub(r"\d", "0", re.sub(r"[^\W\d_]+", lambda letters: "x" * len(letters[0]), text))
