"""OTLP: its protobuf encoding turned into the JSON one, and what is inside an export."""

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

Signal = Literal["traces", "logs"]


def json_of(body: bytes, signal: Signal) -> bytes:
    """An export request as one line of OTLP/JSON. Raises ValueError if it is none."""
    request = ExportTraceServiceRequest() if signal == "traces" else ExportLogsServiceRequest()
    try:
        request.ParseFromString(body)
    except DecodeError as error:
        raise ValueError(f"the body is no {type(request).__name__} ({error})") from error
    return json.dumps(_with_hex_ids(MessageToDict(request))).encode()


@dataclass
class _Span:
    """A span of an export, and what stands around it."""

    id: str
    trace_id: str
    parent_id: str
    name: str
    start: str
    end: str
    scope: str
    is_client: bool
    resource_no: int
    attributes: dict[str, str]

    @property
    def models(self) -> set[str]:
        return {self.attributes[name] for name in _MODELS if self.attributes.get(name)}

    @property
    def message_id(self) -> str | None:
        return self.attributes.get("gen_ai.response.id")

    @property
    def times(self) -> tuple[int, int]:
        """Start and end; nothing at all where either is no number."""
        are_numbers = self.start.isdecimal() and self.end.isdecimal()
        return (int(self.start), int(self.end)) if are_numbers else (0, -1)

    @property
    def is_http(self) -> bool:
        return self.is_client and any(name in self.attributes for name in ("http.request.method", "http.method"))


def spans(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Each span of an OTLP/JSON export as a record of its own, its attributes and its resource's as one flat object.

    Only attributes that hold one value are kept. Spans that tell of one call (see `_pairs`) count once: what the
    Anthropic SDK says of it, or else what the innermost says; the others are marked as `retold`, and lend it the names
    of user, session and workflow. Where the HTTP attempts of a call were traced, each failed one before the last is a
    record too, and the call's own span stands for the last.

    They are looked for within one export: an exporter that sends a child before its parent leaves the SDK's count of
    resent requests to tell of it.
    """
    found = list(_spans(request))
    children: dict[str, list[_Span]] = {}
    for span in found:
        children.setdefault(span.parent_id, []).append(span)
    retold: set[str] = set()
    for outer, inner in _pairs([span for span in found if span.models], found):
        shadow, told = (inner, outer) if outer.scope == _SDK and inner.scope != _SDK else (outer, inner)
        retold.add(shadow.id)
        told.attributes |= {
            name: value
            for name, value in shadow.attributes.items()
            if name.startswith(_LENT) and name not in told.attributes
        }
    for span in found:
        attempts = [child for child in children.get(span.id, []) if child.is_http]
        attempts.sort(key=lambda child: child.times)
        is_call = bool(span.models) and span.id not in retold and bool(attempts)
        for number, attempt in enumerate(attempts[:-1] if is_call else [], 1):
            said = {name: value for name, value in span.attributes.items() if not name.startswith(_OF_THE_ANSWER)}
            if model := span.attributes.get("gen_ai.response.model"):
                said.setdefault("gen_ai.request.model", model)
            yield _record(attempt, said | _failure(attempt), span.id, number)
        if is_call:
            span.start = attempts[-1].start
            yield _record(span, span.attributes, span.id, len(attempts))
        else:
            yield _record(span, span.attributes, is_retold=span.id in retold)


def console_span(span: dict[str, Any]) -> dict[str, Any]:
    """What Python's ConsoleSpanExporter prints, as one of the records of `spans`."""
    context, resource = span["context"], span.get("resource")
    around = resource.get("attributes") if isinstance(resource, dict) else None
    attributes = {
        str(name): str(value[0] if isinstance(value, list) and len(value) == 1 else value)
        for given in (around, span.get("attributes"))
        if isinstance(given, dict)
        for name, value in given.items()
        if isinstance(value, str | int | float) or (isinstance(value, list) and len(value) == 1)
    }
    ids = [str(context.get(name) or "").removeprefix("0x") for name in ("span_id", "trace_id")]
    times = [_nanoseconds(span.get(name)) for name in ("start_time", "end_time")]
    name, status = str(span.get("name") or ""), span.get("status")
    if isinstance(status, dict) and status.get("status_code") == "ERROR":
        attributes |= _error(attributes, [each.get("attributes") for each in _dicts(span.get("events"))])
    scope = _SDK if name.startswith("anthropic.messages.") else ""  # it is not printed
    return _record(_Span(ids[0], ids[1], "", name, times[0], times[1], scope, False, 0, attributes), attributes)


_SDK = "com.anthropic.sdk.python"
_MODELS = ("gen_ai.request.model", "gen_ai.response.model", "llm.model_name", "llm.request.model_name")
# What an outer span knows of who called and why.
_LENT = ("traceloop.", "user.", "session.", "enduser.", "tag.", "gen_ai.conversation.", "service.", "deployment.")
_OF_THE_ANSWER = (
    "gen_ai.usage.", "gen_ai.response.", "anthropic.", "llm.token_count.", "llm.finish_reason", "output.", "http.",
    "error.",
)  # fmt: skip


def _spans(request: dict[str, Any]) -> Iterator[_Span]:
    for number, resource_spans in enumerate(_dicts(request.get("resourceSpans"))):
        resource = resource_spans.get("resource")
        around = _flat(resource.get("attributes")) if isinstance(resource, dict) else {}
        for scope_spans in _dicts(resource_spans.get("scopeSpans")):
            scope = scope_spans.get("scope")
            scope_name = str(scope.get("name") or "") if isinstance(scope, dict) else ""
            for span in _dicts(scope_spans.get("spans")):
                attributes, status = around | _flat(span.get("attributes")), span.get("status")
                if isinstance(status, dict) and status.get("code") in (2, "STATUS_CODE_ERROR"):
                    attributes |= _error(
                        attributes, [_flat(each.get("attributes")) for each in _dicts(span.get("events"))]
                    )
                yield _Span(
                    id=_hex(span.get("spanId")),
                    trace_id=_hex(span.get("traceId")),
                    parent_id=_hex(span.get("parentSpanId")),
                    name=str(span.get("name") or ""),
                    start=str(span.get("startTimeUnixNano") or ""),
                    end=str(span.get("endTimeUnixNano") or ""),
                    scope=scope_name,
                    is_client=span.get("kind") in (3, "SPAN_KIND_CLIENT"),
                    resource_no=number,
                    attributes=attributes,
                )


def _error(attributes: dict[str, str], events: list[Any]) -> dict[str, str]:
    """The error of a span that failed: its own, or else the class of the last exception that it recorded."""
    if "error.type" in attributes:
        return {}
    classes = [event["exception.type"] for event in events if isinstance(event, dict) and "exception.type" in event]
    return {"error.type": str(classes[-1]) if classes else "unknown_error"}


def _pairs(calls: list[_Span], found: list[_Span]) -> Iterator[tuple[_Span, _Span]]:
    """Spans that tell of one call, the outer first.

    One stands inside another; or both name one message; or they are told by two libraries below one parent (or below
    none, then of one process and both failed), name one model, and the time of the one lies within the other's:
    OpenLLMetry's spans are not the parents of what happens in them.
    """
    by_id = {span.id: span for span in found}
    by_message: dict[str, list[_Span]] = {}
    beside: dict[tuple[object, ...], list[_Span]] = {}
    for span in calls:
        yield from ((outer, span) for outer in _above(span, by_id) if outer.models)
        if span.message_id:
            by_message.setdefault(span.message_id, []).append(span)
        if span.parent_id:
            beside.setdefault((span.trace_id, span.parent_id), []).append(span)
        elif "error.type" in span.attributes:
            beside.setdefault((span.resource_no,), []).append(span)
    for told in by_message.values():
        told.sort(key=lambda span: (span.scope == _SDK, span.times))
        yield from ((outer, told[-1]) for outer in told[:-1])
    for siblings in beside.values():
        running: list[_Span] = []
        for span in sorted(siblings, key=lambda span: (span.times[0], -span.times[1])):
            start, end = span.times
            running = [outer for outer in running if outer.times[1] >= start]
            for outer in running:
                are_one = outer.message_id is None or span.message_id is None or outer.message_id == span.message_id
                if outer.scope != span.scope and outer.times[1] >= end and outer.models & span.models and are_one:
                    yield outer, span
            running.append(span)


def _above(span: _Span, by_id: dict[str, _Span]) -> Iterator[_Span]:
    """The spans around a span, the nearest first."""
    seen = {span.id}
    while (outer := by_id.get(span.parent_id)) and outer.id not in seen:
        seen.add(outer.id)
        yield outer
        span = outer


def _failure(attempt: _Span) -> dict[str, str]:
    """Why an HTTP attempt failed: its status, or the error where it had none."""
    status = attempt.attributes.get("http.response.status_code") or attempt.attributes.get("http.status_code")
    if status:
        return {"http.response.status_code": status}
    return {"error.type": attempt.attributes.get("error.type", "connection_error")}


def _record(
    span: _Span, attributes: dict[str, str], call_id: str = "", number: int = 0, is_retold: bool = False
) -> dict[str, Any]:
    kept: dict[str, Any] = {
        "name": span.name,
        "spanId": span.id,
        "traceId": span.trace_id,
        "startTimeUnixNano": span.start,
        "endTimeUnixNano": span.end,
        "scope": span.scope,
        "retold": is_retold,
    }
    if call_id:
        kept |= {"callId": f"{span.trace_id}/{call_id}", "attempt": number}
    return {"otel_span": kept, "attributes": attributes}


def _hex(given: Any) -> str:
    """An id in lowercase hexadecimal, however the exporter wrote it."""
    text = given if isinstance(given, str) else ""
    if re.fullmatch(r"[0-9a-fA-F]{16}|[0-9a-fA-F]{32}", text):
        return text.lower()
    try:
        return base64.b64decode(text, validate=True).hex()
    except ValueError:
        return text


def _nanoseconds(time: Any) -> str:
    try:
        moment = datetime.fromisoformat(str(time))
    except ValueError:
        return ""
    whole = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return str((whole - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000)


def log_records(request: dict[str, Any]) -> Iterator[tuple[str, dict[str, str], str | None]]:
    """Each log record of an OTLP/JSON export: its body where that is text, its attributes, and its time."""
    for resource_logs in _dicts(request.get("resourceLogs")):
        resource = resource_logs.get("resource")
        around = _flat(resource.get("attributes")) if isinstance(resource, dict) else {}
        for scope_logs in _dicts(resource_logs.get("scopeLogs")):
            for record in _dicts(scope_logs.get("logRecords")):
                body = record.get("body")
                text = body.get("stringValue") if isinstance(body, dict) else None
                time = record.get("timeUnixNano") or record.get("observedTimeUnixNano")
                attributes = _flat(record.get("attributes"))
                if "event.name" in attributes:  # Claude Code's, whose resource names team and department
                    attributes = around | attributes
                yield text if isinstance(text, str) else "", attributes, time and str(time)


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _flat(attributes: Any) -> dict[str, str]:
    """Attributes by name, as text; of a list the first value if it is one."""
    flat = {}
    for attribute in _dicts(attributes):
        value = attribute.get("value")
        if isinstance(value, dict) and isinstance(array := value.get("arrayValue"), dict):
            value = next(iter(_dicts(array.get("values"))), None)
        for kind in ("stringValue", "intValue", "doubleValue", "boolValue"):
            if isinstance(value, dict) and isinstance(value.get(kind), str | int | float):
                flat[str(attribute.get("key"))] = str(value[kind])
    return flat


def _with_hex_ids(value: Any) -> Any:
    """OTLP/JSON writes ids in hexadecimal, where protobuf's own JSON writes base64."""
    if isinstance(value, list):
        return [_with_hex_ids(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: base64.b64decode(each).hex() if name in ("traceId", "spanId", "parentSpanId") else _with_hex_ids(each)
        for name, each in value.items()
    }
