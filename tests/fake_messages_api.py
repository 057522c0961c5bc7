"""A Messages API on this machine that does what it is told: answer, fail, time out, break off.

Each call takes the next `Turn` of the script; after the last one every call is answered. What was sent is kept.
"""

import base64
import binascii
import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USAGE = {
    "input_tokens": 40,
    "cache_creation_input_tokens": 300,
    "cache_read_input_tokens": 9000,
    "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
    "output_tokens": 120,
    "output_tokens_details": {"thinking_tokens": 30},
    "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 0},
    "service_tier": "standard",
    "inference_geo": "global",
    "speed": "standard",
}
ERRORS = {
    400: "invalid_request_error", 401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error",
    500: "api_error", 529: "overloaded_error",
}  # fmt: skip
LIMITS = {
    "anthropic-ratelimit-requests-limit": "50",
    "anthropic-ratelimit-requests-remaining": "49",
    "anthropic-ratelimit-input-tokens-limit": "40000",
    "anthropic-ratelimit-input-tokens-remaining": "10000",
}


@dataclass(frozen=True)
class Turn:
    """What to do with one request."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    error_code: str | None = None
    hang: bool = False  # no answer at all until the client goes away
    drop: bool = False  # the connection closes without an answer
    cut_after: int | None = None  # the stream breaks off after so many events
    error_event: str | None = None  # the stream ends with an error event of this type
    first_token_after: float = 0.0  # seconds between the head of the stream and its first token
    stop_reason: str = "end_turn"
    text: str = "An answer."


class FakeMessagesApi:
    """The server: its address, its script, and the requests it has seen."""

    def __init__(self, *turns: Turn) -> None:
        self.script = list(turns)
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.gone = threading.Event()
        self.lock = threading.Lock()
        self.batch_results = ""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        self.gone.set()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def fake_messages_api(*turns: Turn) -> Iterator[FakeMessagesApi]:
    api = FakeMessagesApi(*turns)
    try:
        yield api
    finally:
        api.stop()


def message(number: int, model: str, turn: Turn) -> dict[str, Any]:
    content: list[dict[str, Any]] = [{"type": "text", "text": turn.text}]
    if turn.stop_reason == "tool_use":
        content.append({"type": "tool_use", "id": f"toolu_{number}", "name": "look_up", "input": {}})
    return {
        "id": f"msg_{number}", "type": "message", "role": "assistant", "model": model,
        "content": content, "stop_reason": turn.stop_reason, "stop_sequence": None,
        "usage": USAGE,
    }  # fmt: skip


def events(number: int, model: str, turn: Turn) -> list[dict[str, Any]]:
    begun = message(number, model, turn) | {"content": [], "stop_reason": None, "usage": USAGE | {"output_tokens": 1}}
    told = {name: USAGE[name] for name in ("output_tokens", "output_tokens_details", "input_tokens")}
    return [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
          for piece in turn.text.split(" ")),
        {"type": "content_block_stop", "index": 0},
        *(event for block in message(number, model, turn)["content"][1:] for event in (
            {"type": "content_block_start", "index": 1, "content_block": block},
            {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "{}"}},
            {"type": "content_block_stop", "index": 1},
        )),
        {"type": "message_delta", "delta": {"stop_reason": turn.stop_reason, "stop_sequence": None}, "usage": told},
        {"type": "message_stop"},
    ]  # fmt: skip


def server_sent(event: dict[str, Any]) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def aws_frame(event: dict[str, Any]) -> bytes:
    body = json.dumps({"bytes": base64.b64encode(json.dumps(event).encode()).decode()}).encode()
    headers = b"".join(
        bytes([len(name)]) + name + b"\x07" + struct.pack(">H", len(value)) + value
        for name, value in (
            (b":event-type", b"chunk"),
            (b":content-type", b"application/json"),
            (b":message-type", b"event"),
        )
    )
    prelude = struct.pack(">II", 16 + len(headers) + len(body), len(headers))
    whole = prelude + struct.pack(">I", binascii.crc32(prelude)) + headers + body
    return whole + struct.pack(">I", binascii.crc32(whole))


def _handler(api: FakeMessagesApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet for the head and the body

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def setup(self) -> None:
            super().setup()
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def do_GET(self) -> None:
            if self.path.endswith("/results"):
                return self._answer(200, {"content-type": "application/x-jsonl"}, api.batch_results.encode())
            batch = self.path.rpartition("/")[2]
            self._json(200, {}, {"id": batch, "type": "message_batch", "processing_status": "ended",
                                 "results_url": f"{api.url}/v1/messages/batches/{batch}/results"})  # fmt: skip

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))
            with api.lock:
                api.requests.append((self.path, dict(self.headers.items()), body))
                number = len(api.requests)
                turn = api.script.pop(0) if api.script else Turn()
            if turn.hang:
                api.gone.wait()
            if turn.hang or turn.drop:
                self.close_connection = True
                return
            head = {"request-id": f"req_{number}"} | LIMITS | turn.headers
            if turn.status != 200:
                details = {"error_code": turn.error_code} if turn.error_code else None
                error = {"type": ERRORS.get(turn.status, "api_error"), "message": "CANARY", "details": details}
                return self._json(turn.status, head, {"type": "error", "error": error, "request_id": f"req_{number}"})
            model = body.get("model") or self.path.split("/")[2]
            is_aws = "invoke-with-response-stream" in self.path
            if is_aws or body.get("stream") or "streamRawPredict" in self.path:
                return self._stream(head, events(number, model, turn), turn, is_aws)
            self._json(200, head, message(number, model, turn))

        def _json(self, status: int, headers: dict[str, str], body: dict[str, Any]) -> None:
            self._answer(status, {"content-type": "application/json"} | headers, json.dumps(body).encode())

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _stream(self, head: dict[str, str], told: list[dict[str, Any]], turn: Turn, is_aws: bool) -> None:
            self.send_response(200)
            kind = "application/vnd.amazon.eventstream" if is_aws else "text/event-stream"
            for name, value in ({"content-type": kind, "transfer-encoding": "chunked"} | head).items():
                self.send_header(name, value)
            self.end_headers()
            if turn.error_event:
                told = [*told[:3], {"type": "error", "error": {"type": turn.error_event, "message": "CANARY"}}]
            for number, event in enumerate(told):
                if number == turn.cut_after:
                    break
                if event["type"] == "content_block_delta" and turn.first_token_after:
                    self.wfile.flush()
                    api.gone.wait(turn.first_token_after)
                    turn = Turn()
                piece = aws_frame(event) if is_aws else server_sent(event)
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")

    return Handler
