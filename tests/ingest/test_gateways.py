"""Gateways, observability exports, cloud platforms and batches: each sample tells one call in its own way of counting.

The same call throughout: 40 tokens of input, 9,000 read from the cache, 300 written (100 for 5 minutes and 200 for an
hour, where that is told), 120 of output. Inclusive sources report 40 + 9,000 + 300 = 9,340 as input.
"""

import csv
import datetime as dt
import gzip
import io
import json
import zipfile
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest import store
from ingest.load import Loader
from ingest.reader import Options
from tests.ingest.loading import attempts, counts, load, opened, refusals

FIXTURES = Path(__file__).parent / "fixtures"
READ, WRITTEN, OUTPUT, UNCACHED = 9_000, 300, 120, 40
PILES = {
    "uncached_input_tokens": UNCACHED, "cache_read_tokens": READ, "cache_write_5m_tokens": 100,
    "cache_write_1h_tokens": 200, "cache_write_unknown_ttl_tokens": WRITTEN - 100 - 200, "output_tokens": OUTPUT,
}  # fmt: skip
WITHOUT_LIFETIME = {
    "uncached_input_tokens": UNCACHED, "cache_read_tokens": READ, "cache_write_unknown_ttl_tokens": WRITTEN,
    "output_tokens": OUTPUT,
}  # fmt: skip


def sample(home, path, **options):
    [line] = load(home, (FIXTURES / path).read_bytes(), Path(path).name, **options)
    stored = attempts(home)
    assert "CANARY" not in json.dumps(stored, default=str), "prompts, answers and messages of errors are not kept"
    return line, stored


def piles(attempt, expected=PILES):
    return {name: attempt.get(name) for name in expected}


# --- LiteLLM ---


def test_litellm_spend_logs(home):
    line, (first, bedrock, other) = sample(home, "litellm/spend_logs.jsonl")
    assert counts(line) == (4, 3, 0, 0, 1)
    assert line.other_lines == 1, "an answer from LiteLLM's own cache is no request to Claude"
    assert piles(first) == PILES and first["thinking_tokens"] == 30
    assert (first["latency_ms"], first["ttft_ms"], first["retry_count"]) == (2100, 400, 1)
    assert (first["feature"], first["environment"], first["user_id"], first["team"]) == (
        "search", "prod", "u_7", "team_growth")  # fmt: skip
    assert first["cost_reported_usd"] == Decimal("0.0042") and "call_id" not in first
    assert (bedrock["platform"], bedrock["uncached_input_tokens"]) == ("bedrock", 50)
    assert "retry_count" not in bedrock and "cache_read_tokens" not in bedrock and "ttft_ms" not in bedrock
    assert (other["model_raw"], other["event_id"]) == ("gpt-5.2", "chatcmpl-x4")
    assert "fewer than the cached ones" in refusals(home)[0][1]


def test_litellm_spend_logs_in_every_export(home):
    """Names as Postgres folds them, names in snake case, a CSV, a Parquet file: one and the same call."""
    record = json.loads((FIXTURES / "litellm/spend_logs.jsonl").read_text().splitlines()[0])
    folded = {name.lower(): value for name, value in record.items()}
    snake = {"startTime": "start_time", "endTime": "end_time", "completionStartTime": "completion_start_time"}
    snaked = {snake.get(name, name): value for name, value in record.items()}
    start = dt.datetime(2026, 11, 20, 8)
    times = {"startTime": 0, "endTime": 2_100, "completionStartTime": 400}
    timed = {name: start + dt.timedelta(milliseconds=after) for name, after in times.items()}
    table = pa.Table.from_pylist([record | timed])
    parquet = io.BytesIO()
    pq.write_table(table, parquet)
    rows = io.StringIO()
    csv.writer(rows).writerows([list(record), list(record.values())])
    for number, data in enumerate(
        [json.dumps([record]), json.dumps(folded), json.dumps(snaked), rows.getvalue(), parquet.getvalue()]
    ):
        [line] = load(home, data, f"{number}", zone="Europe/Berlin")
        assert counts(line) == ((1, 1, 0, 0, 0) if number == 0 else (1, 0, 1, 0, 0)), (number, refusals(home))
    [attempt] = attempts(home)
    assert piles(attempt) == PILES and str(attempt["started_at"]) == "2026-11-20 08:00:00"


def test_litellm_payloads_are_attempts_of_a_call(home):
    line, (failed, answered) = sample(home, "litellm/standard_logging_payload.jsonl")
    assert counts(line) == (2, 2, 0, 0, 0)
    assert failed["call_id"] == answered["call_id"] == "t-9"
    assert (failed["http_status"], failed["error_type"], failed["retry_count"]) == (529, "overloaded_error", 0)
    assert "output_tokens" not in failed, "a failure reports zeros where nothing is known"
    assert piles(answered) == PILES
    assert (answered["latency_ms"], answered["ttft_ms"]) == (2100, 400)  # seconds in the payload
    assert (answered["stop_reason"], answered["max_tokens"], answered["is_streamed"]) == ("length", 120, True)
    assert (answered["request_id"], answered["event_id"], answered["team"]) == ("req_p2", "p2", "growth")


def test_a_call_told_by_a_gateway_and_by_the_application_counts_once(home):
    sample(home, "litellm/standard_logging_payload.jsonl")
    told = {"timestamp": "2026-11-22T18:09:16Z", "request_id": "req_p2", "model": "claude-sonnet-5-5",
            "input_tokens": 40, "cache_read_input_tokens": 9000, "cache_creation_input_tokens": 300,
            "output_tokens": 120, "stop_reason": "max_tokens", "feature": "search"}  # fmt: skip
    load(home, json.dumps(told))
    assert len(attempts(home)) == 2


# --- Langfuse ---


def test_langfuse_api(home):
    line, (first, failed) = sample(home, "langfuse/observations_api.json")
    assert counts(line) == (2, 2, 0, 0, 0) and line.other_lines == 1
    assert piles(first) == PILES
    assert (first["latency_ms"], first["ttft_ms"], first["max_tokens"]) == (2.5 * 1000, 0.4 * 1000, 512)
    assert (first["feature"], first["team"], first["user_id"], first["environment"]) == (
        "search", "growth", "u_7", "production")  # fmt: skip
    assert (first["event_id"], first["message_id"], first["stop_reason"]) == ("obs-1", "msg_l1", "end_turn")
    assert first["cost_reported_usd"] == Decimal("0.00421") and "retry_count" not in first
    assert (failed["error_type"], failed["feature"]) == ("rate_limit_error", "chat")


def test_langfuse_csv_and_parquet_of_the_blob_export(home):
    line, [first] = sample(home, "langfuse/observations_v2.csv", zone="Asia/Tokyo")
    assert counts(line) == (1, 1, 0, 0, 0)
    assert piles(first, WITHOUT_LIFETIME) == WITHOUT_LIFETIME
    assert str(first["started_at"]) == "2026-11-20 08:00:00" and not line.notes, "written in UTC without saying so"
    counted = pa.map_(pa.string(), pa.uint64())
    table = pa.table({
        "id": ["obs-1"], "trace_id": ["tr-1"], "type": ["GENERATION"], "name": ["answer"], "trace_name": ["chat"],
        "start_time": pa.array([dt.datetime(2026, 11, 20, 8)], pa.timestamp("us")), "level": ["DEFAULT"],
        "provided_model_name": ["claude-sonnet-5-5"], "latency": [2.5], "tags": pa.array([["feature:search"]]),
        "usage_details": pa.array([[("input", 40), ("output", 120), ("cache_read_input_tokens", READ),
                                    ("cache_creation_input_tokens", WRITTEN)]], counted),
        "total_cost": pa.array([Decimal("0.004210000000")], pa.decimal128(38, 12)),
    })  # fmt: skip
    out = io.BytesIO()
    pq.write_table(table, out)
    [line] = load(home, out.getvalue(), "observations_v2.parquet")
    assert counts(line)[:2] == (1, 0) and line.refused_records == 0
    [attempt] = attempts(home)
    assert attempt["cost_reported_usd"] == Decimal("0.00421") and attempt["user_id"] == "u_7"


# --- Helicone ---


def test_helicone(home):
    line, (first, limited, lost, with_body) = sample(home, "helicone/requests.jsonl")
    assert counts(line) == (4, 4, 0, 0, 0) and line.other_lines == 1, "one came from Helicone's own cache"
    assert piles(first, WITHOUT_LIFETIME) == WITHOUT_LIFETIME
    assert (first["latency_ms"], first["ttft_ms"], first["cost_reported_usd"]) == (2100, 400, Decimal("0.0042"))
    assert (first["feature"], first["team"], first["platform"], first["message_id"]) == (
        "search", "growth", "anthropic", "msg_h1")  # fmt: skip
    assert (limited["http_status"], limited["error_type"], limited["request_id"]) == (429, "rate_limit_error", "req_h2")
    assert lost["error_type"] == "unknown_error" and "http_status" not in lost
    assert piles(with_body, WITHOUT_LIFETIME) == WITHOUT_LIFETIME, "the stored body is believed before the columns"


# --- Portkey ---


def test_portkey(home):
    line, (first, overloaded) = sample(home, "portkey/logs_export.jsonl")
    assert counts(line) == (2, 2, 0, 0, 0) and line.other_lines == 1, "one came from Portkey's own cache"
    assert piles(first, WITHOUT_LIFETIME) == WITHOUT_LIFETIME
    assert first["cost_reported_usd"] == Decimal("0.42") / 100, "cents"
    assert (first["latency_ms"], first["retry_count"], first["max_tokens"]) == (2100, 1, 512)
    assert (first["feature"], first["user_id"], first["is_streamed"]) == ("search", "u_7", False)
    assert (overloaded["http_status"], overloaded["error_type"]) == (529, "overloaded_error")


# --- Datadog ---


def test_datadog_llm_spans(home):
    line, (first, failed) = sample(home, "datadog_llm/spans.json")
    assert counts(line) == (2, 2, 0, 0, 0)
    assert piles(first) == PILES
    assert (first["latency_ms"], first["event_id"], first["max_tokens"]) == (2_100_000_000 / 1e6, "6560001/1", 512)
    assert (first["feature"], first["team"], first["user_id"], first["environment"]) == (
        "search", "growth", "u_7", "prod")  # fmt: skip
    assert "ttft_ms" not in first, "its unit is not documented"
    assert failed["error_type"] == "rate_limit_error"


def test_a_span_whose_input_is_below_its_cache_is_refused(home):
    span = {"span_id": "1", "trace_id": "2", "start_ns": 1795363754500000000, "duration": 1, "meta": {"kind": "llm",
            "model_name": "m"}, "metrics": {"input_tokens": 40, "cache_read_input_tokens": 41}}  # fmt: skip
    [line] = load(home, json.dumps(span))
    assert counts(line) == (1, 0, 0, 0, 1) and "counts in another way" in refusals(home)[0][1]


# --- Bedrock ---


def test_bedrock(home):
    data = gzip.compress((FIXTURES / "bedrock/invocations.jsonl").read_bytes())
    [line] = load(home, data, "invocations.json.gz")
    assert counts(line) == (4, 4, 0, 0, 0)
    told = {attempt["request_id"]: attempt for attempt in attempts(home)}
    invoked, streamed, conversed, throttled = (told[f"7f0c-{number}"] for number in (1, 2, 3, 4))
    assert piles(invoked) == PILES
    assert (invoked["stop_reason"], invoked["message_id"], invoked["feature"]) == ("max_tokens", "msg_bdrk_1", "search")
    assert piles(streamed) == PILES | {"cache_write_5m_tokens": 300, "cache_write_1h_tokens": 0}
    assert (streamed["latency_ms"], streamed["ttft_ms"], streamed["stop_reason"]) == (2100, 400, "end_turn")
    assert streamed["is_streamed"] and not invoked["is_streamed"]
    assert piles(conversed, WITHOUT_LIFETIME) == WITHOUT_LIFETIME
    assert (conversed["latency_ms"], conversed["feature"], conversed["team"]) == (2100, "triage", "growth")
    assert (throttled["error_type"], throttled["error_code"]) == ("rate_limit_error", "ThrottlingException")
    assert all(attempt["retry_count"] == 0 for attempt in told.values()), "every attempt is a record"
    assert "CANARY" not in json.dumps(attempts(home), default=str)


def test_bedrock_through_cloudwatch(home):
    record = (FIXTURES / "bedrock/invocations.jsonl").read_text().splitlines()[0]
    load(
        home, json.dumps({"messageType": "DATA_MESSAGE", "logEvents": [{"id": "1", "timestamp": 1, "message": record}]})
    )
    [attempt] = attempts(home)
    assert attempt["source_format"] == "bedrock" and piles(attempt) == PILES


# --- Vertex ---


def test_vertex(home):
    line, stored = sample(home, "vertex/request_response_logging.jsonl", sampling_rate=0.25)
    assert counts(line) == (2, 2, 0, 0, 0)
    for attempt in stored:
        assert piles(attempt) == PILES | {"cache_write_5m_tokens": 300, "cache_write_1h_tokens": 0}
        assert attempt["model_raw"] == "locations/us-east5/claude-sonnet-4-5-20250929"
        assert (attempt["user_id"], attempt["max_tokens"]) == ("u_7", 512)
    assert {attempt["stop_reason"] for attempt in stored} == {"end_turn", "max_tokens"}
    assert any("25.00% of the requests" in note and "not scaled up" in note for note in line.notes)


def test_vertex_logs_are_called_a_sample_unless_told_otherwise(home):
    [line] = load(home, (FIXTURES / "vertex/request_response_logging.jsonl").read_bytes())
    assert any("--sampling-rate" in note and "unknown share" in note for note in line.notes)


# --- batches ---

BATCH = "msgbatch_01HkcTjaV5uDC8jWR4ZsDV8d"


def batch_files():
    return {path.name: path.read_bytes() for path in sorted((FIXTURES / "message_batches").iterdir())}


def check_batch(stored):
    told = {attempt.get("message_id") or attempt["attempt_id"]: attempt for attempt in stored}
    assert set(told) == {"msg_b1", "msg_b2", "req_b3", f"{BATCH}/triage--5"}, "what was canceled holds no request"
    assert all(str(attempt["started_at"]) == "2026-11-20 08:00:00.123456" for attempt in stored)
    assert all(attempt["service_tier"] == "batch" and "latency_ms" not in attempt for attempt in stored)
    second = told["msg_b2"]
    assert (second["cache_write_1h_tokens"], second["stop_reason"]) == (500, "max_tokens")
    assert (second["max_tokens"], second["user_id"], second["feature"]) == (80, "u_2", "summarise")
    assert (told["req_b3"]["error_type"], told["req_b3"]["model_raw"]) == ("invalid_request_error", "claude-haiku-5-5")
    assert told[f"{BATCH}/triage--5"]["error_type"] == "batch_expired"
    assert "CANARY" not in json.dumps(stored, default=str)


def land(home, path):
    outcomes = list(Loader(home, Options()).load_path(path))
    with opened(home) as con:
        store.fold(con, home)
    return outcomes


def test_batch_results_are_paired_with_what_lies_in_their_folder(home, tmp_path):
    for name, data in batch_files().items():
        (tmp_path / name).write_bytes(data)
    for path in sorted(tmp_path.iterdir()):
        if path.is_file():
            land(home, path)
    check_batch(attempts(home))
    [again] = land(home, tmp_path / f"{BATCH}_results.jsonl")
    assert again.is_known


def test_batch_results_are_paired_with_what_lies_in_their_archive(home, tmp_path):
    path = tmp_path / "batch.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in sorted(batch_files().items(), reverse=True):
            archive.writestr(name, data)
    assert len(land(home, path)) == 3
    check_batch(attempts(home))


def test_batch_results_by_themselves_need_a_date_and_are_read_anew_when_their_batch_is_there(home, tmp_path):
    results = tmp_path / f"{BATCH}_results.jsonl"
    results.write_bytes(batch_files()[results.name])
    land(home, results)
    assert attempts(home) == [] and len(refusals(home)) == 4
    for name, data in batch_files().items():
        (tmp_path / name).write_bytes(data)
    [anew] = land(home, results)
    assert not anew.is_known
    check_batch(attempts(home))


def test_an_expired_request_of_an_unnamed_batch_is_refused(home):
    [line] = load(
        home, json.dumps({"custom_id": "a--1", "result": {"type": "expired"}}), default_date=dt.date(2026, 11, 20)
    )
    assert counts(line) == (1, 0, 0, 0, 1) and "batch object" in refusals(home)[0][1]


# --- all of them ---


@pytest.mark.parametrize("path", sorted(path for path in FIXTURES.rglob("*") if path.is_file()), ids=lambda p: p.name)
def test_a_sample_told_again_changes_nothing(home, path):
    """Also with its lines in another order, so in another file: ids make the calls, not places."""
    text = path.read_text()
    [first] = load(home, text, path.name, default_date=dt.date(2026, 11, 20))
    before = attempts(home)
    lines = text.splitlines()
    if path.suffix == ".jsonl":
        [again] = load(home, "\n".join(lines[::-1]), path.name, default_date=dt.date(2026, 11, 20))
        assert again.new_attempts == 0 and again.read_records == first.read_records
    names = ("attempt_id", "output_tokens", "uncached_input_tokens")
    assert [[a.get(n) for n in names] for a in before] == [[a.get(n) for n in names] for a in attempts(home)]
