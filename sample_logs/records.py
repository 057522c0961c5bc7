"""What a service notes about a call: flat fields, chosen per service, or the captured request and response."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from sample_logs.company import ANSWERS, CANARY, QUESTIONS
from sample_logs.dice import Dice, to_millisecond
from sample_logs.traffic import Attempt, Call, Tokens

Record = dict[str, Any]
Entry = tuple[datetime, str]  # when a line was written, and the line
Line = Callable[[Record, datetime], str]
Writer = Callable[[Call, str], Iterable[Entry]]  # (call, environment) -> the lines it leaves behind

LEFT_OUT_WHEN_NONE = {"error_type", "ttft_ms", "cache_creation"}


def iso(when: datetime) -> str:
    """UTC with milliseconds and a Z."""
    return when.isoformat(timespec="milliseconds") + "Z"


def per_call(fields: str, line: Line, dump_every: int = 0) -> Writer:
    """One line when the call is over. Its latency contains every hidden attempt and pause."""

    def write(call: Call, environment: str) -> list[Entry]:
        record = select(fields, all_fields(call, call.last, call.waited_ms, environment))
        if dump_every and call.number.isdigit() and int(call.number) % dump_every == 0:
            record["messages"] = [{"role": "user", "content": " ".join([CANARY, *QUESTIONS] * 40)}]
        return [(call.last.ended_at, line(record, call.last.ended_at))]

    return write


def per_attempt(fields: str, line: Line) -> Writer:
    """One line for every attempt, each with its own request id and latency; `call_id` ties them together."""

    def write(call: Call, environment: str) -> list[Entry]:
        return [
            (
                attempt.ended_at,
                line(select(fields, all_fields(call, attempt, attempt.latency_ms, environment)), attempt.ended_at),
            )
            for attempt in call.attempts
        ]

    return write


def select(fields: str, record: Record) -> Record:
    """The named fields, in the order of the names; `shown=known` logs a field under another name."""
    pairs = [(spec.split("=")[0], record[spec.split("=")[-1]]) for spec in fields.split()]
    return {name: value for name, value in pairs if not (name in LEFT_OUT_WHEN_NONE and value is None)}


def all_fields(call: Call, attempt: Attempt, latency_ms: float, environment: str) -> Record:
    """Everything a service could note about one attempt."""
    feature, tokens = call.feature, attempt.tokens
    is_batch = feature.service_tier == "batch"
    return {
        "timestamp": iso(attempt.ended_at),
        "call_id": call.call_id,
        "attempt": attempt.number,
        "request_id": attempt.request_id,
        "model": call.model,
        "input_tokens": tokens and tokens.uncached_input,
        "output_tokens": tokens and tokens.output,
        "cache_creation_input_tokens": tokens and tokens.cache_write_5m + tokens.cache_write_1h,
        "cache_read_input_tokens": tokens and tokens.cache_read,
        "cache_creation": tokens and by_lifetime(tokens),
        "usage": tokens and usage(call, tokens),
        "stop_reason": attempt.stop_reason,
        "latency_ms": None if is_batch else latency_ms,
        "latency_whole_ms": None if is_batch else round(latency_ms),
        "ttft_ms": attempt.ttft_ms,
        "ttft_whole_ms": attempt.ttft_ms and round(attempt.ttft_ms),
        "status": attempt.status,
        "error_type": attempt.error_type,
        "retries_taken": len(call.attempts) - 1,
        "max_tokens": feature.max_tokens,
        "service_tier": feature.service_tier,
        "inference_geo": call.inference_geo,
        "speed": call.speed,
        "stream": True,
        "feature": feature.name if call.attributed else None,
        "user_id": call.user_id,
        "team": feature.team,
        "env": environment,
    }


def by_lifetime(tokens: Tokens) -> Record:
    """Cache writes split by how long they live."""
    return {"ephemeral_5m_input_tokens": tokens.cache_write_5m, "ephemeral_1h_input_tokens": tokens.cache_write_1h}


def usage(call: Call, tokens: Tokens) -> Record:
    """The `usage` object of a Messages API response."""
    return {
        "input_tokens": tokens.uncached_input,
        "cache_creation_input_tokens": tokens.cache_write_5m + tokens.cache_write_1h,
        "cache_read_input_tokens": tokens.cache_read,
        "cache_creation": by_lifetime(tokens),
        "output_tokens": tokens.output,
        "server_tool_use": None,
        "service_tier": call.feature.service_tier,
        "inference_geo": call.inference_geo,
        "speed": call.speed,
    }


# ---- captured exchanges -------------------------------------------------------------------------------------------


def captured(line: Line, with_request: bool = True, doubled_every: int = 0, is_varied: bool = False) -> Writer:
    """One exchange as an HTTP capture keeps it, prompt and answer included; its time is that of the request.

    Every `doubled_every`-th stream is kept twice: as it began, with a placeholder for the output, and complete.
    `is_varied` adds what is rare: web searches, refusals, a compaction, a fallback to another model.
    """

    def write(call: Call, _environment: str) -> list[Entry]:
        started_at = call.attempts[0].started_at
        record = exchange(call, with_request)
        if is_varied:
            vary(call, record)
        entries = [(call.last.ended_at, line(record, started_at))]
        if doubled_every and call.last.tokens and int(call.number) % doubled_every == 0:
            begun_at = to_millisecond(call.last.started_at + timedelta(milliseconds=call.last.ttft_ms or 0))
            entries.insert(0, (begun_at, line(as_begun(record), started_at)))
        return entries

    return write


def exchange(call: Call, with_request: bool) -> Record:
    """Request and response; an error body in the place of the message when the call failed."""
    dice, attempt = Dice(call.call_id, "words"), call.last
    record: Record = {
        "timestamp": iso(call.attempts[0].started_at),
        "latency_ms": call.waited_ms,
        "status": attempt.status,
        "request_id": attempt.request_id,
        "feature": call.feature.name,
        "user_id": call.user_id,
    }
    if with_request:
        record["request"] = {
            "model": call.model,
            "max_tokens": call.feature.max_tokens,
            "metadata": {"user_id": call.user_id},
            "messages": [{"role": "user", "content": dice.pick(QUESTIONS)}],
        }
    if attempt.tokens:
        record["response"] = message(call, attempt, attempt.tokens, dice)
    elif attempt.status:
        record["response"] = {
            "type": "error",
            "error": {"type": attempt.error_type, "message": "The request was not answered.", "details": None},
            "request_id": attempt.request_id,
        }
    else:
        record |= {"response": None, "error_type": attempt.error_type}
    return record


def message(call: Call, attempt: Attempt, tokens: Tokens, dice: Dice) -> Record:
    """The message object of a successful response."""
    is_refusal = attempt.stop_reason == "refusal"
    return {
        "id": call.message_id,
        "type": "message",
        "role": "assistant",
        "model": call.model,
        "content": [] if is_refusal else [{"type": "text", "text": dice.pick(ANSWERS)}],
        "stop_reason": attempt.stop_reason,
        "stop_sequence": None,
        "usage": usage(call, tokens),
    }


def as_begun(record: Record) -> Record:
    """The same exchange when its stream had only begun: no stop reason, a placeholder for the output, no latency."""
    response = record["response"]
    begun = {**response, "content": [], "stop_reason": None, "usage": {**response["usage"], "output_tokens": 1}}
    return {**record, "latency_ms": None, "response": begun}


def vary(call: Call, record: Record) -> None:
    """Turn some ordinary answers into rare ones."""
    response, turn = record["response"], int(call.number) % 12
    if not response or "usage" not in response:
        return
    counted = response["usage"]
    if turn in (2, 9):
        counted["server_tool_use"] = {"web_search_requests": turn - 1 if turn == 2 else 3, "web_fetch_requests": 0}
    elif turn == 4:
        response |= {
            "stop_reason": "refusal",
            "content": [],
            "stop_details": {"type": "refusal", "category": None, "explanation": None},
        }
        counted["output_tokens"] = 0
    elif turn == 6:
        counted["iterations"] = [
            {
                "type": "compaction",
                "input_tokens": 48000,
                "cache_read_input_tokens": 0,
                "cache_creation_input_tokens": 0,
                "output_tokens": 2100,
            },
            own_iteration("message", counted),
        ]
    elif turn == 8:
        record["request"]["model"] = "claude-fable-5-1"
        counted["iterations"] = [
            own_iteration("message", counted) | {"model": "claude-fable-5-1", "output_tokens": 0},
            own_iteration("fallback_message", counted) | {"model": response["model"]},
        ]
    elif turn == 10:
        counted["output_tokens_details"] = {"thinking_tokens": counted["output_tokens"] // 3}


def own_iteration(kind: str, counted: Record) -> Record:
    """The tokens of the visible answer as one item of `usage.iterations`."""
    names = (
        "input_tokens",
        "cache_read_input_tokens",
        "cache_creation_input_tokens",
        "cache_creation",
        "output_tokens",
    )
    return {"type": kind, **{name: counted[name] for name in names}}
