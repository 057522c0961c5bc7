"""The OTLP/HTTP routes beside the pages: /v1/traces, /v1/logs and /v1/metrics, as a standard exporter speaks to them.

Bodies go unread to a child process (`python -m ingest.receiver`), so that neither a crash nor a busy interpreter there
holds up the pages. An export is answered with 200 once its rows are on disk; until then its exporter keeps it and sends
it again.
"""

import asyncio
import contextlib
import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from dashboard.bearer import OTLP

BODY_BYTES = 16 << 20  # of one export, as it is sent
WAITING_BYTES = 64 << 20  # of all exports that wait for their answer
WAITING_EXPORTS = 512
RETRY_AFTER_SECONDS = 1
END_SECONDS = 30.0  # for the child to land what it has when the server stops

JSON, PROTOBUF = "application/json", "application/x-protobuf"

# The codes of google.rpc.Status for the HTTP statuses that are used here.
_CODES = {400: 3, 401: 16, 404: 5, 413: 8, 415: 3, 500: 13, 503: 14}


class _Refused(Exception):
    """An export that is not taken: its HTTP status, and why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Receiver:
    """Answers exporters. Off, it tells them so: an answer of 200 would make them forget what they have."""

    def __init__(self, home: Path, is_on: bool) -> None:
        """`start` has to be awaited before the first export."""
        self._home, self._is_on = home, is_on
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._waiting_bytes = 0
        self._child: subprocess.Popen[bytes] | None = None
        self._told: asyncio.StreamWriter | None = None
        self._watching: asyncio.Task[None] | None = None

    def routes(self) -> list[Route]:
        """One for each signal."""
        return [Route(f"/v1/{signal}", self._receive, methods=["POST"]) for signal in ("traces", "logs", "metrics")]

    async def start(self) -> None:
        """Start the child process, where the routes are on."""
        if self._is_on:
            self._watching = asyncio.create_task(self._keep_running())

    async def stop(self) -> None:
        """End the child process once it has landed what it has."""
        if self._watching:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
        if self._child and self._told:
            self._told.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                await run_in_threadpool(self._child.wait, END_SECONDS)

    async def _keep_running(self) -> None:
        """Run the child, take its answers, and start another when it dies: what it had not answered is sent again."""
        while True:
            # Not asyncio's: under uvloop its child would inherit the listening socket and keep a dead server's port.
            self._child = child = subprocess.Popen(
                [sys.executable, "-m", "ingest.receiver", "--home", str(self._home)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            said, self._told = await _streams(child)
            async for line in said:
                answer = json.loads(line)
                if (future := self._waiting.get(answer["id"])) and not future.done():
                    future.set_result(answer)
            self._told.close()
            died = {"status": 503, "message": "the process that reads exports has ended; another is started"}
            for future in self._waiting.values():
                if not future.done():
                    future.set_result(died)
            print(
                f"outlay: {died['message']} (status {await run_in_threadpool(child.wait)})", file=sys.stderr, flush=True
            )
            await asyncio.sleep(RETRY_AFTER_SECONDS)

    async def _receive(self, request: Request) -> Response:
        signal = request.url.path.rpartition("/")[2]
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            answer = await self._answer(request, signal, kind)
        except _Refused as refused:
            return _refusal(refused, kind)
        except ClientDisconnect:
            return Response(status_code=400)
        return _encoded(_response(signal, answer), kind)

    async def _answer(self, request: Request, signal: str, kind: str) -> dict[str, Any]:
        """What became of an export. Raises `_Refused`."""
        if not self._is_on:
            raise _Refused(404, "this server takes no OTLP; start it with `outlay serve --otlp`")
        if not OTLP.allows(self._home, request.headers.get("authorization", "")):
            raise _Refused(401, "the Authorization header has to carry the token: Bearer …")
        encoding = request.headers.get("content-encoding", "identity").strip().lower()
        if kind not in (JSON, PROTOBUF) or encoding not in ("identity", "gzip", "deflate"):
            raise _Refused(415, f"send {PROTOBUF} or {JSON}, plain or as gzip or deflate")
        body = bytearray()
        try:
            async for block in request.stream():
                body += block
                self._waiting_bytes += len(block)
                if len(body) > BODY_BYTES:
                    raise _Refused(413, f"an export has to be under {BODY_BYTES >> 20} MB; send fewer spans at a time")
                if self._waiting_bytes > WAITING_BYTES or len(self._waiting) >= WAITING_EXPORTS:
                    raise _Refused(503, "too many exports are waiting; send this one again")
            if signal == "metrics":
                return {"refused": 0, "message": "Outlay reads traces and logs; metrics are not kept"}
            return await self._ask({"signal": signal, "is_json": kind == JSON}, encoding, bytes(body))
        finally:
            self._waiting_bytes -= len(body)

    async def _ask(self, about: dict[str, Any], encoding: str, body: bytes) -> dict[str, Any]:
        if not self._told or self._told.is_closing():
            raise _Refused(503, "the process that reads exports is being started; send this one again")
        number = next(self._ids)
        header = {"id": number, "encoding": "" if encoding == "identity" else encoding, "bytes": len(body), **about}
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            self._told.write(json.dumps(header).encode() + b"\n" + body)
            await self._told.drain()
            answer = await future
        except ConnectionError as error:
            raise _Refused(503, "the process that reads exports has ended; send this one again") from error
        finally:
            del self._waiting[number]
        if answer["status"] != 200:
            raise _Refused(answer["status"], answer["message"])
        return answer


async def _streams(child: subprocess.Popen[bytes]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """What a child says, and what it is told, without a thread that waits."""
    loop = asyncio.get_running_loop()
    said = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(said), child.stdout)
    transport, protocol = await loop.connect_write_pipe(
        lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), child.stdin
    )
    return said, asyncio.StreamWriter(transport, protocol, None, loop)


def _response(signal: str, answer: dict[str, Any]) -> Message:
    """Success, in full or but for some records, as OTLP says it."""
    refused, message = answer["refused"], answer["message"]
    if signal == "traces":
        traces = ExportTraceServiceResponse()
        if message:
            traces.partial_success.rejected_spans, traces.partial_success.error_message = refused, message
        return traces
    if signal == "logs":
        logs = ExportLogsServiceResponse()
        if message:
            logs.partial_success.rejected_log_records, logs.partial_success.error_message = refused, message
        return logs
    metrics = ExportMetricsServiceResponse()
    metrics.partial_success.error_message = message
    return metrics


def _refusal(refused: _Refused, kind: str) -> Response:
    """An error as OTLP says it: a google.rpc.Status in the encoding of the request."""
    response = _encoded(Status(code=_CODES[refused.status], message=str(refused)), kind)
    response.status_code = refused.status
    if refused.status == 503:
        response.headers["retry-after"] = str(RETRY_AFTER_SECONDS)
    if refused.status == 401:
        response.headers["www-authenticate"] = "Bearer"
    return response


def _encoded(message: Message, kind: str) -> Response:
    if kind == PROTOBUF:
        return Response(message.SerializeToString(), media_type=PROTOBUF)
    return Response(MessageToJson(message, indent=None), media_type=JSON)
