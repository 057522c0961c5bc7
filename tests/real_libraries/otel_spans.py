# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "anthropic==2.12.0",
#     "openinference-instrumentation-anthropic==3.1.0",
#     "opentelemetry-exporter-otlp-proto-common==1.45.2",
#     "opentelemetry-instrumentation-anthropic==0.62.4",
#     "opentelemetry-instrumentation-httpx==0.66b2",
#     "opentelemetry-sdk==1.45.2",
# ]
# ///
"""Writes the OTLP/JSON fixtures: the same calls to a Messages API on this machine, told by real libraries.

    uv run --script tests/real_libraries/otel_spans.py

For each producer `tests/ingest/fixtures/PRODUCER/` gets `spans.jsonl`, what the libraries exported, and `truth.json`,
what the server did: one list of attempts per call. Nothing of Outlay's takes part.
"""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.fake_messages_api import ERRORS, USAGE, FakeMessagesApi, Turn, fake_messages_api  # noqa: E402

FIXTURES = ROOT / "tests" / "ingest" / "fixtures"
PRODUCERS = {
    "anthropic_sdk": ("sdk",),
    "anthropic_sdk_http": ("sdk", "http"),
    "openllmetry": ("openllmetry",),
    "openinference": ("openinference",),
    "openinference_http": ("http", "openinference"),
    "spans_beside": ("sdk", "openllmetry"),
    "nested_spans": ("sdk", "http", "openllmetry", "openinference"),
}
AT_ONCE = {"retry-after-ms": "1"}
MODEL = "claude-opus-5-5"

# Name of the call, is it streamed, and what the server does with each attempt at it.
CALLS: list[tuple[str, bool, list[Turn]]] = [
    ("answered", False, [Turn()]),
    ("streamed", True, [Turn()]),
    ("truncated", False, [Turn(stop_reason="max_tokens")]),
    ("tool use", False, [Turn(stop_reason="tool_use")]),
    ("streamed tool use", True, [Turn(stop_reason="tool_use")]),
    ("retried", False, [Turn(529, AT_ONCE), Turn(429, AT_ONCE), Turn()]),
    ("retried stream", True, [Turn(529, AT_ONCE), Turn()]),
    ("wrong request", False, [Turn(400)]),
    ("overloaded", False, [Turn(529, AT_ONCE)] * 3),
    ("cut stream", True, [Turn(cut_after=4)]),
    ("stream that fails", True, [Turn(error_event="overloaded_error")]),
]


def served(number: int, turn: Turn) -> dict[str, Any]:
    """What the server did with its `number`th request."""
    told: dict[str, Any] = {"request_id": f"req_{number}", "status": turn.status}
    if turn.status != 200:
        return told | {"error_type": ERRORS[turn.status]}
    told["message_id"] = f"msg_{number}"
    if turn.error_event:
        return told | {"error_type": turn.error_event, "is_cut": True}
    if turn.cut_after:
        return told | {"is_cut": True}
    return told | {"stop_reason": turn.stop_reason, "usage": USAGE}


def call(client: Any, is_streamed: bool) -> None:
    """One call as an application makes it; what it raises is not the point here."""
    import anthropic

    asked: dict[str, Any] = {
        "model": MODEL,
        "max_tokens": 100,
        "messages": [{"role": "user", "content": "CANARY question"}],
        "tools": [{"name": "look_up", "description": "CANARY", "input_schema": {"type": "object"}}],
    }
    try:
        if is_streamed:
            for _ in client.messages.create(stream=True, **asked):
                pass
        else:
            client.messages.create(**asked)
    except anthropic.AnthropicError as error:
        print(f"  raised {type(error).__name__}")


def export(parts: tuple[str, ...]) -> tuple[bytes, list[dict[str, Any]]]:
    """All calls, told by these libraries: (an export as OTLP/JSON, the truth)."""
    import anthropic
    from google.protobuf.json_format import MessageToDict
    from openinference.instrumentation.anthropic import AnthropicInstrumentor as OpenInference
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
    from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor as OpenLlmetry
    from opentelemetry.instrumentation.httpx import HTTPX2ClientInstrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": "shop", "deployment.environment.name": "prod"}))
    provider.add_span_processor(SimpleSpanProcessor(memory))
    trace.set_tracer_provider(provider)
    instrumentors = {"http": HTTPX2ClientInstrumentor, "openllmetry": OpenLlmetry, "openinference": OpenInference}
    for part in parts:
        if part in instrumentors:
            instrumentors[part]().instrument(tracer_provider=provider)

    truth, number = [], 0
    api: FakeMessagesApi
    with fake_messages_api(*(turn for _, _, turns in CALLS for turn in turns)) as api:
        client = anthropic.Anthropic(api_key="CANARY", base_url=api.url)
        for name, is_streamed, turns in CALLS:
            call(client, is_streamed)
            attempts = [served(number + nth, turn) for nth, turn in enumerate(turns, 1)]
            number += len(turns)
            if len(api.requests) != number:
                sys.exit(f"{name}: the library sent {len(api.requests)} requests, not {number}")
            truth.append({"call": name, "model": MODEL, "is_streamed": is_streamed, "attempts": attempts})
    request = MessageToDict(encode_spans(memory.get_finished_spans()), use_integers_for_enums=True)
    for resource_spans in request["resourceSpans"]:
        for scope_spans in resource_spans["scopeSpans"]:
            for span in scope_spans["spans"]:
                for id in span.keys() & {"traceId", "spanId", "parentSpanId"}:
                    span[id] = base64.b64decode(span[id]).hex()
                for event in span.get("events", []):  # a stack trace names the folders of who ran this
                    event["attributes"] = [
                        each for each in event["attributes"] if each["key"] != "exception.stacktrace"
                    ]
    return json.dumps(request).encode() + b"\n", truth


def main() -> None:
    """Without arguments: one process for each producer, since libraries are instrumented once for a process."""
    if len(sys.argv) == 1:
        for producer, parts in PRODUCERS.items():
            print(producer)
            own = {"ANTHROPIC_OPEN_TELEMETRY": "true" if "sdk" in parts else "false"}
            stable = {"OTEL_SEMCONV_STABILITY_OPT_IN": "http"} if producer == "anthropic_sdk_http" else {}
            subprocess.run([sys.executable, __file__, producer], env=os.environ | own | stable, check=True)
        return
    producer = sys.argv[1]
    spans, truth = export(PRODUCERS[producer])
    folder = FIXTURES / producer
    folder.mkdir(exist_ok=True)
    (folder / "spans.jsonl").write_bytes(spans)
    (folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")


if __name__ == "__main__":
    main()
