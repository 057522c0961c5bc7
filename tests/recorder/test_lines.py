"""What a call leaves in the log: one line per attempt and one per call, for every client of the SDK."""

import asyncio
import json
import threading
from typing import Any

import anthropic
import outlay_recorder
import pytest
from opentelemetry import baggage, context

from tests.fake_messages_api import Turn, message
from tests.recorder.conftest import ASK, async_client, client, of, soon

USAGE = {
    "input_tokens": 40, "cache_read_tokens": 9000, "cache_write_tokens": 300, "cache_write_5m_tokens": 100,
    "cache_write_1h_tokens": 200, "output_tokens": 120, "thinking_tokens": 30, "web_search_requests": 2,
    "service_tier": "standard", "inference_geo": "global", "speed": "standard",
}  # fmt: skip
ANSWERED = USAGE | {"model": "claude-sonnet-5-5", "stop_reason": "end_turn", "http_status": 200, "max_tokens": 100}


def has(line: dict[str, Any], **wanted: Any) -> bool:
    assert {name: line.get(name) for name in wanted} == wanted
    return True


def test_a_call_is_an_attempt_and_a_call(api, log, recorded):
    outlay_recorder.record(client(api), log, feature="search").messages.create(**ASK)
    attempt, call = recorded()
    assert has(attempt, kind="attempt", attempt_no=1, request_id="req_1", message_id="msg_1", **ANSWERED)
    assert has(attempt, feature="search", is_streamed=False, client_version=f"anthropic-python {anthropic.__version__}")
    assert "error_type" not in attempt and "wait_ms" not in attempt and attempt["latency_ms"] > 0
    assert has(call, kind="call", call_id=attempt["call_id"], attempts=1, is_failed=False, feature="search")


def test_the_share_of_a_rate_limit_that_is_left_is_told(api, log, recorded):
    """49 of 50 requests and 10,000 of 40,000 input tokens; no word of output tokens."""
    outlay_recorder.record(client(api), log).messages.create(**ASK)
    attempt = recorded()[0]
    assert has(attempt, requests_headroom=0.98, input_tokens_headroom=0.25, output_tokens_headroom=None)


def test_every_attempt_that_the_sdk_hides_is_told(api, log, recorded):
    api.script = [soon(529), soon(429), Turn()]
    outlay_recorder.record(client(api), log).messages.create(**ASK)
    first, second, third, call = recorded()
    assert [line["request_id"] for line in (first, second, third)] == ["req_1", "req_2", "req_3"]
    assert [line["attempt_no"] for line in (first, second, third)] == [1, 2, 3]
    assert {line["call_id"] for line in (first, second, third, call)} == {call["call_id"]}
    assert has(first, http_status=529, error_type="overloaded_error", output_tokens=None)
    assert has(second, http_status=429, error_type="rate_limit_error")
    assert second["wait_ms"] >= 10 and third["wait_ms"] >= 10
    assert has(third, **ANSWERED)
    assert has(
        call, attempts=3, is_failed=False, wait_ms=pytest.approx(second["wait_ms"] + third["wait_ms"], abs=0.002)
    )
    assert call["latency_ms"] >= sum(line["latency_ms"] for line in (first, second, third)) + call["wait_ms"]


def test_a_call_that_fails_in_the_end_says_so(api, log, recorded):
    api.script = [soon(529), soon(529), soon(529)]
    with pytest.raises(anthropic.InternalServerError):
        outlay_recorder.record(client(api), log).messages.create(**ASK)
    call = recorded()[-1]
    assert has(call, attempts=3, is_failed=True, exception="OverloadedError", error_type="overloaded_error")


def test_no_answer_is_an_error_without_a_status(api, log, recorded):
    api.script = [Turn(drop=True), Turn(hang=True)]
    recording = outlay_recorder.record(client(api, max_retries=0), log)
    with pytest.raises(anthropic.APIConnectionError):
        recording.messages.create(**ASK)
    with pytest.raises(anthropic.APITimeoutError):
        recording.with_options(timeout=0.2).messages.create(**ASK)
    dropped, hung = of(recorded(), "attempt")
    assert has(dropped, error_type="connection_error", http_status=None)
    assert has(hung, error_type="client_timeout_error", http_status=None) and hung["latency_ms"] >= 200


def test_a_stream_tells_when_its_first_token_came(api, log, recorded):
    api.script = [Turn(first_token_after=0.2)]
    with outlay_recorder.record(client(api), log).messages.stream(**ASK) as stream:
        assert stream.get_final_text() == "An answer.".replace(" ", "")
    attempt, call = recorded()
    assert has(attempt, stream_end="complete", is_streamed=True, **ANSWERED)
    assert 200 <= attempt["ttft_ms"] <= attempt["latency_ms"] <= call["latency_ms"]


def test_a_stream_that_is_cut_is_an_error_though_the_sdk_raises_none(api, log, recorded):
    """Three events came: message_start, the beginning of a block, one word. How many tokens it was, nobody said."""
    api.script = [Turn(cut_after=3)]
    events = list(outlay_recorder.record(client(api), log).messages.create(stream=True, **ASK))
    attempt, call = recorded()
    assert len(events) == 3
    assert has(attempt, stream_end="cut", error_type="incomplete_stream", http_status=200, input_tokens=40)
    assert has(attempt, output_tokens=None, stop_reason=None)
    assert has(call, is_failed=True, error_type="incomplete_stream")


def test_an_error_inside_a_stream_is_told_by_its_type(api, log, recorded):
    api.script = [Turn(error_event="overloaded_error")]
    with pytest.raises(anthropic.APIStatusError):
        list(outlay_recorder.record(client(api), log).messages.create(stream=True, **ASK))
    assert has(recorded()[0], stream_end="cut", error_type="overloaded_error", http_status=200)


def test_a_stream_that_the_application_leaves_is_no_error(api, log, recorded):
    stream = outlay_recorder.record(client(api), log).messages.create(stream=True, **ASK)
    next(iter(stream))
    stream.close()
    attempt, call = recorded()
    assert has(attempt, stream_end="closed", error_type=None)
    assert has(call, is_failed=False)


def test_a_stream_that_is_dropped_unread_is_told(api, log, recorded):
    stream = outlay_recorder.record(client(api), log).messages.create(stream=True, **ASK)
    del stream
    assert has(of(recorded(), "attempt")[0], stream_end="closed")


def test_an_answer_that_is_read_later_is_told_when_it_is_read(api, log, recorded):
    with outlay_recorder.record(client(api), log).messages.with_streaming_response.create(**ASK) as response:
        assert not log.exists() or not log.read_text()
        response.parse()
    assert has(recorded()[0], **ANSWERED)


def test_an_asynchronous_client_is_told_alike(api, log, recorded):
    api.script = [soon(500), Turn(), Turn(), Turn(cut_after=3)]

    async def calls() -> None:
        recording = outlay_recorder.record(async_client(api), log)
        await recording.messages.create(**ASK)
        async with recording.messages.stream(**ASK) as stream:
            await stream.get_final_message()
        async for _ in await recording.messages.create(stream=True, **ASK):
            pass

    asyncio.run(calls())
    failed, answered, streamed, cut = of(recorded(), "attempt")
    assert has(failed, http_status=500, error_type="api_error") and failed["call_id"] == answered["call_id"]
    assert has(answered, attempt_no=2, **ANSWERED)
    assert has(streamed, stream_end="complete", **ANSWERED)
    assert has(cut, stream_end="cut", error_type="incomplete_stream")


def test_a_task_that_is_cancelled_is_told(api, log, recorded):
    api.script = [Turn(hang=True)]

    async def call() -> None:
        recording = outlay_recorder.record(async_client(api), log)
        await asyncio.wait_for(recording.messages.create(**ASK), 0.2)

    with pytest.raises(TimeoutError):
        asyncio.run(call())
    attempt, told = recorded()
    assert has(attempt, error_type="cancelled")
    assert has(told, is_failed=True, exception="CancelledError")


def test_concurrent_calls_keep_their_attempts_apart(api, log, recorded):
    """Twenty tasks, of each the first attempt fails: twenty calls of two attempts."""
    api.script = [soon(529)] * 20

    async def calls() -> None:
        recording = outlay_recorder.record(async_client(api, max_retries=40), log)
        await asyncio.gather(*(recording.messages.create(**ASK) for _ in range(20)))

    asyncio.run(calls())
    lines = recorded()
    told = {line["call_id"]: line["attempts"] for line in of(lines, "call")}
    assert len(told) == 20 and sum(told.values()) == len(of(lines, "attempt")) >= 40  # more on a busy machine
    for call_id, attempts in told.items():
        numbers = [line["attempt_no"] for line in of(lines, "attempt") if line["call_id"] == call_id]
        assert sorted(numbers) == list(range(1, attempts + 1))


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize("platform", ["bedrock", "vertex"])
def test_the_clients_of_clouds_are_told_alike(api, log, recorded, platform, is_streamed):
    """Bedrock frames its stream and takes the model out of the body; Vertex puts it into the address."""
    clouds: dict[str, Any] = {
        "bedrock": lambda: anthropic.AnthropicBedrock(api_key="CANARY", aws_region="us-east-1", base_url=api.url),
        "vertex": lambda: anthropic.AnthropicVertex(
            region="us", project_id="p", access_token="CANARY", base_url=api.url
        ),
    }
    recording = outlay_recorder.record(clouds[platform](), log)
    answer = recording.messages.create(stream=is_streamed, **ASK)
    if is_streamed:
        assert len(list(answer)) == 7
    attempt = recorded()[0]
    expected = ANSWERED | {"platform": platform, "is_streamed": is_streamed}
    if platform == "vertex":
        expected.pop("model")  # the fake server echoes a part of the address
    assert has(attempt, **expected)
    assert attempt.get("stream_end") == ("complete" if is_streamed else None)


def test_each_result_of_a_batch_is_told(api, log, recorded):
    errored = {"type": "error", "error": {"type": "invalid_request_error", "message": "CANARY"}, "request_id": "req_9"}
    results = [
        {"custom_id": "a-1", "result": {"type": "succeeded", "message": message(7, "claude-haiku-5-5", Turn())}},
        {"custom_id": "a-2", "result": {"type": "errored", "error": errored}},
        {"custom_id": "a-3", "result": {"type": "expired"}},
    ]
    api.batch_results = "".join(json.dumps(result) + "\n" for result in results)
    recording = outlay_recorder.record(client(api), log, feature="nightly")
    assert len(list(recording.messages.batches.results("msgbatch_1"))) == 3
    first, second, third = recorded()
    common = {"kind": "batch_result", "batch_id": "msgbatch_1", "service_tier": "batch", "feature": "nightly"}
    assert has(first, custom_id="a-1", message_id="msg_7", **(USAGE | {"model": "claude-haiku-5-5"} | common))
    assert has(second, custom_id="a-2", error_type="invalid_request_error", request_id="req_9", **common)
    assert has(third, custom_id="a-3", error_type="expired", **common)


def test_labels_come_from_arguments_baggage_and_the_code_around(api, log, recorded):
    recording = outlay_recorder.record(client(api), log, feature="default", team="growth", tags={"a": "1", "b": "1"})
    token = context.attach(baggage.set_baggage("outlay.feature", "carried", baggage.set_baggage("outlay.tag.b", "2")))
    recording.messages.create(**ASK)
    with outlay_recorder.labels(feature="around", user_id="u_1", tags={"b": "3"}):
        recording.messages.create(**ASK)
        with outlay_recorder.labels(session_id="s_1"):
            recording.messages.create(**ASK)
    context.detach(token)
    recording.messages.create(**ASK)
    carried, around, within, plain = of(recorded(), "attempt")
    assert has(carried, feature="carried", team="growth", user_id=None, tags={"a": "1", "b": "2"})
    assert has(around, feature="around", team="growth", user_id="u_1", tags={"a": "1", "b": "3"})
    assert has(within, feature="around", user_id="u_1", session_id="s_1")
    assert has(plain, feature="default", tags={"a": "1", "b": "1"})


def test_threads_do_not_share_labels(api, log, recorded):
    recording = outlay_recorder.record(client(api), log)

    def call(feature: str) -> None:
        with outlay_recorder.labels(feature=feature):
            barrier.wait()
            recording.messages.create(**ASK)

    barrier = threading.Barrier(8)
    threads = [threading.Thread(target=call, args=(f"f{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(line["feature"] for line in of(recorded(), "attempt")) == [f"f{number}" for number in range(8)]


def test_the_cacheable_prefix_is_known_by_a_digest(api, log, recorded):
    """The same system prompt is the same prefix, whatever is asked; another one is another."""
    recording = outlay_recorder.record(client(api), log)
    marked = [{"type": "text", "text": "CANARY document", "cache_control": {"type": "ephemeral"}}]
    question = [{"type": "text", "text": "CANARY question"}]
    for change in (
        {},
        {"messages": [{"role": "user", "content": "CANARY other question"}]},
        {"system": "CANARY other system prompt"},
        {"messages": [{"role": "user", "content": marked + question}]},
        {"messages": [{"role": "user", "content": marked}]},
    ):
        recording.messages.create(**(ASK | change))
    ids = [line["cache_prefix_id"] for line in of(recorded(), "attempt")]
    assert ids[0] == ids[1] and ids[3] == ids[4] and len(set(ids)) == 3
    assert of(recorded(), "attempt")[0]["cache_prefix_chars"] == len("CANARY system prompt")


def test_a_prefix_that_was_changed_in_place_is_another(api, log, recorded):
    """The digest of a prefix is worked out once, and again when anything in it is no longer what it was."""
    recording, tools = outlay_recorder.record(client(api), log), [{"name": "a", "input_schema": {"type": "object"}}]
    for name in ("a", "a", "b", "a"):
        tools[0]["name"] = name
        recording.messages.create(**ASK, tools=tools)
    first, second, third, fourth = (line["cache_prefix_id"] for line in of(recorded(), "attempt"))
    assert first == second == fourth != third


def test_a_copy_of_a_recorded_client_is_recorded_once(api, log, recorded):
    recording = outlay_recorder.record(client(api), log, feature="first")
    again = outlay_recorder.record(recording.with_options(timeout=9), log, feature="second")
    again.with_options(max_retries=0).messages.create(**ASK)
    assert [line["feature"] for line in recorded()] == ["second", "second"]


def test_what_is_no_client_is_refused():
    with pytest.raises(TypeError, match="takes a client of the Anthropic SDK, not str"):
        outlay_recorder.record("client")


def test_other_requests_leave_no_line(api, log, recorded):
    recording = outlay_recorder.record(client(api), log)
    recording.messages.batches.retrieve("msgbatch_1")
    recording.messages.create(**ASK)
    assert len(recorded()) == 2
