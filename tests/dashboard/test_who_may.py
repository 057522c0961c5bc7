"""Who may do what to which object: every door of a server and every change a page can make, in two tables.

Whoever is not named in a row is refused. Each of them says the one word they have in every place where a word is looked
for, under the name of every object: so a right action on a wrong object is tried wherever there is one.
"""

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dashboard import decisions, monitoring, server, upload_routes
from dashboard.advice import kept
from dashboard.alerts import evaluation, rules_file
from dashboard.alerts.rules import Rules
from dashboard.allocation import file as allocation
from dashboard.bearer import METRICS, OTLP
from dashboard.choices import choices
from dashboard.gate import Gate
from dashboard.login import acting, users
from dashboard.login import routes as login_routes
from dashboard.login.users import Role, User
from dashboard.login.ways import COOKIE, LOCAL, Passwords
from dashboard.otlp import Receiver
from dashboard.owner import Address, Owner
from dashboard.shares import ledger, snapshot
from dashboard.shares import routes as share_routes
from dashboard.uploads import Uploads
from queries import Filters
from tests.conftest import free_port
from tests.dashboard import traffic
from tests.dashboard.asking import Answer, Asked, answering
from tests.dashboard.conftest import Opened
from tests.ingest.loading import load

PASSWORD = "correct horse battery"
INSIDE = "what lies behind the gate"

# Each knows one word: none, the link of `own`, the cookie of whoever was let in to it, a login, or a machine's token.
WHO = ("nobody", "link", "visitor", "viewer", "operator", "admin", "command line", "exporter", "scraper")
PEOPLE, BOTH = "viewer, operator, admin", "operator, admin"
# What is asked for, and who gets it. All know the token of the upload page, which is no secret among those logged in.
DOORS = {
    # the pages, and what Streamlit answers on its own behind them
    "GET /": PEOPLE,
    "GET /spend": PEOPLE,
    "GET /upload": PEOPLE,
    "GET /media/0123.csv": PEOPLE,
    "GET /component/x/index.html": PEOPLE,
    "GET /app/static/x": PEOPLE,
    "GET /_stcore/stream": PEOPLE,
    "GET /_stcore/host-config": PEOPLE,
    "PUT /_stcore/upload_file/x/y": "",
    "GET /_stcore/metrics": "",
    "POST /_stcore/agent/interact": "",
    # files on their way in
    "GET /api/uploads": BOTH,
    "POST /api/uploads": BOTH,
    "PUT /api/uploads/{job}/bytes/0": BOTH,
    "POST /api/uploads/{job}/cancel": BOTH,
    "DELETE /api/uploads/{job}": BOTH,
    "GET /api/uploads/{job}/refused.csv": BOTH,
    # what machines ask
    "POST /api/loads": "command line",
    "POST /api/query": "command line",
    "POST /api/ask": "command line",
    "POST /api/read": "command line",
    "POST /v1/traces": "exporter",
    "POST /v1/logs": "exporter",
    "POST /v1/metrics": "exporter",
    "GET /metrics": "scraper",
    # a share: its link lets in, its cookie opens it
    "GET /s/{word}": "link",
    "POST /s/{word}": "link",
    "GET /shared/{own}/": "visitor",
    "GET /shared/{own}/status": "visitor",
    **{f"GET /shared/{{own}}/files/{name}": "visitor" for name in snapshot.FILES},
    # the wrong share, or the right one at the wrong time
    **{
        f"GET /shared/{{{of}}}/{rest}": ""
        for of in ("other", "paused", "revoked", "expired", "guarded")
        for rest in ("", "status", *(f"files/{name}" for name in snapshot.FILES))
    },
    # the right share, and another folder by way of it
    "GET /shared/{own}": "",
    "GET /shared/{own}/files/page.html": "",
    "GET /shared/{own}/files/../../{other}/report.pdf": "",
    "GET /shared/{own}/../{other}/": "",
    "GET /shared/{own}/files/..%2F..%2F{other}%2Freport.pdf": "",
    "GET /shared/{own}%2F..%2F{other}/": "",
    "GET /shared/{own}/files/..%2f..%2f..%2foutlay.sqlite": "",
    "GET /shared/{own}/../../spend": "",
    "GET /s/../spend": "",
    # the right place, asked in the wrong way: a stranger gets no further than to the gate
    "POST /s/{word}/": "",
    "PUT /s/{word}": PEOPLE,
    "DELETE /shared/{own}/": PEOPLE,
    "GET /api/query": PEOPLE,
    "GET /v1/traces": PEOPLE,
    "DELETE /metrics": PEOPLE,
    "POST /healthz": PEOPLE,
}
# Open to all, and alike for all.
PUBLIC = ("/healthz", "/login", "/logout", "/shared/assets/{name}", "/s/{rest:path}", "/shared/{rest:path}")


@dataclass(frozen=True)
class Doors:
    """A server, the words of those who ask, and the names of what they ask for."""

    ask: Asked
    words: dict[str, str]
    shares: dict[str, str]
    sent: Uploads
    paths: frozenset[str]

    def knock(self, who: str, door: str) -> Answer:
        """One of them asks, and says their word wherever one is looked for."""
        method, path = door.split(" ")
        word, job = self.words[who], self.sent.expect("a.jsonl", 1, "tab").id if "{job}" in path else ""
        names = [COOKIE, *(f"outlay_share_{share}" for share in self.shares.values())]
        return self.ask(
            path.format(job=job, word=word or "x", **self.shares),
            method,
            cookie="; ".join(f"{name}={word}" for name in names),
            authorization=f"Bearer {word}",
            x_outlay_token=self.sent.token,
        )


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    home = tmp_path_factory.mktemp("doors")
    load(home, traffic.lines(), name="app.jsonl")
    owner = Owner(home)
    owner.fold()
    shares, tokens = dict[str, str](), dict[str, str]()
    for name in ("own", "other", "paused", "revoked", "expired", "guarded"):
        scope, password = ledger.Scope("spend", Filters(), {}), "a word of its own" if name == "guarded" else ""
        share, tokens[name] = snapshot.make(home, owner.read, scope, name=name, by="ana", password=password)
        shares[name] = share.share_id
    visitor = ledger.let_in(home, shares["own"], "test")
    with choices(home) as con:  # their own word would open these, were they open
        con.execute("update shares set expires_at = made_at where share_id = ?", (shares["expired"],))
    ledger.change(home, shares["paused"], "paused", "ana")
    snapshot.revoke(home, shares["revoked"], "ana")

    port, sent, way = free_port(), Uploads(owner), Passwords(home)
    for role in Role:
        users.put(home, role, role, PASSWORD)
    address = Address.new(f"http://127.0.0.1:{port}")
    words = {role.value: users.log_in(home, role, PASSWORD) or "" for role in Role}
    words |= {"nobody": "", "link": tokens["own"], "visitor": visitor, "command line": address.token}
    words |= {"exporter": OTLP.make(home), "scraper": METRICS.make(home)}

    async def inside(request: Request) -> Response:
        return PlainTextResponse(INSIDE)

    routes = [
        *server._routes(owner, address),
        monitoring.route(owner, way),
        *Receiver(home, True).routes(),
        *upload_routes.routes(sent),
        *share_routes.routes(home),
        *login_routes.routes(home, way),
    ]
    everything = [*routes, Route("/{rest:path}", inside, methods=["GET", "POST", "PUT", "DELETE"])]
    gate = Middleware(Gate, hosts=frozenset({f"127.0.0.1:{port}"}), way=way)
    with answering(Starlette(routes=everything, middleware=[gate]), port) as ask:
        yield Doors(ask, words, shares, sent, frozenset(route.path for route in routes))
    sent.close()
    owner.close()


@pytest.mark.parametrize("door", DOORS)
def test_a_door_opens_to_those_who_may_and_to_nobody_else(doors: Doors, door: str) -> None:
    may = DOORS[door].split(", ")
    for who in WHO:
        answer = doors.knock(who, door)
        if who in may:  # what they send is nothing, and may be told so
            assert answer.status in (200, 201, 204, 303, 400, 409, 415), (who, answer)
        else:
            assert answer.status in (401, 403, 404, 405), (who, answer)
            assert INSIDE.encode() not in answer.body and len(answer.body) < 2_000, who


def test_no_door_is_missing(doors: Doors) -> None:
    told = {re.sub(r"{\w+}", "x", door.split(" ")[1].replace("bytes/0", "bytes/{offset}")) for door in DOORS}
    told |= {"/shared/x/files/{name}" for _ in snapshot.FILES}
    there = {re.sub(r"{(token|job|share_id|offset:int)}", "x", path) for path in doors.paths - set(PUBLIC)}

    assert not there - {re.sub(r"{\w+}", "{name}" if "files" in path else "x", path) for path in told}


def test_words_of_letters_beyond_ascii_are_refused_like_others(doors: Doors) -> None:
    for path in ("/api/loads", "/api/query", "/api/ask", "/api/read", "/v1/traces"):
        assert doors.ask(path, "POST", authorization="Bearer \xe9").status in (401, 404), path


def _version(said: str) -> str:
    return rules_file.version(said)


def _share(home: Path, made_by: str) -> str:
    """A share of somebody's, whose files nobody looks at."""
    scope, ends = ledger.Scope("spend", Filters(), {}), datetime.now(UTC) + timedelta(days=1)
    ledger.add(home, f"of {made_by}", "x", scope, by=made_by, expires_at=ends, rendering="x")
    return f"of {made_by}"


def _unread(*_: object) -> NoReturn:
    pytest.fail("read")


def _make(home: Path) -> object:
    """Far enough to be told that a share has a name."""
    with contextlib.suppress(snapshot.ShareRefused):
        return snapshot.make(home, _unread, ledger.Scope("spend", Filters(), {}), name="", by="x")
    return None


# What a page can change, and who may: the machine itself, whose commands are an admin's, may do all of it.
CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "settle a signal": (lambda home: decisions.decide(home, "muted", [], "x"), BOTH),
    "take a decision back": (lambda home: decisions.undo(home, decisions.standing(home), "x"), BOTH),
    "dismiss advice": (lambda home: kept.undo(home, "x", "x"), BOTH),
    "tell what a feature needs": (lambda home: kept.tell(home, "longest_answer", "x", 1, "x"), BOTH),
    "write the rules of alerts and budgets": (
        lambda home: rules_file.write(home / "rules.toml", "", _version(rules_file.BEGINNING)), BOTH
    ),
    "write the rules of allocation": (
        lambda home: allocation.write(home, "", _version(allocation.BEGINNING)), BOTH
    ),
    "send a test alert": (lambda home: evaluation.try_channel(home, Rules(), "x"), BOTH),
    "share": (_make, BOTH),
    "pause a share of one's own": (lambda home: ledger.change(home, _share(home, "me"), "paused", "me"), BOTH),
    "revoke a share of one's own": (lambda home: snapshot.revoke(home, _share(home, "me"), "me"), BOTH),
    "pause a share of another": (lambda home: ledger.change(home, _share(home, "ana"), "paused", "me"), "admin"),
    "resume a share of another": (lambda home: ledger.change(home, _share(home, "ana"), "resumed", "me"), "admin"),
    "revoke a share of another": (lambda home: snapshot.revoke(home, _share(home, "ana"), "me"), "admin"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("role", [None, *Role, LOCAL.name])
def test_a_change_is_made_by_those_who_may_whatever_a_page_offers(
    tmp_path: Path, change: str, role: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = LOCAL if role == LOCAL.name else role and User("me", Role(role))
    monkeypatch.setattr(acting, "_reader", lambda: user)
    make, who = CHANGES[change]
    if role == LOCAL.name or role in who.split(", "):
        make(tmp_path)
    else:
        with pytest.raises((acting.NotAllowed, rules_file.NotWritten), match="takes the role"):
            make(tmp_path)


@pytest.mark.parametrize("role", Role)
def test_an_empty_home_offers_uploads_to_those_who_may_upload(
    home: Path, opened: Opened, role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "_reader", lambda: User("me", role))
    overview, about = opened(home), opened(home, "data")

    assert not overview.exception and not about.exception
    may = role != Role.VIEWER
    assert ("Upload logs" in [button.label for button in overview.button]) == may
    assert ("Upload logs" in [of.proto.label for of in about.get("page_link")]) == may
