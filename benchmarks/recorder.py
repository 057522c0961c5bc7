"""What the recorder costs the application: time per attempt, throughput, memory under a stalled sink, import time.

Answers come from memory, so that nothing but the SDK and the recorder is timed: the worst case for the ratio.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import anthropic
import httpx2
import outlay_recorder
from outlay_recorder.calls import CALL, Call
from outlay_recorder.log import Log
from outlay_recorder.sinks import Stream

from benchmarks.traffic import peak_megabytes

ANSWER = json.dumps({
    "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-5-5", "stop_reason": "end_turn",
    "stop_sequence": None, "content": [{"type": "text", "text": "word " * 200}],
    "usage": {"input_tokens": 40, "cache_read_input_tokens": 9000, "cache_creation_input_tokens": 0,
              "output_tokens": 120, "service_tier": "standard"},
}).encode()  # fmt: skip
ASK: dict[str, Any] = {
    "model": "claude-sonnet-5-5", "max_tokens": 100, "system": "You are a helpful assistant. " * 100,
    "messages": [{"role": "user", "content": "question " * 100}],
}  # fmt: skip
HEAD = {"request-id": "req_1", "content-type": "application/json", "anthropic-ratelimit-requests-limit": "50",
        "anthropic-ratelimit-requests-remaining": "49"}  # fmt: skip
IMPORT = "import time, anthropic; t = time.process_time(); import outlay_recorder; print(time.process_time() - t)"


def run(calls: int = 300, rounds: int = 15) -> None:
    """Print the table. Plain and recorded calls take turns, so that what else the machine does meets both alike."""
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, headers=HEAD, content=ANSWER))
    plain = anthropic.Anthropic(api_key="k", http_client=httpx2.Client(transport=transport))
    with tempfile.TemporaryDirectory() as folder:
        recorded = outlay_recorder.record(plain, Path(folder) / "claude.jsonl", feature="bench")
        _timed(plain, calls), _timed(recorded, calls)
        own_us = _own(recorded, calls * rounds) * 1e6
        pairs = [(_timed(plain, calls), _timed(recorded, calls)) for _ in range(rounds)]
        outlay_recorder.flush()
        added_us = (median(median(r[0]) - median(p[0]) for p, r in pairs)) * 1e6
        cpu_us = median(r[1] - p[1] for p, r in pairs) / calls * 1e6
        call_us = median(p[1] for p, _ in pairs) / calls * 1e6
    before = peak_megabytes()
    held = _stalled(100_000)
    grown = peak_megabytes() - before
    cached = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    imports = [
        float(subprocess.run([sys.executable, "-c", IMPORT], env=cached, capture_output=True, check=True).stdout)
        for _ in range(6)
    ][1:]
    print(f"\nThe recorder, {calls * rounds:,} calls each way; medians\n\n| what | figure |\n|---|---|")
    print(f"| the recorder's own steps for a call of one attempt, for the caller | {own_us:.0f} µs |")
    print(f"| added to a call, the SDK's own way through middleware included | {added_us:.0f} µs |")
    print(f"| processor time added to a call, the writer's included | {cpu_us:.0f} µs |")
    print(f"| processor time of the call itself | {call_us:.0f} µs |")
    print(f"| of one core, at 1,000 calls/s | {cpu_us / 10:.0f} % |")
    print(f"| lines held of 100,000 under a stalled sink | {held:,} |")
    print(f"| memory for them | {grown:.0f} MB |")
    print(f"| processor time of the import, beyond the SDK | {median(imports) * 1e3:.0f} ms |")


def _timed(client: anthropic.Anthropic, calls: int) -> tuple[list[float], float]:
    """Seconds of each call, and processor seconds of all of them with whatever runs beside."""
    took, begun = [], time.process_time()
    for _ in range(calls):
        started = time.perf_counter()
        client.messages.create(**ASK)
        took.append(time.perf_counter() - started)
    outlay_recorder.flush()
    return took, time.process_time() - begun


def _own(recorded: anthropic.Anthropic, times: int) -> float:
    """Median seconds of what the recorder does around an attempt and its call, with the SDK standing still."""
    recording, seen = recorded.middleware[-1], list[Any]()
    assert isinstance(recording, anthropic.Middleware)

    def spy(request: anthropic.APIRequest, call_next: anthropic.CallNext) -> Any:
        seen[:] = [request, call_next(request)]
        return seen[1]

    recorded.with_options(middleware=[spy]).messages.create(**ASK)
    took = []
    for _ in range(times):
        started = time.perf_counter()
        call = Call(2)
        token = CALL.set(call)
        recording.handle(seen[0], lambda request: seen[1])
        CALL.reset(token)
        call.returned()
        took.append(time.perf_counter() - started)
    return median(took)


class _Stalled(Stream):
    def __init__(self) -> None:
        self.go = threading.Event()

    def send(self, lines: Sequence[bytes]) -> int:
        """See `Sink.send`."""
        self.go.wait()
        return len(lines)


def _stalled(lines: int) -> int:
    """How many of so many lines are held while the sink takes none."""
    sink = _Stalled()
    log = Log(sink)
    for number in range(lines):
        log.write({"kind": "call", "started_at": 1795341600.0, "call_id": f"{number:016x}", "attempts": 1,
                   "latency_ms": 1.0, "wait_ms": 0.0, "is_failed": False, "model": "claude-sonnet-5-5"})  # fmt: skip
    held = lines - log.dropped
    sink.go.set()
    log.flush()
    return held
