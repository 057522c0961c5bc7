"""What is left of an offered rate of calls when they are recorded: several processes, one server, open loop.

Every caller calls on a timetable, and at once when it is late. What a process gets done is what it offers as long as it
keeps up: then a loss can only come from the recorder. Where the machine cannot make so many calls even without the
recorder, the table says so and goes on to a lower rate.
"""

import asyncio
import multiprocessing
import re
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from statistics import median

import anthropic
import outlay_recorder

from benchmarks.recorder import ANSWER, ASK, HEAD, PAUSE

PROCESSES, CALLERS = 4, 75  # callers of each; 300 in all can have 1,500 calls a second answered after 0.2 s
RATES = (1_000, 750, 500, 250, 125)  # calls a second; compared at the first that is kept up without the recorder
WARM, SECONDS, ROUNDS = 1.0, 4.0, 3
KEPT_UP = 0.99  # of what was offered
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_RESPONSE = b"".join([
    b"HTTP/1.1 200 OK\r\n",
    *(f"{name}: {value}\r\n".encode() for name, value in HEAD.items()),
    b"content-length: %d\r\n\r\n" % len(ANSWER), ANSWER,
])  # fmt: skip

_begin: Barrier
_clients: dict[str, anthropic.Anthropic] = {}


class _Connection(asyncio.Protocol):
    """Answers each request PAUSE seconds after its last byte, the same to all: some 20 µs of work."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._heard = transport, b""

    def data_received(self, data: bytes) -> None:
        self._heard += data
        head, end, body = self._heard.partition(b"\r\n\r\n")
        if end and (length := _LENGTH.search(head)) and len(body) >= int(length[1]):
            self._heard = b""
            asyncio.get_running_loop().call_later(PAUSE, self._transport.write, _RESPONSE)


def _serve(port: Connection) -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", 0, backlog=1_000)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


def _prepare(begin: Barrier, port: int, folder: str) -> None:
    """In each process of callers: a client without the recorder and one with it."""
    global _begin
    _begin = begin
    _clients["plain"] = anthropic.Anthropic(api_key="k", base_url=f"http://127.0.0.1:{port}", max_retries=0)
    _clients["recorded"] = outlay_recorder.record(_clients["plain"], Path(folder) / "claude.jsonl", feature="bench")


def _call(name: str, rate: float) -> tuple[int, float]:
    """Calls answered within SECONDS of those offered at `rate` a second, and processor seconds of a call."""
    client, every = _clients[name], CALLERS / rate
    answered = [0] * CALLERS
    _begin.wait()
    began = time.monotonic()
    opens, closes = began + WARM, began + WARM + SECONDS

    def call(caller: int) -> None:
        due = began + every * caller / CALLERS
        while due < closes:
            time.sleep(max(due - time.monotonic(), 0))
            client.messages.create(**ASK)
            answered[caller] += opens <= time.monotonic() < closes
            due += every

    threads = [threading.Thread(target=call, args=(caller,)) for caller in range(CALLERS)]
    for thread in threads:
        thread.start()
    time.sleep(max(opens - time.monotonic(), 0))
    busy = time.process_time()
    time.sleep(max(closes - time.monotonic(), 0))
    busy = time.process_time() - busy
    for thread in threads:
        thread.join(5)
    outlay_recorder.flush()
    return sum(answered), busy / max(sum(answered), 1)


def run() -> None:
    """Print the table, from the highest rate down to the one that is kept up."""
    print("\nThe recorder at an offered rate; medians\n\n| what | figure |\n|---|---|")
    for what, figure in _rows():
        print(f"| {what} | {figure} |")


def _rows() -> list[tuple[str, str]]:
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    server = spawning.Process(target=_serve, args=(theirs,), daemon=True)
    server.start()
    told: list[tuple[str, str]] = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            prepared = (spawning.Barrier(PROCESSES), ours.recv(), folder)
            with ProcessPoolExecutor(PROCESSES, spawning, _prepare, prepared) as pool:
                for rate in RATES:
                    if (made := _run(pool, "plain", rate)[0]) >= rate * KEPT_UP:
                        return told + _compared(pool, rate)
                    told.append((f"{_offered(rate)}, without the recorder: not kept up", f"{made:.1f} calls/s"))
    finally:
        server.terminate()
    return told


def _run(pool: ProcessPoolExecutor, name: str, rate: int) -> tuple[float, float]:
    """Calls a second of all processes together, and the median processor seconds of a call."""
    done = [pool.submit(_call, name, rate / PROCESSES) for _ in range(PROCESSES)]
    counts = [one.result() for one in done]
    return sum(answered for answered, _ in counts) / SECONDS, median(busy for _, busy in counts)


def _compared(pool: ProcessPoolExecutor, rate: int) -> list[tuple[str, str]]:
    """The lines for one offered rate, without and with the recorder in turns."""
    got: dict[str, list[tuple[float, float]]] = {"plain": [], "recorded": []}
    for turn in range(ROUNDS):
        for name in sorted(got, reverse=turn % 2 == 1):
            got[name].append(_run(pool, name, rate))
    plain, recorded = (median(calls for calls, _ in runs) for runs in got.values())
    lost = median(r / p - 1 for (p, _), (r, _) in zip(got["plain"], got["recorded"], strict=True))
    busy, more = (median(seconds for _, seconds in runs) * 1e6 for runs in got.values())
    return [
        (f"{_offered(rate)}, without the recorder", f"{plain:.1f} calls/s"),
        ("the same with it", f"{recorded:.1f} calls/s, {lost:+.2%}"),
        ("processor time of a call there, without and with it", f"{busy:.0f} µs, {more:.0f} µs"),
    ]


def _offered(rate: int) -> str:
    return f"{rate:,} calls/s offered by {PROCESSES} processes to a server that answers after {PAUSE:g} s"
