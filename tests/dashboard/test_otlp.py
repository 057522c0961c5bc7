"""OTLP over HTTP with the exporter that applications use, against a server that is killed in the middle."""

import contextlib
import gzip
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

from dashboard.bearer import OTLP
from ingest import store
from tests.ingest.loading import opened

CANARY = "CANARY-PROMPT-TEXT"
COMMAND = [sys.executable, "-c", "from dashboard.cli import main; main()"]


def wait_for(is_so: Callable[[], Any], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, what
        threading.Event().wait(0.05)


class Server:
    """`outlay serve --otlp` on one port, over deaths and restarts."""

    def __init__(self, home: Path, log: Path, *options: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.home, self.log, self._options = home, log, options
        self.url = f"http://127.0.0.1:{self._port}"
        self.start()

    def start(self) -> None:
        command = [*COMMAND, "--home", str(self.home), "serve", "--port", str(self._port), *self._options]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_for(self._is_well, "the server starts")

    def _is_well(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
        return False

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=60)

    def post(self, path: str, body: bytes, **headers: str) -> tuple[int, bytes, Any]:
        request = urllib.request.Request(
            self.url + path, body, {name.replace("_", "-"): value for name, value in headers.items()}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read(), answer.headers
        except urllib.error.HTTPError as error:
            return error.code, error.read(), error.headers


@pytest.fixture
def token(home: Path) -> str:
    return OTLP.make(home)


@pytest.fixture
def otlp(home: Path, token: str, tmp_path: Path) -> Iterator[Server]:
    server = Server(home, tmp_path / "log", "--otlp")
    yield server
    server.stop()


def span(number: int, **attributes: Any) -> dict[str, Any]:
    """A span as the Anthropic SDK writes it, in OTLP/JSON: 60 input tokens, 50 of them read from the cache."""
    told = {
        "gen_ai.response.model": "claude-opus-5-5",
        "gen_ai.usage.input_tokens": 60,
        "gen_ai.usage.cache_read.input_tokens": 50,
        "gen_ai.usage.output_tokens": 7,
        **attributes,
    }
    start = time.time_ns() - 10**9
    return {
        "traceId": f"{number:032x}",
        "spanId": f"{number:016x}",
        "name": "anthropic.messages.create",
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 10**9),
        "attributes": [
            {"key": name, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
            for name, value in told.items()
        ],
    }


def export(*spans: dict[str, Any]) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}).encode()


def stored(home: Path) -> list[tuple[str, int]]:
    """The event id of every stored attempt, and its uncached input."""
    with opened(home) as con:
        store.fold(con, home)
        return con.execute("select event_id, uncached_input_tokens from store.attempts order by 1").fetchall()


def test_nothing_is_lost_or_doubled_while_the_server_is_killed_and_started_again(home, token, tmp_path):
    results: list[SpanExportResult] = []

    class Counted(OTLPSpanExporter):
        def export(self, spans):
            for _ in range(5):  # each gives up after a minute, which a busy machine needs to start a server
                result = super().export(spans)
                if result is SpanExportResult.SUCCESS:
                    break
            results.append(result)
            return result

    server = Server(home, tmp_path / "log", "--otlp")
    provider = TracerProvider()
    for compression in (Compression.NoCompression, Compression.Gzip):  # each span is told twice, by two exporters
        exporter = Counted(f"{server.url}/v1/traces", headers={"authorization": f"Bearer {token}"}, timeout=120,
                           compression=compression)  # fmt: skip
        provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=50, max_export_batch_size=20))
    tracer = provider.get_tracer("com.anthropic.sdk.python")
    made: set[str] = set()

    def call() -> None:
        with tracer.start_as_current_span("anthropic.messages.create") as current:
            current.set_attribute("gen_ai.request.model", "claude-opus-5-5")
            current.set_attribute("gen_ai.usage.input_tokens", 60)
            current.set_attribute("gen_ai.usage.cache_read.input_tokens", 50)
            current.set_attribute("gen_ai.usage.output_tokens", 7)
            current.set_attribute("gen_ai.input.messages", CANARY)
            context = current.get_span_context()
            made.add(f"{context.trace_id:032x}/{context.span_id:016x}")

    for _ in range(3):
        answered = len(results)
        for _ in range(100):
            call()
        wait_for(lambda answered=answered: len(results) > answered + 1, "some are acknowledged")
        server.kill()
        for _ in range(50):
            call()
        server.start()
    assert provider.force_flush(120_000)
    provider.shutdown()
    server.stop()
    assert set(results) == {SpanExportResult.SUCCESS}
    assert not list((home / "spool").glob("*.arrow")), "what was acknowledged has landed"
    assert len(made) == 450
    assert stored(home) == [(event_id, 10) for event_id in sorted(made)]
    assert token not in server.log.read_text()
    for path in home.rglob("*"):
        assert not path.is_file() or CANARY.encode() not in path.read_bytes(), path


def test_answers_are_as_the_protocol_has_them(otlp, token, home):
    bearer = {"authorization": f"Bearer {token}"}
    as_json, as_protobuf = (
        bearer | {"content_type": "application/json"},
        bearer | {"content_type": "application/x-protobuf"},
    )

    status, body, headers = otlp.post("/v1/traces", export(span(1)), **as_json)
    assert (status, json.loads(body)) == (200, {}) and headers["content-type"] == "application/json"

    request = ExportTraceServiceRequest()
    added = request.resource_spans.add().scope_spans.add().spans.add(
        trace_id=bytes(15) + b"\x02", span_id=bytes(7) + b"\x02", start_time_unix_nano=time.time_ns())  # fmt: skip
    for name, value in (("gen_ai.usage.input_tokens", 60), ("gen_ai.usage.output_tokens", 7)):
        added.attributes.add(key=name).value.int_value = value
    added.attributes.add(key="gen_ai.request.model").value.string_value = "claude-opus-5-5"
    for encoding, pack in (("gzip", gzip.compress), ("deflate", zlib.compress)):
        sent = otlp.post("/v1/traces", pack(request.SerializeToString()), content_encoding=encoding, **as_protobuf)
        assert sent[:2] == (200, b""), "an ExportTraceServiceResponse without a word is success"

    refused = span(3, **{"gen_ai.usage.input_tokens": 10})  # fewer than the 50 that were read from the cache
    status, body, _ = otlp.post("/v1/traces", export(span(4), refused), **as_json)
    told = json.loads(body)["partialSuccess"]
    assert status == 200 and told["rejectedSpans"] == "1" and "less than the cached tokens" in told["errorMessage"]

    status, body, _ = otlp.post("/v1/metrics", b"", **as_json)
    assert status == 200 and "metrics are not kept" in json.loads(body)["partialSuccess"]["errorMessage"]
    assert otlp.post("/v1/traces", b"{}", **as_json)[:2] == (200, b"{}")

    for body, more, expected, sentence in (
        (b"no json", {}, 400, "cannot be read"),
        (b"[" * 100_000, {}, 400, "cannot be read"),
        (gzip.compress(export(span(5)))[:-9], {"content_encoding": "gzip"}, 400, "cut short"),
        (gzip.compress(b" " * (100 << 20)), {"content_encoding": "gzip"}, 413, "unpacked"),
        (b" " * (17 << 20), {}, 413, "under 16 MB"),
        (export(span(5)), {"content_encoding": "br"}, 415, "gzip"),
        (export(span(5)), {"authorization": "Bearer wrong"}, 401, "token"),
    ):
        status, said, headers = otlp.post("/v1/traces", body, **(as_json | more))
        assert status == expected and sentence in json.loads(said)["message"], said
    status, said, _ = otlp.post("/v1/traces", b"\xff\xff", **as_protobuf)
    assert status == 400 and "ExportTraceServiceRequest" in Status.FromString(said).message

    otlp.stop()
    assert [event_id[-1] for event_id, _ in stored(home)] == ["1", "2", "4"]


def test_many_small_exports_become_few_loads(otlp, token, home):
    headers = {"authorization": f"Bearer {token}", "content_type": "application/json"}
    answers: list[int] = []

    def send(first: int) -> None:
        for number in range(first, first + 25):
            answers.append(otlp.post("/v1/traces", export(span(number)), **headers)[0])

    threads = [threading.Thread(target=send, args=(1 + 25 * n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 200
    otlp.stop()
    assert len(stored(home)) == 200
    loads = list((home / "archive").iterdir())
    assert len(loads) <= 20, "each load lands after as many seconds as there were loads before it"


def test_off_it_says_so_and_an_exporter_keeps_what_it_has(home, token, tmp_path):
    server = Server(home, tmp_path / "log")
    try:
        status, said, _ = server.post("/v1/traces", export(span(1)), authorization=f"Bearer {token}",
                                      content_type="application/json")  # fmt: skip
    finally:
        server.stop()
    assert status == 404 and "outlay serve --otlp" in json.loads(said)["message"]


def test_a_token_is_shown_once_and_only_its_digest_is_kept(home):
    said = subprocess.run([*COMMAND, "--home", str(home), "otlp", "token"], capture_output=True, text=True, check=True)
    word = said.stdout.strip()
    assert re.fullmatch(r"[\w-]{43}", word)
    for path in home.rglob("*"):
        assert not path.is_file() or word not in path.read_text()
        assert path.is_dir() or path.stat().st_mode & 0o077 == 0
    assert OTLP.allows(home, f"Bearer {word}") and OTLP.allows(home, f"bearer  {word}")
    for wrong in ("", word, f"Basic {word}", "Bearer ", f"Bearer {word[:-1]}", f"Bearer {word}x"):
        assert not OTLP.allows(home, wrong)
    assert OTLP.make(home) != word and not OTLP.allows(home, f"Bearer {word}")


def test_without_a_token_or_with_a_weak_one_the_server_does_not_start(home):
    command = [*COMMAND, "--home", str(home), "serve", "--otlp"]
    for given, sentence in (("", "make one with `outlay otlp token`"), ("hunter2", "fewer than 20 characters")):
        said = subprocess.run(
            command, capture_output=True, text=True, env=os.environ | {"OUTLAY_OTLP_TOKEN": given}, timeout=60
        )
        assert said.returncode == 2 and sentence in said.stderr and "hunter2" not in said.stderr
