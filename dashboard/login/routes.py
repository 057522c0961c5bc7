"""The routes of logging in, with a password or with a provider, and of logging out."""

import time
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from dashboard import small_pages
from dashboard.login import openid, users
from dashboard.login.openid import OpenId
from dashboard.login.ways import COOKIE, Passwords, Way
from dashboard.names import display_name
from dashboard.passwords import Tries
from dashboard.small_pages import FRESH, form, is_encrypted, is_same_origin


def routes(home: Path, way: Way) -> list[Route]:
    """The routes of this way, over the users of one home; none where nobody logs in here."""
    match way:
        case Passwords():
            return [*_with_passwords(home), *_leaving(home, way)]
        case OpenId():
            return [*_with_provider(way), *_leaving(home, way)]
    return []


def _with_passwords(home: Path) -> list[Route]:
    by_name, by_address = Tries((5, 60), (20, 3600)), Tries((20, 60), (200, 3600))

    async def ask(request: Request) -> Response:
        return HTMLResponse(small_pages.drawn("login.html", problem=""), headers=FRESH)

    async def log_in(request: Request) -> Response:
        if not is_same_origin(request):
            return Response(status_code=403)
        told = await form(request)
        name, now = told.get("name", ""), time.monotonic()
        address = request.client.host if request.client else ""
        if not (by_address.allow(address, now) and by_name.allow(name.casefold()[:200], now)):
            said = "Too many tries. Wait a minute, and try again."
            return HTMLResponse(small_pages.drawn("login.html", problem=said), 429, headers=FRESH)
        word = await run_in_threadpool(users.log_in, home, name, told.get("password", ""))
        if word is None:
            said = "The name or the password is wrong."
            return HTMLResponse(small_pages.drawn("login.html", problem=said), 401, headers=FRESH)
        answer = RedirectResponse("/", 303, headers=FRESH)
        answer.set_cookie(
            COOKIE,
            word,
            max_age=int(users.LOGGED_IN_FOR.total_seconds()),
            secure=is_encrypted(request),
            httponly=True,
            samesite="lax",
        )
        return answer

    return [Route("/login", ask, methods=["GET"]), Route("/login", log_in, methods=["POST"])]


def _with_provider(way: OpenId) -> list[Route]:
    async def ask(request: Request) -> Response:
        """A button, or who may not come in: sent on by itself, they would go round in a circle."""
        name, role = await run_in_threadpool(way.told, request.headers)
        if role:
            return RedirectResponse("/", 303, headers=FRESH)
        return HTMLResponse(small_pages.drawn("provider.html", name=name and display_name(name)), headers=FRESH)

    async def start(request: Request) -> Response:
        return RedirectResponse(openid.start_address(), 303, headers=FRESH)

    return [Route("/login", ask, methods=["GET"]), Route("/login/provider", start, methods=["GET"])]


def _leaving(home: Path, way: Passwords | OpenId) -> list[Route]:
    async def leave(request: Request) -> Response:
        return HTMLResponse(small_pages.drawn("logout.html"), headers=FRESH)

    async def log_out(request: Request) -> Response:
        if not is_same_origin(request):
            return Response(status_code=403)
        if isinstance(way, OpenId):
            await run_in_threadpool(users.end, home, way.word(request.headers))
            # The provider is told by a page of its own: what a form leads to may not leave this server.
            return HTMLResponse(small_pages.drawn("logged_out.html"), headers=FRESH)
        await run_in_threadpool(users.log_out, home, request.cookies.get(COOKIE, ""))
        answer = RedirectResponse("/login", 303, headers=FRESH)
        answer.delete_cookie(COOKIE)
        return answer

    return [Route("/logout", leave, methods=["GET"]), Route("/logout", log_out, methods=["POST"])]
