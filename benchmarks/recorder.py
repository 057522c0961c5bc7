"""What the recorder costs the application: time per attempt, throughput, memory under a stalled sink, import time.

Answers come from memory, so that nothing but the SDK and the recorder is timed. Throughput is what callers get who
wait for their answers; where they wait for nothing, the share of processor time says what a busy core loses.
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
CALLERS, PAUSE = 40, 0.2  # a short answer of a small model; at 0.2 s these make up to 200 calls a second
IMPORT = "import time, anthropic; t = time.process_time(); import outlay_recorder; print(time.process_time() - t)"


class _Empty(anthropic.Middleware):
    """What the SDK itself takes for having any middleware at all."""

    def handle(self, request: anthropic.APIRequest, call_next: anthropic.CallNext) -> Any:
        return call_next(request)


def run(calls: int = 3_000, rounds: int = 7) -> None:
    """Print the table. The clients take turns call by call, so that what else the machine does meets all alike.

    Processor time is the thread's own, which a busy machine stretches less than the clock on the wall.
    """
    with tempfile.TemporaryDirectory() as folder:
        clients = _clients(folder, pause=0.0)
        wall, busy = _turns(clients, calls)
        cpu = [[_processor(clients[name], 100) for name in ("plain", "recorded")] for _ in range(calls // 100)]
        waiting = _clients(folder, pause=PAUSE)
        rates = [[_per_second(waiting[name]) for name in ("plain", "recorded")] for _ in range(rounds)]
        outlay_recorder.flush()
    added = {name: _added(busy, name) * 1e6 for name in ("plain", "empty")}
    added_cpu_us = median(recorded - plain for plain, recorded in cpu) * 1e6
    plain_cpu_us = median(plain for plain, _ in cpu) * 1e6
    lost = median(recorded / plain - 1 for plain, recorded in rates)
    plain_rate = median(plain for plain, _ in rates)
    before = peak_megabytes()
    held = _stalled(100_000)
    grown = peak_megabytes() - before
    cached = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    imports = [
        float(subprocess.run([sys.executable, "-c", IMPORT], env=cached, capture_output=True, check=True).stdout)
        for _ in range(6)
    ][1:]
    print(f"\nThe recorder, {calls:,} calls each way; medians\n\n| what | figure |\n|---|---|")
    print(f"| processor time of a call's own thread, without the recorder | {median(busy['plain']) * 1e6:.0f} µs |")
    print(f"| added to it by the recorder | {added['empty']:.0f} µs |")
    print(f"| added to it, the SDK's own way through any middleware included | {added['plain']:.0f} µs |")
    print(f"| added on the wall, the same included | {_added(wall, 'plain') * 1e6:.0f} µs |")
    print(f"| processor time added to a call, the writer's thread included | {added_cpu_us:.0f} µs |")
    print(f"| the same, of what a call takes without it | {added_cpu_us / plain_cpu_us:.0%} |")
    print(f"| {CALLERS} callers, answers after {PAUSE:g} s, without the recorder | {plain_rate:.1f} calls/s |")
    print(f"| the same with it | {median(recorded for _, recorded in rates):.1f} calls/s, {lost:+.2%} |")
    print(f"| lines held of 100,000 under a stalled sink | {held:,} |")
    print(f"| memory for them | {grown:.0f} MB |")
    print(f"| processor time of the import, beyond the SDK | {median(imports) * 1e3:.0f} ms |")


def _clients(folder: str, pause: float) -> dict[str, anthropic.Anthropic]:
    """Three clients of one server in memory, which answers after so many seconds."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        if pause:
            time.sleep(pause)
        return httpx2.Response(200, headers=HEAD, content=ANSWER)

    plain = anthropic.Anthropic(api_key="k", http_client=httpx2.Client(transport=httpx2.MockTransport(answer)))
    recorded = outlay_recorder.record(plain, Path(folder) / "claude.jsonl", feature="bench")
    return {"plain": plain, "empty": plain.with_options(middleware=[_Empty()]), "recorded": recorded}


def _turns(
    clients: dict[str, anthropic.Anthropic], calls: int
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Seconds on the wall, and of the thread's processor time, of each call of each client."""
    wall: dict[str, list[float]] = {name: [] for name in clients}
    busy: dict[str, list[float]] = {name: [] for name in clients}
    for number in range(calls + calls // 10):
        for name, client in clients.items():
            started, began = time.perf_counter(), time.thread_time()
            client.messages.create(**ASK)
            if number >= calls // 10:  # the first are for warming up
                wall[name].append(time.perf_counter() - started)
                busy[name].append(time.thread_time() - began)
    return wall, busy


def _added(times: dict[str, list[float]], to: str) -> float:
    """Median seconds by which a recorded call takes longer than the one beside it."""
    return median(with_it - without for with_it, without in zip(times["recorded"], times[to], strict=True))


def _processor(client: anthropic.Anthropic, calls: int) -> float:
    """Processor seconds of a call, with whatever runs beside."""
    began = time.process_time()
    for _ in range(calls):
        client.messages.create(**ASK)
    outlay_recorder.flush()
    return (time.process_time() - began) / calls


def _per_second(client: anthropic.Anthropic, seconds: float = 3.0) -> float:
    """Calls a second of CALLERS threads, each of which calls again as soon as it has its answer."""
    done, until = [0] * CALLERS, time.monotonic() + seconds

    def call(caller: int) -> None:
        while time.monotonic() < until:
            client.messages.create(**ASK)
            done[caller] += 1

    threads = [threading.Thread(target=call, args=(caller,)) for caller in range(CALLERS)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.monotonic() - began)


class _Stalled(Stream):
    def __init__(self) -> None:
        self.go, self.taken = threading.Event(), 0

    def send(self, lines: Sequence[bytes]) -> int:
        """See `Sink.send`."""
        self.go.wait()
        self.taken += len(lines)
        return len(lines)


def _stalled(lines: int) -> int:
    """How many of so many lines are held while the sink takes none."""
    sink = _Stalled()
    log = Log(sink)
    for number in range(lines):
        call = {"kind": "call", "started_at": "2026-11-22T10:00:00.000000Z", "call_id": f"{number:016x}"}
        log.write(call | {"attempts": 1, "latency_ms": 1.0, "wait_ms": 0.0, "is_failed": False})
    sink.go.set()
    log.flush()
    return sink.taken
