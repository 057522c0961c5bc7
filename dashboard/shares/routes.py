"""The routes of shares: a link's token is exchanged once for a cookie, and from then on files are read from a folder.

No session of the dashboard and no question to its data is behind them. Whatever does not open is answered alike.
"""

import gzip
import threading
import time
from pathlib import Path

import plotly
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from dashboard import passwords
from dashboard.passwords import Tries
from dashboard.shares import ledger, page, snapshot
from dashboard.shares.ledger import Share
from dashboard.small_pages import FRESH, HERE, form, is_encrypted

PUBLIC = ("/s/", "/shared/")
ASSETS = {
    "page.css": (HERE / "page.css", "text/css"),
    "page.js": (HERE / "page.js", "text/javascript"),
    "mark.svg": (HERE.parent / "mark.svg", "image/svg+xml"),
    "plotly.js": (Path(plotly.__file__).parent / "package_data" / "plotly.min.js", "text/javascript"),
}
_packed: dict[str, tuple[bytes, bytes]] = {}
_packing = threading.Lock()


def routes(home: Path) -> list[Route]:
    """The routes, over the shares of one home."""
    ledger.prepare(home)
    threading.Thread(target=_asset, args=("plotly.js",), daemon=True).start()  # a second's work: before anybody asks
    links = Tries((600, 60))  # by address: links that somebody tries
    guesses = Tries((5, 60), (20, 3600))  # by share: passwords
    views = Tries((120, 60))  # by browser: pages and files

    async def enter(request: Request) -> Response:
        """Before the share: a button, so that whoever only looks at links in mail opens nothing."""
        token = request.path_params["token"]
        share = await run_in_threadpool(_open_by, home, token, links, _address(request))
        if share is None:
            return _denied()
        return HTMLResponse(page.entrance(token, bool(share.password)), headers=FRESH)

    async def exchange(request: Request) -> Response:
        token, told = request.path_params["token"], await form(request)
        word = await run_in_threadpool(
            _exchanged, home, token, told.get("password", ""), _by(request), links, guesses, _address(request)
        )
        if word is None:
            return _denied()
        share_id, visitor, seconds = word
        answer = RedirectResponse(f"/shared/{share_id}/", 303, headers=FRESH)
        answer.set_cookie(
            _cookie(share_id),
            visitor,
            max_age=seconds,
            path=f"/shared/{share_id}/",
            secure=is_encrypted(request),
            httponly=True,
            samesite="lax",
        )
        return answer

    def read(request: Request, name: str, event: ledger.Event) -> Response:
        share_id = request.path_params["share_id"]
        share = _visited(request)
        if share is None or not views.allow(request.cookies[_cookie(share_id)], time.monotonic()):
            return _denied()
        packed = name == snapshot.PAGE and _takes_gzip(request) and snapshot.content(home, share, snapshot.PACKED)
        content = packed or snapshot.content(home, share, name)
        if content is None:
            return _denied()
        ledger.tell(home, share_id, event, _by(request), name if event == "exported" else "")
        if event == "opened":
            about = {"Vary": "Accept-Encoding"} | ({"Content-Encoding": "gzip"} if packed else {})
            return HTMLResponse(content, headers=FRESH | about)
        disposition = {"Content-Disposition": f'attachment; filename="outlay-{share.scope.page}-{name}"'}
        return Response(content, media_type=snapshot.FILES[name].media_type, headers=FRESH | disposition)

    def show(request: Request) -> Response:
        return read(request, snapshot.PAGE, "opened")

    def take(request: Request) -> Response:
        name = request.path_params["name"]
        return read(request, name, "exported") if name in snapshot.FILES else _denied()

    def status(request: Request) -> Response:
        """What an open page asks every few seconds: is it still shared?"""
        return Response(status_code=204, headers=FRESH) if _visited(request) else _denied()

    def _visited(request: Request) -> Share | None:
        share_id = request.path_params["share_id"]
        word = request.cookies.get(_cookie(share_id))
        return ledger.visited(home, share_id, word) if word else None

    def asset(request: Request) -> Response:
        """What every page of a share is drawn with: the same for all, and nothing of any."""
        name = request.path_params["name"]
        if name not in ASSETS:
            return _denied()
        content, packed = _asset(name)
        headers = {"Cache-Control": "public, max-age=3600", "Vary": "Accept-Encoding"}
        if _takes_gzip(request):
            content, headers = packed, headers | {"Content-Encoding": "gzip"}
        return Response(content, media_type=ASSETS[name][1], headers=headers)

    async def nothing(request: Request) -> Response:
        """Whatever else lies below these addresses, the dashboard's own pages do not."""
        return _denied()

    return [
        Route("/s/{token}", enter, methods=["GET"]),
        Route("/s/{token}", exchange, methods=["POST"]),
        Route("/shared/assets/{name}", asset, methods=["GET"]),
        Route("/shared/{share_id}/", show, methods=["GET"]),
        Route("/shared/{share_id}/status", status, methods=["GET"]),
        Route("/shared/{share_id}/files/{name}", take, methods=["GET"]),
        *(Route(f"{prefix}{{rest:path}}", nothing, methods=["GET", "POST"]) for prefix in PUBLIC),
    ]


def _open_by(home: Path, token: str, links: Tries, address: str) -> Share | None:
    if not links.allow(address, time.monotonic()):
        return None
    share = ledger.by_token(home, token)
    return share if share and share.state(ledger.utc_now()) == "open" else None


def _exchanged(
    home: Path, token: str, password: str, by: str, links: Tries, guesses: Tries, address: str
) -> tuple[str, str, int] | None:
    """The share's id, a word for the browser's cookie, and for how many seconds; None for whoever is not let in."""
    share = _open_by(home, token, links, address)
    if share is None:
        ended = ledger.by_token(home, token)
        if ended:
            ledger.tell(home, ended.share_id, "denied", by, ended.state(ledger.utc_now()))
        else:
            ledger.tell_nothing(home)
        return None
    if share.password:
        if not guesses.allow(share.share_id, time.monotonic()):
            ledger.tell(home, share.share_id, "denied", by, "too many passwords")
            return None
        if not passwords.matches(password, share.password):
            ledger.tell(home, share.share_id, "denied", by, "password")
            return None
    seconds = int((share.expires_at - ledger.utc_now()).total_seconds())
    return share.share_id, ledger.let_in(home, share.share_id, by), seconds


def _takes_gzip(request: Request) -> bool:
    return "gzip" in request.headers.get("accept-encoding", "")


def _denied() -> Response:
    return HTMLResponse(page.denial(), 404, headers=FRESH)


def _cookie(share_id: str) -> str:
    return f"outlay_share_{share_id}"


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _by(request: Request) -> str:
    """The kind of program and the network it speaks from: enough to notice a stranger, not to know a person."""
    agent = request.headers.get("user-agent", "")
    kind = "phone" if "Mobile" in agent else "browser" if agent.startswith("Mozilla/") else "program"
    return f"{kind} at {_network(_address(request))}"


def _network(address: str) -> str:
    if ":" in address:
        return ":".join(address.split(":")[:3]) + ":…"
    return ".".join(address.split(".")[:3]) + ".…" if address else "unknown"


def _asset(name: str) -> tuple[bytes, bytes]:
    """A file as it is, and packed: once, however many ask for it first."""
    with _packing:
        if name not in _packed:
            content = ASSETS[name][0].read_bytes()
            _packed[name] = content, gzip.compress(content, mtime=0)
        return _packed[name]
