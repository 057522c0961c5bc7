"""Nobody comes in unknown, nobody goes further than their role, and what is taken away is gone at once."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from dashboard import passwords
from dashboard.cli import main
from dashboard.gate import Gate
from dashboard.login import acting, routes, users
from dashboard.login.users import Role, User
from dashboard.login.ways import COOKIE, LOCAL, Loopback, Passwords, Proxy, Refused, way_of
from dashboard.shares import ledger
from queries import Filters
from tests.conftest import free_port
from tests.dashboard.asking import Asked, answering
from tests.dashboard.conftest import Opened

PASSWORD = "correct horse battery"
BEHIND = ("/", "/spend", "/_stcore/host-config", "/media/x", "/api/uploads", "/app/static/x", "/whatever")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("login")
    for role in Role:
        users.put(home, f"{role}@example.com", role, PASSWORD)
    return home


@pytest.fixture(scope="module")
def ask(home: Path) -> Iterator[Asked]:
    yield from served(home, Passwords(home))


@pytest.fixture(scope="module")
def ask_behind_proxy(home: Path) -> Iterator[Asked]:
    yield from served(home, Proxy(home, "X-Forwarded-Email", ("127.0.0.0/8",)))


@pytest.fixture(scope="module")
def ask_with_proxy_elsewhere(home: Path) -> Iterator[Asked]:
    yield from served(home, Proxy(home, "X-Forwarded-Email", ("192.0.2.7",)))


def served(home: Path, way: Passwords | Proxy) -> Iterator[Asked]:
    port = free_port()

    async def inside(request: Request) -> Response:
        return PlainTextResponse("inside")

    async def stream(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    app = Starlette(
        routes=[
            *routes.routes(home, way),
            WebSocketRoute("/_stcore/stream", stream),
            Route("/{rest:path}", inside, methods=["GET", "POST", "PUT", "DELETE"]),
        ],
        middleware=[Middleware(Gate, hosts=frozenset({f"127.0.0.1:{port}"}), way=way)],
    )
    with answering(app, port) as asked:
        yield asked


def opens_stream(ask: Asked, **headers: str) -> bool:
    """Does the WebSocket of the pages open?"""
    shaken = {
        "connection": "Upgrade", "upgrade": "websocket", "sec_websocket_version": "13",
        "sec_websocket_key": base64.b64encode(b"x" * 16).decode(),
    }  # fmt: skip
    return ask("/_stcore/stream", **shaken, **headers).status == 101


def log_in(ask: Asked, name: str, password: str = PASSWORD) -> str:
    return ask("/login", form={"name": name, "password": password}).cookie


def test_strangers_get_the_login_and_nothing_else(ask: Asked) -> None:
    for path in BEHIND:
        for cookie in ("", f"{COOKIE}=", f"{COOKIE}=guess", f"{COOKIE}={'x' * 5000}"):
            assert ask(path, cookie=cookie).status == 401, path
            shown = ask(path, cookie=cookie, accept="text/html")
            assert (shown.status, shown.headers["location"]) == (303, "/login")
    assert not opens_stream(ask)
    cookie = log_in(ask, "viewer@example.com")
    assert opens_stream(ask, cookie=cookie, origin=f"http://{ask.host}")
    assert not opens_stream(ask, cookie=cookie, origin="https://elsewhere.example.com")
    assert ask("/login").status == 200 and ask("/healthz").body == b"inside"


def test_a_password_lets_in_until_logged_out(ask: Asked) -> None:
    answer = ask("/login", form={"name": "Viewer@Example.com ", "password": PASSWORD})
    told = answer.headers["set-cookie"].lower()
    assert answer.status == 303 and "httponly" in told and "samesite=lax" in told and "secure" not in told
    behind_tls = ask("/login", form={"name": "viewer@example.com", "password": PASSWORD}, x_forwarded_proto="https")
    assert "secure" in behind_tls.headers["set-cookie"].lower()

    assert ask("/spend", cookie=answer.cookie).body == b"inside"
    assert opens_stream(ask, cookie=answer.cookie)
    assert ask("/logout", form={}, cookie=answer.cookie, sec_fetch_site="cross-site").status == 403
    assert ask("/spend", cookie=answer.cookie).status == 200
    ask("/logout", form={}, cookie=answer.cookie)
    assert ask("/spend", cookie=answer.cookie).status == 401


def test_guessing_stops_and_does_not_tell_who_exists(home: Path, ask: Asked) -> None:
    answers = [
        ask("/login", form={"name": name, "password": "guess"})
        for name in ("nobody", "admin@example.com", "", "x" * 5000)
    ]
    assert {answer.status for answer in answers} == {401} and len({answer.body for answer in answers}) == 1
    users.put(home, "guessed", Role.VIEWER, PASSWORD)

    tries = [ask("/login", form={"name": "guessed", "password": f"guess {n}"}).status for n in range(5)]
    assert tries == [401] * 5
    assert ask("/login", form={"name": "guessed", "password": PASSWORD}).status == 429


def test_who_is_removed_or_gets_a_new_password_is_out_at_once(home: Path, ask: Asked) -> None:
    users.put(home, "leaving", Role.ADMIN, PASSWORD)
    first = log_in(ask, "leaving")
    users.put(home, "leaving", Role.ADMIN, PASSWORD + "!")
    assert ask("/", cookie=first).status == 401
    second = log_in(ask, "leaving", PASSWORD + "!")
    assert ask("/", cookie=second).status == 200
    users.remove(home, "leaving")
    assert ask("/", cookie=second).status == 401
    with pytest.raises(users.NoUser):
        users.remove(home, "leaving")


def test_a_login_ends_after_twelve_hours(home: Path) -> None:
    word = users.log_in(home, "viewer@example.com", PASSWORD) or ""
    now = datetime.now(UTC)

    assert users.logged_in(home, word, now + timedelta(hours=11, minutes=59)) == User("viewer@example.com", Role.VIEWER)
    assert users.logged_in(home, word, now + timedelta(hours=12, minutes=1)) is None


@pytest.mark.parametrize("role", list(Role))
def test_uploads_take_an_operator(ask_behind_proxy: Asked, role: Role) -> None:
    for path, method in (("/api/uploads", "POST"), ("/api/uploads/x/bytes/0", "PUT"), ("/api/uploads/x", "DELETE")):
        answer = ask_behind_proxy(path, method, x_forwarded_email=f"{role}@example.com")
        assert answer.status == (403 if role == Role.VIEWER else 200)


def test_a_header_counts_from_the_proxy_alone(ask_behind_proxy: Asked, ask_with_proxy_elsewhere: Asked) -> None:
    said = {"x_forwarded_email": "admin@example.com"}

    assert ask_behind_proxy("/", **said).body == b"inside" and opens_stream(ask_behind_proxy, **said)
    for forged in ({}, {"x_forwarded_email": "nobody"}, {"x_forwarded_email": "nobody, admin@example.com"}):
        assert ask_behind_proxy("/", **forged).status == 401
    assert not opens_stream(ask_behind_proxy)
    for told in (said, said | {"x_forwarded_for": "192.0.2.7"}, said | {"forwarded": "for=192.0.2.7"}):
        assert ask_with_proxy_elsewhere("/", **told).status == 401


def test_nothing_but_loopback_without_a_login(home: Path, tmp_path: Path) -> None:
    url = "https://outlay.example.com"
    for host, far, login, empty in [
        ("0.0.0.0", "", "none", home), ("192.0.2.1", url, "none", home), ("127.0.0.1", url, "none", home),
        ("::", "", "none", home), ("0.0.0.0", "", "password", home), ("0.0.0.0", url, "password", tmp_path / "new"),
        ("0.0.0.0", url, "proxy", home),
    ]:  # fmt: skip
        with pytest.raises(Refused):
            way_of(login, empty, host, far, "", ())
    with pytest.raises(Refused, match="not appear to be an IPv4 or IPv6 network"):
        way_of("proxy", home, "0.0.0.0", url, "X-User", ("proxy.example.com",))
    assert isinstance(way_of("none", tmp_path / "new", "127.0.0.1", "", "", ()), Loopback)
    assert isinstance(way_of("password", home, "0.0.0.0", url, "", ()), Passwords)
    assert isinstance(way_of("proxy", home, "0.0.0.0", url, "X-User", ("10.0.0.0/8",)), Proxy)
    said = CliRunner().invoke(main, ["--home", str(home), "serve", "--host", "0.0.0.0"])
    assert said.exit_code == 2 and "anybody could read and change everything" in said.output


@pytest.mark.parametrize("user", [User("v", Role.VIEWER), User("o", Role.OPERATOR), LOCAL, None])
def test_pages_beyond_a_role_do_not_open(
    full_home: Path, opened: Opened, user: User | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "_reader", lambda: user)
    app = opened(full_home, "overview")

    assert not app.exception
    labels = {popover.proto.popover.label for popover in app.get("popover")}
    assert ("Share" in labels) == (user is not None and user.role.may(Role.OPERATOR))
    assert bool(app.metric) == (user is not None)
    if user is None:
        assert "Your login has ended" in app.error[0].value


def test_shares_of_others_are_an_admins(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dashboard import share_cards

    monkeypatch.setattr(share_cards, "home", lambda: home)
    for name in ("ana", "ben"):
        end = ledger.utc_now() + timedelta(days=1)
        ledger.add(
            home, f"of {name}", name, ledger.Scope("spend", Filters(), {}), by=name, expires_at=end, rendering="x"
        )

    monkeypatch.setattr(acting, "_reader", lambda: User("ana", Role.OPERATOR))
    assert [of.made_by for of in share_cards.mine()] == ["ana"]
    monkeypatch.setattr(acting, "_reader", lambda: User("root", Role.ADMIN))
    assert {of.made_by for of in share_cards.mine()} == {"ana", "ben"}


def test_passwords_are_kept_slow_and_salted(home: Path) -> None:
    one, other = passwords.digest(PASSWORD), passwords.digest(PASSWORD)

    assert one != other and PASSWORD not in one
    assert passwords.matches(PASSWORD, one) and passwords.matches(PASSWORD, other)
    assert not passwords.matches(PASSWORD + " ", one) and not passwords.matches("", None)
    assert PASSWORD.encode() not in (home / "outlay.sqlite").read_bytes()


def test_users_are_let_in_and_put_out_from_the_command_line(tmp_path: Path) -> None:
    def outlay(*said: str, stdin: str = "") -> tuple[int, str]:
        told = CliRunner().invoke(main, ["--home", str(tmp_path), *said], input=stdin)
        return told.exit_code, told.output

    assert outlay("users", "add", "Ana", "--role", "admin", "--ask-password", stdin=f"{PASSWORD}\n" * 2)[0] == 0
    assert outlay("users", "add", "ben", "--ask-password", stdin="short\n" * 2)[0] == 2
    assert outlay("users", "list", "--format", "csv")[1].splitlines() == ["name,role,has_password", "ana,admin,True"]
    assert users.log_in(tmp_path, "ana", PASSWORD)
    assert outlay("users", "remove", "ana")[0] == 0 and outlay("users", "remove", "ana")[0] == 2
