"""One process: the pages, the routes beside them, and the gate in front of everything."""

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import re
import secrets
import sys
import time
import tomllib
import traceback
import webbrowser
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow as pa
import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dashboard import judging, upload_routes, uploads
from dashboard.alerts.evaluation import sight
from dashboard.alerts.watching import keep_watching
from dashboard.ask import sql as ask_sql
from dashboard.otlp import Receiver
from dashboard.owner import Address, Owner, QueryRefused, filters_from, plain

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

FOLD_EVERY_SECONDS = 1.0

# Answered by Streamlit to anybody who asks; nobody needs them here.
CLOSED = (
    "/_stcore/metrics",
    "/_stcore/agent",
    "/_stcore/allowed-message-origins-legacy",
    "/_stcore/upload_file",  # it holds whole files in memory, for anybody; dashboard/upload_routes.py does not
)


def serve(home: Path, host: str, port: int, open_browser: bool, otlp: bool) -> None:
    """Serve the pages, and exporters where `otlp` is set, until the process is stopped.

    Raises `ingest.store.StoreBusy` if the home is in use.
    """
    from dashboard import data
    from dashboard.ask import view as ask_view

    os.environ["OUTLAY_HOME"] = str(home)  # what pages keep beside the store goes to this home, wherever it was named
    owner = Owner(home)
    owner.fold()
    data.serve_from(owner.cursor)
    judge = judging.Judge(home, owner.cursor)
    judging.serve_from(judge)
    ask_view.serve_from(owner)
    sent = uploads.Uploads(owner)
    uploads.serve_from(sent)
    receiver = Receiver(home, otlp)
    address = Address.new(f"http://{f'[{host}]' if ':' in host else host}:{port}")

    @contextlib.asynccontextmanager
    async def life(app: st.App) -> AsyncIterator[None]:
        address.write(home)
        folding = asyncio.create_task(_keep_folding(owner, sent))
        judge.start()
        watching = asyncio.create_task(keep_watching(home, sight(home, owner.read, _known_signals)))
        await receiver.start()
        if open_browser:
            asyncio.get_running_loop().call_later(0.5, webbrowser.open, address.url)
        try:
            yield
        finally:
            folding.cancel()
            watching.cancel()
            await receiver.stop()
            await run_in_threadpool(sent.close)
            await run_in_threadpool(judge.close)
            (home / "server.json").unlink(missing_ok=True)

    app = st.App(
        str(files("dashboard") / "app.py"),
        lifespan=life,
        on_script_error=_apologise,
        routes=_routes(owner, address) + receiver.routes() + upload_routes.routes(sent),
        middleware=[Middleware(Gate, hosts=_hosts(host, port)), Middleware(GZipMiddleware, minimum_size=1024)],
    )
    app.run(config=_config() | {"server.address": host, "server.port": port, "server.headless": True})


def _known_signals(zone: str) -> tuple[Any, ...] | None:
    """What the judge has found on the clock of a zone; None before it has looked."""
    judged = judging.judged(zone)
    return judged.findings.signals if judged else None


def _apologise(error: Exception) -> bool:
    """What a reader sees of an error: its number, under which the server's log tells the rest."""
    number = secrets.token_hex(4)
    print(f"outlay: error {number}", *traceback.format_exception(error), file=sys.stderr, flush=True)
    st.error(
        f"This page could not be drawn. No data is lost. (Error {number} in the server's log.)", icon=":material/error:"
    )
    return True


async def _keep_folding(owner: Owner, sent: uploads.Uploads) -> None:
    """Fold what other processes land, and clear away what browsers have left behind."""
    while True:
        await asyncio.sleep(FOLD_EVERY_SECONDS)
        try:
            await run_in_threadpool(owner.fold_if_changed)
            await run_in_threadpool(sent.sweep, time.monotonic())
        except Exception as error:  # a full disk, say: the next time may go well
            print(f"outlay: folding failed: {error}", flush=True)


def _routes(owner: Owner, address: Address) -> list[Route]:
    def is_trusted(request: Request) -> bool:
        return secrets.compare_digest(request.headers.get("authorization", ""), f"Bearer {address.token}")

    async def health(request: Request) -> Response:
        """A real query, so that a process whose store has died does not pass for well."""
        await run_in_threadpool(owner.query, "select count(*) from store.loads")
        return PlainTextResponse("ok")

    async def loads(request: Request) -> Response:
        if not is_trusted(request):
            return PlainTextResponse("", 404)
        reports = await run_in_threadpool(owner.reports, await request.json())
        return Response(json.dumps(reports, default=plain), media_type="application/json")

    async def query(request: Request) -> Response:
        if not is_trusted(request):
            return PlainTextResponse("", 404)
        sql = (await request.body()).decode(errors="replace")
        try:
            return _arrow(await run_in_threadpool(owner.query, sql))
        except QueryRefused as refused:
            return PlainTextResponse(str(refused), 400)

    async def ask(request: Request) -> Response:
        if not is_trusted(request):
            return PlainTextResponse("", 404)
        sql = (await request.body()).decode(errors="replace")
        try:
            selected = await run_in_threadpool(owner.ask, sql)
        except ask_sql.Refused as refused:
            return _arrow(pa.table({}).replace_schema_metadata({"refusal": str(refused), "detail": refused.detail}))
        return _arrow(selected.table.replace_schema_metadata({"is_cut": str(selected.is_cut)}))

    async def read(request: Request) -> Response:
        if not is_trusted(request):
            return PlainTextResponse("", 404)
        try:
            question = await request.json()
            return _arrow(await run_in_threadpool(owner.read, question["metric"], filters_from(question["filters"])))
        except (KeyError, TypeError, ValueError) as error:
            return PlainTextResponse(str(error), 400)

    return [
        Route("/healthz", health),
        Route("/api/loads", loads, methods=["POST"]),
        Route("/api/query", query, methods=["POST"]),
        Route("/api/ask", ask, methods=["POST"]),
        Route("/api/read", read, methods=["POST"]),
    ]


def _arrow(table: pa.Table) -> Response:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return Response(sink.getvalue().to_pybytes(), media_type="application/vnd.apache.arrow.stream")


def _config() -> dict[str, Any]:
    """The settings of the pages, as the dotted names that Streamlit takes."""
    with files("dashboard").joinpath(".streamlit/config.toml").open("rb") as file:
        return dict(_dotted(tomllib.load(file)))


def _dotted(table: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    entries: list[tuple[str, Any]] = []
    for name, value in table.items():
        entries += _dotted(value, f"{prefix}{name}.") if isinstance(value, dict) else [(prefix + name, value)]
    return entries


def _hosts(host: str, port: int) -> frozenset[str]:
    """What a browser on this machine may call us: any other Host header is a page elsewhere posing as us."""
    return frozenset(f"{name}:{port}" for name in ("localhost", "127.0.0.1", "[::1]", host))


class Gate:
    """In front of every request and every WebSocket: whom we answer, and the headers that every answer carries."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], hosts: frozenset[str]) -> None:
        """`hosts`: the Host headers that are answered."""
        self._app, self._hosts = app, hosts
        policy = (
            f"default-src 'none'; script-src 'self' {_inline_scripts()}; style-src 'self' 'unsafe-inline'; "
            "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
            "manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
        )
        self._headers = [
            (b"content-security-policy", policy.encode()),
            (b"referrer-policy", b"no-referrer"),
            (b"x-content-type-options", b"nosniff"),
            (b"x-frame-options", b"DENY"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"x-robots-tag", b"noindex"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        if host not in self._hosts or scope["path"].startswith(CLOSED):
            if scope["type"] == "websocket":
                return await send({"type": "websocket.close", "code": 4403})
            return await PlainTextResponse("", 404)(scope, receive, send)

        async def send_with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                kept = [(name, value) for name, value in message["headers"] if name.lower() != b"server"]
                message = {**message, "headers": kept + self._headers}
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _inline_scripts() -> str:
    """The inline scripts of Streamlit's own page, allowed by their digests and by nothing else."""
    page = files("streamlit").joinpath("static/index.html").read_text(encoding="utf-8")
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    return " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts
    )
