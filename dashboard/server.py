"""One process: the pages, the routes beside them, and the gate in front of everything."""

import asyncio
import contextlib
import gc
import json
import os
import secrets
import sys
import time
import tomllib
import traceback
import webbrowser
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import streamlit as st
import uvicorn
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard import judging, monitoring, upload_routes, uploads
from dashboard.alerts.evaluation import sight
from dashboard.alerts.watching import keep_watching
from dashboard.ask import sql as ask_sql
from dashboard.gate import Gate
from dashboard.login import acting
from dashboard.login import routes as login_routes
from dashboard.login.openid import OpenId
from dashboard.login.users import User
from dashboard.login.ways import LOCAL, Loopback, Way
from dashboard.otlp import Receiver
from dashboard.owner import Address, Owner, QueryRefused, filters_from, plain
from dashboard.shares import routes as share_routes
from dashboard.shares import snapshot

FOLD_EVERY_SECONDS = 1.0
REFRESH_EVERY_SECONDS = 60.0


def serve(
    home: Path, host: str, port: int, open_browser: bool, otlp: bool, way: Way | None = None, url: str = ""
) -> None:
    """Serve the pages, and exporters where `otlp` is set, until the process is stopped.

    way: how those who ask are known; without one, everybody who can ask may do everything. url: where browsers reach
    the server, if it is not on this machine. Raises `ingest.store.StoreBusy` if the home is in use.
    """
    from dashboard import data
    from dashboard.ask import view as ask_view

    way = way or Loopback()
    os.environ["FORWARDED_ALLOW_IPS"] = ""  # who asks is who opened the connection, whatever a header says
    acting.serve_from(lambda: _reader(way))
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
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    address = Address.new(f"http://{f'[{near}]' if ':' in near else near}:{port}")

    @contextlib.asynccontextmanager
    async def life(app: st.App) -> AsyncIterator[None]:
        address.write(home)
        folding = asyncio.create_task(_keep_folding(owner, sent))
        judge.start()
        watching = asyncio.create_task(keep_watching(home, sight(home, owner.read, _known_signals)))
        refreshing = asyncio.create_task(_keep_refreshing(owner))
        await receiver.start()
        _leave_alone_what_stays()
        if open_browser:
            asyncio.get_running_loop().call_later(0.5, webbrowser.open, address.url)
        try:
            yield
        finally:
            folding.cancel()
            watching.cancel()
            refreshing.cancel()
            await receiver.stop()
            await run_in_threadpool(sent.close)
            await run_in_threadpool(judge.close)
            (home / "server.json").unlink(missing_ok=True)

    app = st.App(
        str(files("dashboard") / "app.py"),
        lifespan=life,
        on_script_error=_apologise,
        routes=[
            *_routes(owner, address),
            monitoring.route(owner, way),
            *receiver.routes(),
            *upload_routes.routes(sent),
            *share_routes.routes(home),
            *login_routes.routes(home, way),
        ],
        middleware=[
            Middleware(Gate, hosts=_hosts(host, port, url), way=way),
            Middleware(GZipMiddleware, minimum_size=1024),
        ],
    )
    # Nobody needs to know what answers them; Streamlit has no setting for it.
    vars(uvicorn).update(Config=partial(uvicorn.Config, server_header=False))
    # Told what it is called, Streamlit does not ask a service on the internet for the address of this machine.
    name = urlsplit(url).hostname or host
    app.run(
        config=_config()
        | {"server.address": host, "server.port": port, "server.headless": True, "browser.serverAddress": name}
        | {"secrets.files": [str(way.secrets)] if isinstance(way, OpenId) else []}
    )


def _leave_alone_what_stays() -> None:
    """Spare the collector what is there for good, modules above all: looking through it takes a tenth of every page."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _known_signals(zone: str) -> tuple[Any, ...] | None:
    """What the judge has found on the clock of a zone; None before it has looked."""
    judged = judging.judged(zone)
    return judged.findings.signals if judged else None


def _apologise(error: Exception) -> bool:
    """What a reader sees of an error: its number, under which the server's log tells the rest."""
    if isinstance(error, acting.NotAllowed):
        st.error(f"Not changed: {error}.", icon=":material/lock:")
        return True
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


async def _keep_refreshing(owner: Owner) -> None:
    """Render shares anew when their schedule says so, and clear away what has ended."""
    while True:
        try:
            await run_in_threadpool(snapshot.refresh_due, owner.home, owner.read, datetime.now(UTC))
        except Exception as error:  # one that has no data just now: it stays as it is, and is tried again
            print(f"outlay: a share was not refreshed: {error}", file=sys.stderr, flush=True)
        await asyncio.sleep(REFRESH_EVERY_SECONDS)


def _routes(owner: Owner, address: Address) -> list[Route]:
    def is_trusted(request: Request) -> bool:
        said = request.headers.get("authorization", "")
        return secrets.compare_digest(said.encode(), f"Bearer {address.token}".encode())

    async def health(request: Request) -> Response:
        """A real query, so that a process whose store has died does not pass for well."""
        await run_in_threadpool(owner.query, "select count(*) from store.loads")
        return PlainTextResponse("ok")

    async def loads(request: Request) -> Response:
        if not is_trusted(request):
            return PlainTextResponse("", 404)
        try:
            reports = await run_in_threadpool(owner.reports, await request.json())
        except ValueError as error:
            return PlainTextResponse(str(error), 400)
        return Response(json.dumps(reports, default=plain), media_type="application/json")

    async def query(request: Request) -> Response:
        if not is_trusted(request):
            return PlainTextResponse("", 404)
        sql = (await request.body()).decode(errors="replace")
        try:
            return _arrow(await run_in_threadpool(owner.answer, sql))
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


def _hosts(host: str, port: int, url: str) -> frozenset[str]:
    """What a browser may call us: any other Host header is a page elsewhere posing as us."""
    told = {f"{name}:{port}" for name in ("localhost", "127.0.0.1", "[::1]", host)}
    return frozenset(told | {urlsplit(url).netloc} - {""})


def _reader(way: Way) -> User | None:
    """Who reads the page that runs in this thread; the machine itself where none runs."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return LOCAL
    told = {name.lower(): value for name, value in st.context.headers.items()}
    return way.who(told, st.context.ip_address or "127.0.0.1")
