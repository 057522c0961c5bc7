"""What each format says, against the documented wire formats."""

import json
from decimal import Decimal

import pytest

from ingest.formats import formats
from ingest.reader import Options, TwoFormats
from tests.ingest.loading import attempts, counts, load, refusals

USAGE = {
    "input_tokens": 40,
    "cache_creation_input_tokens": 300,
    "cache_read_input_tokens": 9000,
    "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
    "output_tokens": 120,
    "output_tokens_details": {"thinking_tokens": 30},
    "service_tier": "standard",
    "inference_geo": "global",
    "speed": "standard",
}
MESSAGE = {
    "id": "msg_demo", "type": "message", "role": "assistant", "model": "claude-sonnet-5-5",
    "content": [{"type": "text", "text": "CANARY"}], "stop_reason": "end_turn", "usage": USAGE,
}  # fmt: skip
PILES = {
    "uncached_input_tokens": 40, "cache_read_tokens": 9000, "cache_write_5m_tokens": 100, "cache_write_1h_tokens": 200,
    "cache_write_unknown_ttl_tokens": 0, "output_tokens": 120, "thinking_tokens": 30,
}  # fmt: skip
AT = {"timestamp": "2026-11-20T08:00:00Z"}


def one(home, record, **options):
    [line] = load(home, json.dumps(record) + "\n", **options)
    assert counts(line) == (1, 1, 0, 0, 0), refusals(home)
    [attempt] = attempts(home)
    return attempt


# --- application log lines ---


def test_app_log_input_tokens_are_uncached_input(home):
    """usage.input_tokens leaves both cache counts out, so the piles add up to 40 + 9,000 + 300 tokens of prompt."""
    attempt = one(home, {**AT, "request_id": "req_1", "model": "claude-sonnet-5-5", **USAGE})
    assert {name: attempt[name] for name in PILES if name != "thinking_tokens"} == {
        name: value for name, value in PILES.items() if name != "thinking_tokens"
    }


def test_app_log_reads_a_nested_usage(home):
    attempt = one(home, {**AT, "request_id": "req_1", "model": "claude-sonnet-5-5", "usage": USAGE})
    assert {name: attempt[name] for name in PILES} == PILES


def test_cache_writes_without_a_lifetime_are_of_unknown_lifetime(home):
    record = {**AT, "request_id": "req_1", "model": "m", "input_tokens": 1, "output_tokens": 1}
    attempt = one(home, {**record, "cache_creation_input_tokens": 300})
    assert attempt["cache_write_unknown_ttl_tokens"] == 300
    assert "cache_write_5m_tokens" not in attempt and "cache_write_1h_tokens" not in attempt


def test_what_the_log_does_not_say_stays_unknown(home):
    attempt = one(home, {**AT, "request_id": "req_1", "model": "m", "input_tokens": 1, "output_tokens": 1})
    unknown = {
        "cache_read_tokens",
        "cache_write_5m_tokens",
        "retry_count",
        "ttft_ms",
        "latency_ms",
        "feature",
        "call_id",
    }
    assert not unknown & attempt.keys()


def test_retries_taken_are_hidden_attempts(home):
    attempt = one(home, {**AT, "model": "m", "input_tokens": 1, "output_tokens": 1, "retries_taken": 2})
    assert attempt["retry_count"] == 2


def test_a_service_that_logs_every_attempt_hides_none(home):
    base = {**AT, "model": "m", "call_id": "c1", "feature": "chat", "latency_ms": 100}
    lines = [
        {**base, "request_id": "req_1", "attempt": 1, "status": 529, "error_type": "overloaded_error"},
        {**base, "request_id": "req_2", "attempt": 2, "status": 200, "input_tokens": 1, "output_tokens": 2},
    ]
    load(home, "\n".join(map(json.dumps, lines)))
    first, second = attempts(home)
    assert first["call_id"] == second["call_id"] == "c1"
    assert (first["error_type"], first["http_status"], first["retry_count"]) == ("overloaded_error", 529, 0)
    assert "error_type" not in second


def test_an_attempt_number_alone_does_not_tell_what_is_hidden(home):
    attempt = one(home, {**AT, "model": "m", "input_tokens": 1, "output_tokens": 1, "attempt": 3})
    assert attempt["attempt_no"] == 3 and "retry_count" not in attempt


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("overloaded_error", "overloaded_error"),
        ("RateLimitError", "rate_limit_error"),
        ("anthropic.RateLimitError: Error code: 429 - the prompt said CANARY", "rate_limit_error"),
        ({"type": "error", "error": {"type": "api_error", "message": "CANARY"}}, "api_error"),
        ({"type": "invalid_request_error", "message": "CANARY"}, "invalid_request_error"),
    ],
)
def test_an_error_is_known_by_its_type_and_its_message_is_not_kept(home, error, expected):
    attempt = one(home, {**AT, "request_id": None, "model": "m", "latency_ms": 3, "error": error})
    assert attempt["error_type"] == expected
    assert "CANARY" not in json.dumps(attempt, default=str)


def test_a_bare_latency_is_not_read_because_its_unit_is_not_told(home):
    attempt = one(home, {**AT, "model": "m", "input_tokens": 1, "output_tokens": 1, "latency": 3.2})
    assert "latency_ms" not in attempt


# --- raw messages ---


def test_a_message_without_a_time_needs_a_date(home):
    [line] = load(home, json.dumps(MESSAGE))
    assert counts(line) == (1, 0, 0, 0, 1)
    assert "--default-date" in refusals(home)[0][1]


def test_a_message_on_a_given_day(home):
    import datetime as dt

    attempt = one(home, MESSAGE, default_date=dt.date(2026, 11, 20), zone="Europe/Berlin")
    assert str(attempt["started_at"]) == "2026-11-19 23:00:00"  # midnight in Berlin, in winter
    assert {name: attempt[name] for name in PILES} == PILES
    assert attempt["attempt_id"] == attempt["message_id"] == "msg_demo"


def test_a_pair_takes_the_ceiling_and_the_user_from_the_request(home):
    request = {"model": "claude-sonnet-5-5", "max_tokens": 512, "metadata": {"user_id": "u_7"}, "messages": ["CANARY"]}
    pair = {**AT, "latency_ms": 900, "feature": "triage", "request": request, "response": MESSAGE}
    attempt = one(home, pair)
    assert (attempt["max_tokens"], attempt["user_id"], attempt["latency_ms"]) == (512, "u_7", 900)
    assert attempt["source_format"] == "messages"


def test_an_error_body_is_a_failed_attempt(home):
    body = {"type": "error", "error": {"type": "rate_limit_error", "message": "…", "details": {
        "error_code": "ramp_limit_exceeded"}}, "request_id": "req_9"}  # fmt: skip
    attempt = one(home, {**AT, "status": 429, "request": {"model": "claude-opus-5-5"}, "response": body})
    assert (attempt["error_type"], attempt["error_code"], attempt["http_status"]) == (
        "rate_limit_error", "ramp_limit_exceeded", 429)  # fmt: skip
    assert (attempt["model_raw"], attempt["attempt_id"]) == ("claude-opus-5-5", "req_9")


def test_the_last_word_of_a_stream_wins(home):
    """The same message logged at its start, with a placeholder count, and at its end."""
    start = {**MESSAGE, "stop_reason": None, "usage": {**USAGE, "output_tokens": 1}}
    lines = [{**AT, "response": start, "request": {}}, {**AT, "latency_ms": 5, "response": MESSAGE, "request": {}}]
    for order in (lines, lines[::-1]):
        [line] = load(home, "\n".join(map(json.dumps, order)), "stream")
        assert line.read_records == 2
    [attempt] = attempts(home)
    assert (attempt["output_tokens"], attempt["stop_reason"], attempt["latency_ms"]) == (120, "end_turn", 5)


def test_iterations_keep_their_own_models(home):
    parts = [
        {"type": "message", "model": "claude-fable-5-1", "input_tokens": 10, "output_tokens": 0},
        {"type": "fallback_message", "model": "claude-opus-5-5", "input_tokens": 12, "output_tokens": 7,
         "cache_creation_input_tokens": 5},
    ]  # fmt: skip
    attempt = one(home, {**AT, "request": {}, "response": {**MESSAGE, "usage": {**USAGE, "iterations": parts}}})
    told = [(part["model_raw"], part["uncached_input_tokens"], part["output_tokens"]) for part in attempt["iterations"]]
    assert told == [("claude-fable-5-1", 10, 0), ("claude-opus-5-5", 12, 7)]
    assert attempt["iterations"][1]["cache_write_unknown_ttl_tokens"] == 5


# --- Claude Code ---


def assistant(uuid, output, stop=None, message="msg_d", request="req_d", **more):
    usage = {"input_tokens": 4, "cache_creation_input_tokens": 1200, "cache_read_input_tokens": 30000,
             "output_tokens": output,
             "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 1200}}  # fmt: skip
    return {
        "type": "assistant", "uuid": uuid, "sessionId": "s1", "timestamp": "2026-11-20T08:00:00.000Z",
        "requestId": request, "cwd": "/w/app", "isSidechain": False,
        "message": {"id": message, "model": "claude-opus-5-5", "stop_reason": stop, "usage": usage}, **more,
    }  # fmt: skip


def system_error(uuid, attempt, request):
    return {
        "type": "system", "subtype": "api_error", "uuid": uuid, "sessionId": "s1", "isSidechain": False,
        "timestamp": "2026-11-20T07:59:58.000Z", "retryAttempt": attempt, "maxRetries": 10, "retryInMs": 500,
        "error": {"status": 529, "requestID": request, "error": {"error": {"type": "overloaded_error"}}},
    }  # fmt: skip


USER = {"type": "user", "uuid": "u0", "sessionId": "s1", "timestamp": "2026-11-20T07:59:00.000Z", "message": {
    "role": "user", "content": "CANARY"}}  # fmt: skip


def test_a_transcript_tells_one_request_in_several_lines(home):
    lines = [USER, assistant("u1", 1), assistant("u2", 1), assistant("u3", 77, "end_turn"),
             {"type": "summary", "summary": "CANARY", "leafUuid": "u3"}]  # fmt: skip
    [line] = load(home, "\n".join(map(json.dumps, lines)))
    assert counts(line) == (3, 1, 1, 1, 0)  # the second placeholder says word for word what the first said
    assert line.other_lines == 2
    [attempt] = attempts(home)
    assert (attempt["output_tokens"], attempt["stop_reason"], attempt["feature"]) == (77, "end_turn", "app")
    assert (attempt["cache_write_1h_tokens"], attempt["retry_count"]) == (1200, 0)


def test_retried_errors_belong_to_the_answer_that_follows(home):
    lines = [USER, system_error("e1", 1, "req_a"), system_error("e2", 2, "req_b"), assistant("u1", 9)]
    load(home, "\n".join(map(json.dumps, lines)))
    calls = {attempt["attempt_id"]: attempt["call_id"] for attempt in attempts(home)}
    assert calls == {"req_a": "msg_d", "req_b": "msg_d", "msg_d": "msg_d"}


def test_retried_errors_do_not_reach_past_the_next_turn_of_the_user(home):
    lines = [system_error("e1", 1, "req_a"), USER, assistant("u1", 9)]
    load(home, "\n".join(map(json.dumps, lines)))
    failed = next(attempt for attempt in attempts(home) if attempt["attempt_id"] == "req_a")
    assert "call_id" not in failed


def test_a_sidechain_replay_is_the_same_answer_and_the_transcript_of_the_session_wins(home):
    load(home, json.dumps(assistant("u1", 9, isSidechain=True, request="req_replay", cwd="/w/agent")), "agent.jsonl")
    load(home, json.dumps(assistant("u2", 9)), "session.jsonl")
    [attempt] = attempts(home)
    assert (attempt["request_id"], attempt["feature"]) == ("req_d", "app")


def test_the_errors_shown_to_the_user_are_not_billed_answers(home):
    shown = assistant("u9", 0, isApiErrorMessage=True, error="overloaded")
    shown["message"] |= {"id": "0b0", "model": "<synthetic>"}
    load(home, json.dumps(shown))
    [attempt] = attempts(home)
    assert "message_id" not in attempt and "model_raw" not in attempt and attempt["error_type"]


# --- the registry ---


def test_the_folder_is_the_registry():
    assert set(formats()) == {
        "app_log", "bedrock", "claude_code", "claude_code_events", "claude_code_spans", "datadog_llm", "helicone",
        "langfuse", "litellm", "message_batches", "messages", "openinference", "otel_genai", "portkey", "recorder",
        "vertex",
    }  # fmt: skip


def test_two_claims_on_a_record_are_an_error(home, monkeypatch):
    greedy = "select line, '1' as output_tokens from records where record like '%claude%'"
    every_format = {**formats(), "greedy": greedy}
    monkeypatch.setattr("ingest.formats.formats", lambda: every_format)
    monkeypatch.setattr("ingest.reader.formats", lambda: every_format)
    with pytest.raises(TwoFormats, match="app_log and greedy"):
        load(home, json.dumps({**AT, "model": "claude-opus-5-5", "input_tokens": 1, "output_tokens": 1}))
    assert attempts(home) == []


def test_money_that_a_source_reports_stays_exact(home):
    attempt = one(home, {**AT, "model": "m", "input_tokens": 1, "output_tokens": 1, "cost_usd": "0.000000000001"})
    assert attempt["cost_reported_usd"] == Decimal("0.000000000001")


def test_an_unknown_zone_is_refused_with_an_example():
    from ingest.reader import Reader

    with pytest.raises(ValueError, match="Europe/Berlin"):
        Reader(Options(zone="Middle/Earth"), b"k" * 32)
