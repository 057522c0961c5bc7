"""The same record in every envelope is the same attempt."""

import json

import pytest

from tests.ingest.loading import attempts, counts, load, refusals

RECORD = {
    "request_id": "req_1",
    "model": "claude-opus-5-5",
    "input_tokens": 812,
    "output_tokens": 256,
    "stop_reason": "max_tokens",
    "latency_ms": 4312.7,
    "feature": "summarise",
    "user_id": None,
}
TIMED = {"timestamp": "2026-11-22T10:00:00Z", **RECORD}
TEXT = json.dumps(TIMED)
CRI = "2026-11-22T10:00:00.123456789Z stdout"
EPOCH_MS = 1795341600000  # 2026-11-22T10:00:00Z

ENVELOPES = {
    "json": TEXT,
    "logging_basic_repr": f"INFO:app:{TIMED}",
    "logging_basic_json": f"INFO:app:{TEXT}",
    "text_before_repr": f"2026-11-22 10:00:00,000 INFO claude_call {TIMED}",
    "brace_in_the_prefix": f"INFO:app:{{worker}} claude_call {TIMED}",
    "python_json_logger": json.dumps({"asctime": "2026-11-22 10:00:00,000", "message": "", **RECORD}),
    "json_text_in_message": json.dumps({"asctime": "2026-11-22 10:00:00,000", "message": json.dumps(RECORD)}),
    "structlog": json.dumps({**RECORD, "event": "call", "level": "info", "timestamp": "2026-11-22T10:00:00Z"}),
    "logfmt": "timestamp=2026-11-22T10:00:00Z event=call request_id=req_1 model=claude-opus-5-5 input_tokens=812 "
    'output_tokens=256 stop_reason=max_tokens latency_ms=4312.7 feature="summarise" user_id=',
    "structlog_console": "\x1b[2m2026-11-22T10:00:00Z\x1b[0m [\x1b[32minfo     \x1b[0m] \x1b[1mcall\x1b[0m "
    "\x1b[36mrequest_id\x1b[0m=\x1b[35mreq_1\x1b[0m model=claude-opus-5-5 input_tokens=812 output_tokens=256 "
    "stop_reason=max_tokens latency_ms=4312.7 feature=summarise user_id=None",
    "loguru": json.dumps({"text": "…", "record": {"extra": RECORD, "time": {"repr": "…", "timestamp": 1795341600.0},
                                                  "level": {"name": "INFO"}, "message": "call"}}),
    "loguru_json_message": json.dumps({"text": "…", "record": {"extra": {}, "message": json.dumps(RECORD),
                                                               "time": {"timestamp": 1795341600.0}}}),
    "docker": json.dumps({"log": json.dumps(RECORD) + "\n", "stream": "stdout", "time": "2026-11-22T10:00:00.000Z"}),
    "docker_in_pieces": "\n".join(
        json.dumps({"log": piece, "stream": "stdout", "time": "2026-11-22T10:00:00Z"})
        for piece in (TEXT[:90], TEXT[90:150], TEXT[150:] + "\n")
    ),
    "docker_repr": json.dumps({"log": f"INFO:app:{TIMED}\n", "stream": "stderr", "time": "2026-11-22T10:00:01Z"}),
    "cri": f"{CRI} F {TEXT}",
    "cri_in_pieces": f"{CRI} P {TEXT[:80]}\n{CRI} F {TEXT[80:]}",
    "cloudwatch_text": f"2026-11-22T10:00:00.000Z {json.dumps(RECORD)}",
    "cloudwatch_events": json.dumps({"events": [{"timestamp": EPOCH_MS, "message": json.dumps(RECORD)}]}),
    "cloudwatch_subscription": json.dumps({
        "messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "g", "logStream": "s", "subscriptionFilters": ["f"],
        "logEvents": [{"id": "1", "timestamp": EPOCH_MS, "message": json.dumps(RECORD)}],
    }) + json.dumps({"messageType": "CONTROL_MESSAGE", "logEvents": [{"id": "2", "timestamp": 1, "message": "check"}]}),
    "datadog": json.dumps({"data": [{"id": "1", "type": "log", "attributes": {
        "timestamp": "2026-11-22T10:00:00.000Z", "service": "app", "message": "call", "attributes": RECORD}}]}),
    "journald": json.dumps({"MESSAGE": json.dumps(RECORD), "__REALTIME_TIMESTAMP": str(EPOCH_MS * 1000)}),
    "pretty_printed": json.dumps([TIMED], indent=2),
    "array_on_one_line": json.dumps([TIMED]),
}  # fmt: skip


@pytest.mark.parametrize("envelope", ENVELOPES)
def test_the_record_comes_out_of_its_envelope(home, envelope):
    [line] = load(home, ENVELOPES[envelope] + "\n")
    assert counts(line) == (1, 1, 0, 0, 0), refusals(home)
    [attempt] = attempts(home)
    assert attempt["attempt_id"] == "req_1"
    assert str(attempt["started_at"])[:19] == "2026-11-22 10:00:00"
    assert (attempt["uncached_input_tokens"], attempt["output_tokens"]) == (812, 256)
    assert (attempt["latency_ms"], attempt["feature"], attempt["stop_reason"]) == (4312.7, "summarise", "max_tokens")
    assert "user_id" not in attempt
    assert "retry_count" not in attempt, "a log line that is silent on retries leaves them unknown"


def test_all_envelopes_tell_of_one_attempt(home):
    for envelope, text in ENVELOPES.items():
        load(home, text + "\n", envelope)
    [attempt] = attempts(home)
    assert attempt["attempt_id"] == "req_1"


def test_csv_rows_are_records(home):
    header = "timestamp,request_id,model,input_tokens,output_tokens,stop_reason,latency_ms,feature,user_id\n"
    [line] = load(
        home, header + '2026-11-22T10:00:00Z,req_1,claude-opus-5-5,812,256,max_tokens,4312.7,"a, b",\n', "a.csv"
    )
    assert counts(line) == (1, 1, 0, 0, 0)
    [attempt] = attempts(home)
    assert (attempt["feature"], attempt["source_line"]) == ("a, b", 2)


def test_a_line_whose_fields_were_left_out_says_so(home):
    [line] = load(home, "INFO:app:llm\n")
    assert counts(line) == (1, 0, 0, 0, 1)
    [(number, reason)] = refusals(home)
    assert number == 1 and "without its fields" in reason


def test_a_piece_that_never_ends_is_refused(home):
    [line] = load(home, f"{CRI} P {TEXT[:80]}\n")
    assert counts(line) == (1, 0, 0, 0, 1)
