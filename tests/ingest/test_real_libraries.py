"""What real libraries told of calls to a server on this machine, against what that server did.

The fixtures come from the scripts in `tests/real_libraries`. Every answer cost the same tokens:
40 of input, 9,000 read from the cache, 100 written for 5 minutes and 200 for an hour, 120 of output.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.otlp import spans
from tests.ingest.loading import attempts, counts, load

FIXTURES = Path(__file__).parent / "fixtures"
PILES = {
    "uncached_input_tokens": 40,
    "cache_read_tokens": 9_000,
    "cache_write_5m_tokens": 100,
    "cache_write_1h_tokens": 200,
    "cache_write_unknown_ttl_tokens": 0,
    "output_tokens": 120,
}
START = 1795341600_000000000
WITHOUT_LIFETIME = {"uncached_input_tokens": 40, "cache_read_tokens": 9_000, "cache_write_unknown_ttl_tokens": 300}


def told(home: Path, producer: str) -> tuple[Any, list[dict[str, Any]], list[dict[str, Any]]]:
    """(the ledger's line, the stored attempts in their order, the calls as the server saw them)"""
    [line] = load(home, (FIXTURES / producer / "spans.jsonl").read_bytes())
    stored = attempts(home)
    assert "CANARY" not in json.dumps(stored, default=str), "prompts, answers and messages of errors are not kept"
    return line, stored, json.loads((FIXTURES / producer / "truth.json").read_text())


def piles(attempt: dict[str, Any], expected: dict[str, int]) -> dict[str, int | None]:
    return {name: attempt.get(name) for name in expected}


def answers(attempts: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Those that were answered to their end."""
    return (attempt for attempt in attempts if "stop_reason" in attempt)


@pytest.mark.parametrize("producer", ["anthropic_sdk_http", "nested_spans", "openinference_http"])
def test_every_attempt_is_a_row_where_http_was_traced(home, producer):
    """16 requests reached the server, whoever told of them and how often: 16 rows, in 11 calls."""
    line, stored, truth = told(home, producer)
    assert counts(line) == (16, 16, 0, 0, 0)
    served = [
        (number, attempt.get("message_id"), attempt.get("stop_reason"))
        for call in truth
        for number, attempt in enumerate(call["attempts"], 1)
    ]
    assert [(each["attempt_no"], each.get("message_id"), each.get("stop_reason")) for each in stored] == served
    statuses = [attempt["status"] for call in truth for attempt in call["attempts"]]
    assert all(each.get("http_status", status) == status for each, status in zip(stored, statuses, strict=True))
    assert [each["http_status"] for each in stored[5:7]] == [529, 429], "the two failures of the sixth call"
    assert len({each["call_id"] for each in stored}) == len(truth)
    assert {each["retry_count"] for each in stored} == {0}
    assert all(piles(each, PILES) == PILES for each in answers(stored))


@pytest.mark.parametrize("producer", ["anthropic_sdk", "spans_beside"])
def test_the_sdks_span_stands_for_a_call_and_counts_its_attempts(home, producer):
    """Beside OpenLLMetry too, whose spans then have traces of their own: by message id, or by their time if failed."""
    line, stored, truth = told(home, producer)
    assert counts(line) == (11, 11, 0, 0, 0)
    last = [call["attempts"][-1] for call in truth]
    assert [(each["request_id"], each.get("message_id"), each.get("stop_reason")) for each in stored] == [
        (each["request_id"], each.get("message_id"), each.get("stop_reason")) for each in last
    ]
    assert [each["retry_count"] for each in stored] == [len(call["attempts"]) - 1 for call in truth]
    assert all(piles(each, PILES) == PILES for each in answers(stored))
    assert [each.get("error_type") for each in stored if each["http_status"] != 200] == [
        "invalid_request_error",
        "overloaded_error",
    ]
    assert all("ttft_ms" in each for each, call in zip(stored, truth, strict=True) if call["is_streamed"])


def test_openinference_tells_of_failures_by_their_exception(home):
    line, stored, truth = told(home, "openinference")
    assert counts(line) == (11, 11, 0, 0, 0)
    last = [call["attempts"][-1] for call in truth]
    assert [each.get("message_id") for each in stored] == [each.get("message_id") for each in last]
    assert all(piles(each, PILES) == PILES for each in answers(stored))
    failed = [
        (call["call"], each["error_type"]) for call, each in zip(truth, stored, strict=True) if "error_type" in each
    ]
    assert failed == [
        ("wrong request", "invalid_request_error"),
        ("overloaded", "overloaded_error"),
        ("stream that fails", "APIStatusError"),
    ]


def test_openllmetry_adds_the_first_count_of_a_stream_and_leaves_streams_out_that_fail(home):
    """Of a streamed answer it says 1 + 120 tokens of output: the library's own arithmetic."""
    line, stored, truth = told(home, "openllmetry")
    assert counts(line) == (10, 10, 0, 0, 0)
    heard = [call for call in truth if call["call"] != "stream that fails"]
    for call, attempt in zip(heard, stored, strict=True):
        if "usage" in call["attempts"][-1]:
            assert piles(attempt, WITHOUT_LIFETIME) == WITHOUT_LIFETIME
            assert attempt["output_tokens"] == 120 + call["is_streamed"]
    mapped = {"end_turn": "stop", "max_tokens": "length", "tool_use": "tool_call"}
    assert [each.get("stop_reason") for each in stored] == [
        mapped.get(call["attempts"][-1].get("stop_reason")) for call in heard
    ]


@pytest.mark.parametrize("first", ["anthropic_sdk", "openinference"])
def test_two_libraries_told_at_different_times_are_one_call_by_message_id(home, first):
    """Other runs, the same message ids: 9 of the 11 calls have one; the two failures are the runs' own."""
    told(home, first)
    line, stored, _ = told(home, {"anthropic_sdk": "openinference", "openinference": "anthropic_sdk"}[first])
    assert line.new_attempts == 2 and len(stored) == 11 + 2


def test_litellms_own_payloads(home):
    """It reports 529 as 500 and end_turn as stop: its own words, kept. The request's id is the server's."""
    [line] = load(home, (FIXTURES / "litellm_callbacks" / "payloads.jsonl").read_bytes())
    truth = json.loads((FIXTURES / "litellm_callbacks" / "truth.json").read_text())
    stored = attempts(home)
    assert "CANARY" not in json.dumps(stored, default=str)
    assert counts(line) == (5, 5, 0, 0, 0)
    assert [each.get("stop_reason") for each in stored] == ["stop", "stop", "length", None, None]
    assert all(piles(each, PILES) == PILES for each in answers(stored))
    assert [each["request_id"] for each in answers(stored)] == [
        call["attempts"][0]["request_id"] for call in truth if "usage" in call["attempts"][0]
    ]
    assert [(each["http_status"], each["error_type"]) for each in stored[3:]] == [
        (400, "invalid_request_error"),
        (500, "api_error"),
    ]


def in_protobuf_words(value: Any, names: dict[str, dict[int, str]], numbers: bool) -> Any:
    """The same export as protobuf's own JSON writes it: ids in base64, enumerations by name, numbers as numbers."""
    if isinstance(value, list):
        return [in_protobuf_words(each, names, numbers) for each in value]
    if not isinstance(value, dict):
        return value
    said = {}
    for name, each in value.items():
        if name in ("traceId", "spanId", "parentSpanId"):
            each = base64.b64encode(bytes.fromhex(each)).decode()
        elif name in names and isinstance(each, int):
            each = names[name][each]
        elif numbers and (name == "intValue" or name.endswith("UnixNano")):
            each = int(each)
        said[name] = in_protobuf_words(each, names, numbers)
    return said


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(
    producer=st.sampled_from(["anthropic_sdk", "anthropic_sdk_http", "openinference", "nested_spans", "spans_beside"]),
    numbers=st.booleans(),
    order=st.randoms(use_true_random=False),
)
def test_an_export_says_the_same_in_every_spelling_and_order(producer, numbers, order):
    request = json.loads((FIXTURES / producer / "spans.jsonl").read_text())
    kinds = {0: "SPAN_KIND_UNSPECIFIED", 1: "SPAN_KIND_INTERNAL", 2: "SPAN_KIND_SERVER", 3: "SPAN_KIND_CLIENT"}
    statuses = {0: "STATUS_CODE_UNSET", 1: "STATUS_CODE_OK", 2: "STATUS_CODE_ERROR"}
    spelt = in_protobuf_words(request, {"kind": kinds, "code": statuses}, numbers)
    for resource_spans in spelt["resourceSpans"]:
        order.shuffle(resource_spans["scopeSpans"])
        for scope_spans in resource_spans["scopeSpans"]:
            order.shuffle(scope_spans["spans"])

    def records(export: dict[str, Any]) -> list[str]:
        return sorted(json.dumps(record, sort_keys=True) for record in spans(export))

    assert records(spelt) == records(request)


def test_claude_codes_spans_and_events_of_one_request_are_one(home):
    """Its span says the request's id as the answer's; input excludes the cache; `attempt` 3 hides two others."""
    said = {
        "model": "claude-opus-5-5", "gen_ai.request.model": "claude-opus-5-5", "gen_ai.response.id": "req_1",
        "input_tokens": 4, "output_tokens": 7, "cache_read_tokens": 30_000, "cache_creation_tokens": 1_200,
        "duration_ms": 900, "ttft_ms": 300, "attempt": 3, "success": True, "session.id": "s", "speed": "normal",
    }  # fmt: skip
    failed = {"model": "claude-opus-5-5", "attempt": 11, "success": False, "status_code": 529, "session.id": "s"}
    kinds = {str: "stringValue", int: "intValue", bool: "boolValue"}

    def attributes(of: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"key": name, "value": {kinds[type(each)]: each}} for name, each in of.items()]

    spans = [
        {"traceId": "a" * 32, "spanId": f"{number:016x}", "name": "claude_code.llm_request", "kind": 1,
         "startTimeUnixNano": "1795341600000000000", "endTimeUnixNano": "1795341601000000000",
         "attributes": attributes(each)}
        for number, each in enumerate([said, failed], 1)
    ]  # fmt: skip
    event = {
        "event.name": "api_request", "event.timestamp": "2026-11-22T10:00:01Z", "model": "claude-opus-5-5",
        "input_tokens": "4", "output_tokens": "7", "cache_read_tokens": "30000", "cache_creation_tokens": "1200",
        "request_id": "req_1", "session.id": "s",
    }  # fmt: skip
    exports = [
        {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]},
        {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"attributes": attributes(event)}]}]}]},
    ]
    [line] = load(home, "\n".join(json.dumps(each) for each in exports))
    assert counts(line) == (3, 2, 0, 1, 0)
    answer, failure = sorted(attempts(home), key=lambda each: "error_type" in each)
    assert piles(answer, WITHOUT_LIFETIME) == {
        "uncached_input_tokens": 4,
        "cache_read_tokens": 30_000,
        "cache_write_unknown_ttl_tokens": 1_200,
    }
    assert (answer["request_id"], answer["ttft_ms"], answer["retry_count"]) == ("req_1", 300, 2)
    assert (failure["error_type"], failure["http_status"], failure["retry_count"]) == ("overloaded_error", 529, 10)


def test_calls_side_by_side_are_not_taken_for_one():
    """Two answers with ids of their own, and another model's, within the time of one below one parent: all count."""
    calls = [("a", "claude-opus-5-5", "msg_1"), ("b", "claude-opus-5-5", "msg_2"), ("c", "claude-haiku-5-5", None)]
    told = [
        {"scope": {"name": scope}, "spans": [{
            "traceId": "a" * 32, "spanId": f"{number:016x}", "parentSpanId": "f" * 16,
            "startTimeUnixNano": str(START + number), "endTimeUnixNano": str(START + 1_000_000_000 - number),
            "attributes": [{"key": "gen_ai.request.model", "value": {"stringValue": model}}]
            + [{"key": "gen_ai.response.id", "value": {"stringValue": id}} for id in [id] if id],
        }]}
        for number, (scope, model, id) in enumerate(calls, 1)
    ]  # fmt: skip
    records = spans({"resourceSpans": [{"scopeSpans": told}]})
    assert [record["otel_span"]["retold"] for record in records] == [False] * 3
