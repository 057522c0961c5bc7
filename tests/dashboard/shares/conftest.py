"""Shares over a real store, behind the real gate."""

from collections.abc import Callable, Iterator

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dashboard.gate import Gate
from dashboard.login.ways import Passwords
from dashboard.owner import Owner
from dashboard.shares import routes, snapshot
from dashboard.shares.ledger import Scope, Share
from queries import Filters
from tests.conftest import free_port
from tests.dashboard import traffic
from tests.dashboard.asking import Asked, answering
from tests.ingest.loading import load

INSIDE = "INSIDE-OF-THE-DASHBOARD"
Made = Callable[..., tuple[Share, str]]


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    home = tmp_path_factory.mktemp("shares")
    load(home, traffic.lines(), name="app.jsonl")
    owned = Owner(home)
    owned.fold()
    yield owned
    owned.close()


@pytest.fixture
def make(owner: Owner) -> Made:
    """Makes a share of a page and gives it with its token."""

    def made(filters: Filters | None = None, page: str = "spend", **how: object) -> tuple[Share, str]:
        of_users = bool(how.pop("shows_users", False))
        scope = Scope(page, filters or Filters(), {}, shows_users=of_users)
        told = {"name": "For finance", "by": "ana", **how}
        return snapshot.make(owner.home, owner.read, scope, **told)  # the arguments are the test's own

    return made


@pytest.fixture(scope="module")
def ask(owner: Owner) -> Iterator[Asked]:
    """The routes of shares, in front of a dashboard that nobody may reach without a login."""
    port = free_port()

    async def inside(request: Request) -> Response:
        return PlainTextResponse(INSIDE)

    app = Starlette(
        routes=[*routes.routes(owner.home), Route("/{rest:path}", inside)],
        middleware=[Middleware(Gate, hosts=frozenset({f"127.0.0.1:{port}"}), way=Passwords(owner.home))],
    )
    with answering(app, port) as asked:
        yield asked
