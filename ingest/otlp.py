"""OTLP: its protobuf encoding turned into the JSON one, and what is inside an export."""

import base64
import json
from collections.abc import Iterator
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


def spans(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Each span of an OTLP/JSON export as a record of its own, its attributes and its resource's as one flat object.

    Only attributes that hold one value are kept: prompts and answers are lists.
    """
    for resource_spans in _dicts(request.get("resourceSpans")):
        resource = resource_spans.get("resource")
        around = _flat(resource.get("attributes")) if isinstance(resource, dict) else {}
        for scope_spans in _dicts(resource_spans.get("scopeSpans")):
            for span in _dicts(scope_spans.get("spans")):
                kept = {name: span.get(name) for name in ("traceId", "spanId", "startTimeUnixNano", "endTimeUnixNano")}
                yield {"otel_span": kept, "attributes": around | _flat(span.get("attributes"))}


def log_records(request: dict[str, Any]) -> Iterator[tuple[str, dict[str, str], str | None]]:
    """Each log record of an OTLP/JSON export: its body where that is text, its attributes, and its time."""
    for resource_logs in _dicts(request.get("resourceLogs")):
        for scope_logs in _dicts(resource_logs.get("scopeLogs")):
            for record in _dicts(scope_logs.get("logRecords")):
                body = record.get("body")
                text = body.get("stringValue") if isinstance(body, dict) else None
                time = record.get("timeUnixNano") or record.get("observedTimeUnixNano")
                yield text if isinstance(text, str) else "", _flat(record.get("attributes")), time and str(time)


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
