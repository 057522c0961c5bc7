"""The routes of logging in with a password, and of logging out."""

import time
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from dashboard import small_pages
from dashboard.login import users
from dashboard.login.ways import COOKIE
from dashboard.passwords import Tries
from dashboard.small_pages import FRESH, form, is_encrypted, is_same_origin


def routes(home: Path) -> list[Route]:
    """The routes, over the users of one home."""
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

    async def leave(request: Request) -> Response:
        return HTMLResponse(small_pages.drawn("logout.html"), headers=FRESH)

    async def log_out(request: Request) -> Response:
        if not is_same_origin(request):
            return Response(status_code=403)
        await run_in_threadpool(users.log_out, home, request.cookies.get(COOKIE, ""))
        answer = RedirectResponse("/login", 303, headers=FRESH)
        answer.delete_cookie(COOKIE)
        return answer

    return [
        Route("/login", ask, methods=["GET"]),
        Route("/login", log_in, methods=["POST"]),
        Route("/logout", leave, methods=["GET"]),
        Route("/logout", log_out, methods=["POST"]),
    ]
