"""OpenTelemetry exports: spans of three producers, HTTP attempts below them, Claude Code's events."""

import base64
import json

import pytest

from tests.ingest.loading import attempts, counts, load

TRACE, START = "0af7651916cd43dd8448eb211c80319c", 1795363754_000000000
SDK = "com.anthropic.sdk.python"
# 60 input tokens in all: 20 read from the cache, 30 written to it, 10 neither.
ANTHROPIC = {
    "gen_ai.response.model": "claude-opus-5-5",
    "gen_ai.response.id": "msg_1",
    "gen_ai.usage.input_tokens": 60,
    "gen_ai.usage.cache_read.input_tokens": 20,
    "gen_ai.usage.cache_write.input_tokens": 30,
    "anthropic.usage.cache_creation.ephemeral_5m_input_tokens": 10,
    "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 20,
    "gen_ai.usage.output_tokens": 7,
    "anthropic.message.stop_reason": "max_tokens",
    "gen_ai.request.max_tokens": 7,
}
OPENLLMETRY = {
    "gen_ai.request.model": "claude-opus-5-5",
    "gen_ai.usage.input_tokens": 60,
    "gen_ai.usage.cache_read_input_tokens": 20,
    "gen_ai.usage.cache_creation_input_tokens": 30,
    "gen_ai.usage.output_tokens": 7,
    "traceloop.workflow.name": "search",
    "traceloop.association.properties.user_id": "u1",
}
OPENINFERENCE = {
    "openinference.span.kind": "LLM",
    "llm.model_name": "claude-opus-5-5",
    "llm.token_count.prompt": 60,
    "llm.token_count.prompt_details.cache_read": 20,
    "llm.token_count.prompt_details.cache_write": 30,
    "llm.token_count.completion": 7,
    "llm.finish_reason": "end_turn",
    "llm.invocation_parameters": '{"max_tokens": 64}',
    "user.id": "u1",
    "session.id": "s1",
}


def value(of):
    kind = {str: "stringValue", int: "intValue", float: "doubleValue"}[type(of)]
    return {kind: str(of) if isinstance(of, int) else of}


def span(number, attributes, scope=SDK, parent=None, kind=3, start=0, end=1500):
    """(scope, span); times in milliseconds after START."""
    return scope, {
        "traceId": TRACE,
        "spanId": f"{number:016x}",
        "parentSpanId": f"{parent:016x}" if parent else "",
        "kind": kind,
        "startTimeUnixNano": str(START + start * 1_000_000),
        "endTimeUnixNano": str(START + end * 1_000_000),
        "attributes": [{"key": key, "value": value(of)} for key, of in attributes.items()],
    }


def export(*spans, resource=()):
    scopes = [{"scope": {"name": scope}, "spans": [each]} for scope, each in spans]
    attributes = [{"key": key, "value": value(of)} for key, of in dict(resource).items()]
    return {"resourceSpans": [{"resource": {"attributes": attributes}, "scopeSpans": scopes}]}


def told(home, *exports):
    lines = load(home, "\n".join(json.dumps(each) for each in exports))
    return lines[0], attempts(home)


@pytest.mark.parametrize(
    ("attributes", "scope", "writes", "retries"),
    [
        (ANTHROPIC, SDK, {"cache_write_5m_tokens": 10, "cache_write_1h_tokens": 20}, 0),
        (OPENLLMETRY, "opentelemetry.instrumentation.anthropic", {"cache_write_unknown_ttl_tokens": 30}, None),
        (OPENINFERENCE, "openinference.instrumentation.anthropic", {"cache_write_unknown_ttl_tokens": 30}, None),
    ],
)
def test_input_counts_the_cache_and_is_told_apart(home, attributes, scope, writes, retries):
    """60 - 20 read - 30 written = 10."""
    _, [attempt] = told(home, export(span(1, attributes, scope)))
    piles = {name: attempt.get(name) for name in ("uncached_input_tokens", "cache_read_tokens", "output_tokens")}
    assert piles == {"uncached_input_tokens": 10, "cache_read_tokens": 20, "output_tokens": 7}
    assert {name: attempt.get(name) for name in writes} == writes
    assert (attempt["latency_ms"], attempt.get("retry_count")) == (1_500, retries)
    assert (attempt["event_id"], attempt["trace_id"]) == (f"{TRACE}/{1:016x}", TRACE)


@pytest.mark.parametrize("name", ["gen_ai.usage.input_tokens", "llm.token_count.prompt"])
def test_less_input_than_cache_is_refused(home, name):
    attributes = (ANTHROPIC if name.startswith("gen_ai") else OPENINFERENCE) | {name: 49}
    line, taken = told(home, export(span(1, attributes)))
    assert (counts(line), taken) == ((1, 0, 0, 0, 1), [])


def test_a_call_told_by_spans_inside_one_another_counts_once(home):
    """A workflow's span around the SDK's own: the SDK's counts, the workflow lends its name and user."""
    line, [attempt] = told(
        home,
        export(span(1, OPENLLMETRY, "opentelemetry.instrumentation.anthropic"), span(2, ANTHROPIC, parent=1)),
    )
    assert (attempt["message_id"], attempt["feature"], attempt["user_id"]) == ("msg_1", "search", "u1")
    assert (counts(line), line.other_lines) == ((1, 1, 0, 0, 0), 1)


def test_http_spans_below_a_call_are_its_attempts(home):
    """529 after 200 ms, 429 after 300 ms, then the answer from 2,000 to 3,500 ms."""
    http = {"http.request.method": "POST"}
    spans = [
        span(2, http | {"http.response.status_code": 529}, "httpx", parent=1, end=200),
        span(3, http | {"http.response.status_code": 429}, "httpx", parent=1, start=900, end=1200),
        span(4, http | {"http.response.status_code": 200}, "httpx", parent=1, start=2000, end=3500),
        span(1, ANTHROPIC | {"http.request.resend_count": 2}, end=3500),
    ]
    _, taken = told(home, export(*spans, resource={"service.name": "shop"}))
    said = [(each["attempt_no"], each.get("http_status"), each.get("error_type"), each["latency_ms"]) for each in taken]
    assert said == [
        (1, 529, "overloaded_error", 200),
        (2, 429, "rate_limit_error", 300),
        (3, None, None, 1_500),
    ]
    assert {(each["call_id"], each["retry_count"], each["feature"]) for each in taken} == {
        (f"{TRACE}/{1:016x}", 0, "shop")
    }
    assert [each.get("output_tokens") for each in taken] == [None, None, 7]


def test_resent_requests_are_hidden_attempts_where_no_http_span_tells_of_them(home):
    _, [attempt] = told(home, export(span(1, ANTHROPIC | {"http.request.resend_count": 2})))
    assert attempt["retry_count"] == 2


def test_other_spans_and_metrics_hold_no_request(home):
    line, [_] = told(
        home, export(span(1, ANTHROPIC), span(2, {"db.system": "postgresql"}, "db")), {"resourceMetrics": [{}]}
    )
    assert (counts(line), line.other_lines) == ((1, 1, 0, 0, 0), 2)


def test_ids_in_base64_and_kinds_by_name_are_the_same_spans(home):
    def in_protobuf_words(each):
        scope, said = each
        ids = {
            name: base64.b64encode(bytes.fromhex(said[name])).decode() for name in ("traceId", "spanId", "parentSpanId")
        }
        return scope, said | ids | {"kind": "SPAN_KIND_CLIENT"}

    spans = [span(1, ANTHROPIC, end=3500), span(2, {"http.request.method": "POST"}, "httpx", parent=1)]
    told(home, export(*spans))
    line, taken = told(home, export(*map(in_protobuf_words, spans)))
    assert (counts(line), len(taken)) == ((1, 0, 1, 0, 0), 1)


def test_the_same_call_in_an_application_log_counts_once(home):
    told(home, export(span(1, ANTHROPIC)))
    record = {"timestamp": "2026-11-22T16:09:15Z", "model": "claude-opus-5-5", "message_id": "msg_1",
              "input_tokens": 10, "output_tokens": 7, "feature": "chat"}  # fmt: skip
    line, [attempt] = told(home, record)
    assert counts(line) == (1, 0, 0, 1, 0)
    assert (attempt["feature"], attempt["cache_write_1h_tokens"]) == ("chat", 20)


def test_what_the_console_exporter_prints_is_read(home):
    printed = {
        "name": "anthropic.messages.create",
        "context": {"trace_id": "0x" + TRACE, "span_id": "0x" + f"{1:016x}", "trace_state": "[]"},
        "kind": "SpanKind.CLIENT",
        "start_time": "2026-11-22T10:00:00.000000Z",
        "end_time": "2026-11-22T10:00:01.500000Z",
        "attributes": ANTHROPIC,
        "resource": {"attributes": {"service.name": "shop"}},
    }
    [line] = load(home, json.dumps(printed, indent=4))
    [attempt] = attempts(home)
    assert counts(line) == (1, 1, 0, 0, 0)
    assert (attempt["uncached_input_tokens"], attempt["latency_ms"], attempt["feature"]) == (10, 1_500, "shop")


def test_claude_codes_events_tell_of_requests_and_of_their_last_failure(home):
    """Numbers as strings; input excludes the cache; a prompt event holds no request."""
    around = {"session.id": "s", "user.account_uuid": "u", "event.timestamp": "2026-11-22T10:00:00Z"}
    events = [
        {"event.name": "api_request", "model": "claude-opus-5-5", "input_tokens": "4", "output_tokens": "7",
         "cache_read_tokens": "30000", "cache_creation_tokens": "1200", "cost_usd": "0.05", "duration_ms": "900",
         "request_id": "req_1", "event.sequence": "2"},
        {"event.name": "api_error", "model": "claude-opus-5-5", "error": "Overloaded", "status_code": "529",
         "duration_ms": "100", "attempt": "11", "event.sequence": "3"},
        {"event.name": "user_prompt", "prompt_length": "12", "event.sequence": "1"},
    ]  # fmt: skip
    records = [
        {"attributes": [{"key": key, "value": value(of)} for key, of in (event | around).items()]} for event in events
    ]
    resource = {"attributes": [{"key": "team.id", "value": value("core")}]}
    line, taken = told(home, {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": records}]}]})
    answer, failure = sorted(taken, key=lambda each: "error_type" in each)
    assert (answer["uncached_input_tokens"], answer["cache_read_tokens"]) == (4, 30_000)
    assert (answer["cache_write_unknown_ttl_tokens"], answer["team"], answer["user_id"]) == (1_200, "core", "u")
    assert (failure["error_type"], failure["http_status"], failure["retry_count"]) == ("overloaded_error", 529, 10)
    assert counts(line) == (2, 2, 0, 0, 0)
