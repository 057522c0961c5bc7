"""The protobuf encoding of OTLP, turned into the JSON one."""

import base64
import json
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
