"""In front of every request and every WebSocket: whom we answer, and the headers that every answer carries."""

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable, MutableMapping
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from dashboard.login.users import Role
from dashboard.login.ways import Way
from dashboard.small_pages import is_encrypted

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# Answered by Streamlit to anybody who asks; nobody needs them here.
CLOSED = (
    "/_stcore/metrics",
    "/_stcore/agent",
    "/_stcore/allowed-message-origins-legacy",
    "/_stcore/upload_file",  # it holds whole files in memory, for anybody; dashboard/upload_routes.py does not
)
# Answered without a login: each of these asks for a word of its own, or says nothing about the data. Methods are told
# since a route passes on what it does not take, to Streamlit in the end.
READING, SENDING, BOTH = ("GET", "HEAD"), ("POST",), ("GET", "HEAD", "POST")
PUBLIC = (
    dict.fromkeys(
        ("/healthz", "/login/provider", "/auth/login", "/auth/logout", "/oauth2callback", "/metrics"), READING
    )
    | dict.fromkeys(("/api/loads", "/api/query", "/api/ask", "/api/read"), SENDING)
    | dict.fromkeys(("/v1/traces", "/v1/logs", "/v1/metrics"), SENDING)
    | dict.fromkeys(("/login", "/logout"), BOTH)
)
PUBLIC_BELOW = {"/s/": BOTH, "/shared/": READING}
FOR_OPERATORS = ("/api/uploads",)


class Gate:
    """The gate, as ASGI middleware."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], hosts: frozenset[str], way: Way) -> None:
        """`hosts`: the Host headers that are answered. way: how those are known who ask for more than a share."""
        self._app, self._hosts, self._way = app, hosts, way
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
        if refusal := await self._refusal(scope):
            if scope["type"] == "websocket":
                return await send({"type": "websocket.close", "code": 4403})
            return await refusal(scope, receive, self._sending(scope, send))
        await self._app(scope, receive, self._sending(scope, send))

    def _is_ours(self, origin: str | None) -> bool:
        """Does a WebSocket come from a page of ours, or from no page at all?"""
        return origin is None or urlsplit(origin).netloc in self._hosts

    async def _refusal(self, scope: Scope) -> Response | None:
        """What is answered in place of what was asked for; None for whoever may have it."""
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:  # said twice is joined, and so is nobody's name
            told = headers.get(name.decode("latin-1"))
            headers[name.decode("latin-1")] = (f"{told}, " if told else "") + value.decode("latin-1")
        path: str = scope["path"]
        if headers.get("host", "") not in self._hosts or path.startswith(CLOSED):
            return PlainTextResponse("", 404)
        if scope["type"] == "websocket" and not self._is_ours(headers.get("origin")):
            return PlainTextResponse("", 403)
        if scope.get("method") in _public_methods(path):
            return None
        address = scope["client"][0] if scope.get("client") else ""
        user = await run_in_threadpool(self._way.who, headers, address)
        if user is None:
            is_page = scope.get("method") == "GET" and "text/html" in headers.get("accept", "")
            if self._way.entrance and is_page:
                return RedirectResponse(self._way.entrance, 303, headers={"Cache-Control": "no-store"})
            return PlainTextResponse("Log in first.", 401)
        if path.startswith(FOR_OPERATORS) and not user.role.may(Role.OPERATOR):
            return PlainTextResponse("This takes the role operator.", 403)
        return None

    def _sending(self, scope: Scope, send: Send) -> Send:
        async def send_with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                told = list(message["headers"])
                if scope["type"] == "http" and is_encrypted(Request(scope)):
                    told = [(name, _secure(value) if name.lower() == b"set-cookie" else value) for name, value in told]
                message = {**message, "headers": told + self._headers}
            await send(message)

        return send_with_headers


def _public_methods(path: str) -> tuple[str, ...]:
    """How a path may be asked for by anybody."""
    below = next((methods for prefix, methods in PUBLIC_BELOW.items() if path.startswith(prefix)), ())
    return PUBLIC.get(path, below)


def _secure(cookie: bytes) -> bytes:
    """A cookie for TLS only: Streamlit does not say so of its own."""
    return cookie if b"secure" in cookie.lower().split(b"; ") else cookie + b"; Secure"


def _inline_scripts() -> str:
    """The inline scripts of Streamlit's own page, allowed by their digests and by nothing else."""
    page = files("streamlit").joinpath("static/index.html").read_text(encoding="utf-8")
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    return " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts
    )
