"""From the real SDK, through the recorder and the store, to the page: what was injected is what is shown."""

import contextlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import anthropic
import outlay_recorder
import pytest

import queries
from tests.dashboard.conftest import Opened
from tests.fake_messages_api import Turn, fake_messages_api
from tests.ingest.loading import load
from tests.ingest.loading import opened as opened_store

Lines = list[dict[str, Any]]
ASK: dict[str, Any] = {
    "model": "claude-sonnet-5-5", "max_tokens": 100, "messages": [{"role": "user", "content": "CANARY"}],
}  # fmt: skip
SOON = {"retry-after-ms": "50"}

# Ten calls of sixteen attempts; nine attempts fail. Three calls are rescued by a retry, three fail in the end.
CALLS = {
    "search": [[Turn()], [Turn()], [Turn()], [Turn(529, SOON), Turn(429, SOON), Turn()]],
    "chat": [[Turn(500, SOON), Turn()], [Turn(hang=True), Turn()], [Turn(529, SOON)] * 3, [Turn(400)]],
    "summarise": [[Turn(cut_after=3)], [Turn(first_token_after=0.4)]],
}
FAILED_ATTEMPTS = {
    "overloaded_error": 4, "rate_limit_error": 1, "api_error": 1, "client_timeout_error": 1,
    "incomplete_stream": 1, "invalid_request_error": 1,
}  # fmt: skip


@pytest.fixture
def recorded(home: Path, tmp_path: Path) -> Lines:
    """The calls, made, recorded and loaded; the recorder's lines."""
    log = tmp_path / "claude.jsonl"
    with fake_messages_api() as api:
        for feature, calls in CALLS.items():
            plain = anthropic.Anthropic(api_key="sk-ant-CANARY", base_url=api.url, timeout=1.0)
            client = outlay_recorder.record(plain, log, feature=feature)
            for turns in calls:
                api.script = list(turns)
                with contextlib.suppress(anthropic.APIError):
                    answer = client.messages.create(stream=feature == "summarise", **ASK)
                    list(answer) if feature == "summarise" else None
    assert outlay_recorder.flush()
    text = log.read_text()
    assert "CANARY" not in text
    load(home, text)
    return [json.loads(line) for line in text.splitlines()]


def test_the_reliability_page_shows_what_was_injected(home: Path, opened: Opened, recorded: Lines) -> None:
    app = opened(home, "reliability", range="All time")
    assert not app.exception
    tiles = {tile.label: tile.value for tile in app.metric}
    lost = tiles.pop("Time lost to failed attempts")
    assert float(lost.removesuffix(" s")) >= 1  # one attempt failed by a timeout of a second
    assert tiles == {
        "First attempt failed": "60.0%", "Masked by retries": "30.0%", "Failed after retries": "30.0%",
        "Attempts per call": "1.60×", "Attempts failed": "56.2%", "Billed for failed attempts": "$0.00",
        "Retry data known": "100.0%",
    }  # fmt: skip
    errors = next(frame.value for frame in app.dataframe if "failed_attempts" in frame.value)
    features = next(frame.value for frame in app.dataframe if "attempt_error_rate" in frame.value)
    shown = dict(zip(errors["error_type"], errors["failed_attempts"], strict=True))
    assert {name: int(count) for name, count in shown.items()} == FAILED_ATTEMPTS | {"Total": 9}
    rates = dict(zip(features["feature"], features["attempt_error_rate"], strict=True))
    assert rates["chat"] == 6 / 8 and rates["search"] == 2 / 6 and rates["summarise"] == 1 / 2


def test_what_callers_waited_for_is_what_was_injected(home: Path, recorded: Lines) -> None:
    """Three calls were rescued: one was told twice to wait 50 ms, one once; one waited its second for a timeout."""
    attempts = [line for line in recorded if line["kind"] == "attempt"]
    rescued = {line["call_id"] for line in recorded if line["kind"] == "call" and line["attempts"] > 1
               and not line["is_failed"]}  # fmt: skip
    starts = {call_id: [datetime.fromisoformat(line["started_at"]) for line in attempts if line["call_id"] == call_id]
              for call_id in rescued}  # fmt: skip
    wasted_ms = sum((times[-1] - times[0]).total_seconds() * 1000 for times in starts.values())
    with opened_store(home) as con:
        queries.create_views(con)
        [reliability] = queries.read(con, "reliability").to_pylist()
        waits = con.sql("select wait_ms from facts.attempts where wait_ms is not null order by wait_ms").fetchall()
        [slow] = con.sql("select ttft_ms from facts.attempts where is_streamed and not is_error").fetchall()
    assert reliability["wasted_ms"] == pytest.approx(wasted_ms) and 1000 + 150 <= wasted_ms < 10_000
    assert len(waits) == 6 and waits[0][0] >= 50  # six second and third attempts
    assert slow[0] >= 400
