"""Login with a provider, as a browser and the provider see it: who comes in, as what, who does not, and the way out."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dashboard.login import users
from dashboard.login.openid import COOKIE
from dashboard.login.users import Role
from tests.browser.conftest import settled
from tests.conftest import free_port, serving
from tests.dashboard.asking import answering
from tests.dashboard.login.provider import CLIENT_ID, CLIENT_SECRET, Provider

pytestmark = pytest.mark.browser
COOKIE_SECRET = "CANARY-cookie-secret-0123456789abcdef"
BEHIND = ("/spend", "/_stcore/host-config", "/media/x", "/api/uploads", "/app/static/x", "/whatever")


class Served(NamedTuple):
    url: str
    home: Path
    log: Path
    provider: Provider


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("openid")
    home, secrets, port, other = folder / "home", folder / "secrets.toml", free_port(), free_port()
    provider = Provider(f"http://127.0.0.1:{other}")
    secrets.write_text(
        f"""[auth]
redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
cookie_secret = "{COOKIE_SECRET}"
client_id = "{CLIENT_ID}"
client_secret = "{CLIENT_SECRET}"
server_metadata_url = "{provider.issuer}/.well-known/openid-configuration"
[roles]
operator = ["engineering"]
viewer = ["everybody"]
"""
    )
    users.put(home, "Ana@example.com", Role.ADMIN)
    with answering(provider.app(), other), serving(folder) as start:
        url = start(home, "--login", "oidc", "--secrets", str(secrets), port=port)
        yield Served(url, home, folder / "log", provider)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1440, "height": 1000})
    yield made
    made.close()


def log_in(served: Served, context: BrowserContext, fault: str = "", **person: object) -> Page:
    served.provider.person, served.provider.fault = dict(person), fault
    page = context.new_page()
    page.goto(f"{served.url}/spend")
    expect(page).to_have_url(f"{served.url}/login")
    page.get_by_role("link", name="Log in").click()
    page.wait_for_load_state()
    return page


def who(name: str, role: str) -> re.Pattern[str]:
    """The line that says who is logged in; a sign without width keeps the address from becoming a link."""
    return re.compile(rf"{name}@\u2060?example\.com, {role}")


def statuses(served: Served, context: BrowserContext) -> set[int]:
    return {context.request.get(served.url + path, max_redirects=0).status for path in BEHIND}


def test_who_is_listed_comes_in_and_leaves(served: Served, context: BrowserContext) -> None:
    assert statuses(served, context) == {401}
    assert "server" not in context.request.get(f"{served.url}/healthz").headers
    page = log_in(served, context, email="ana@example.com", email_verified=True, groups=["everybody"])
    settled(page)
    expect(page).to_have_url(f"{served.url}/")
    expect(page.get_by_text(who("ana", "admin"))).to_be_visible()
    expect(page.get_by_role("link", name="Upload")).to_be_visible()
    assert 401 not in statuses(served, context)
    kept = context.cookies()
    assert all(of["httpOnly"] and of["sameSite"] == "Lax" for of in kept if of["name"].startswith(COOKIE))

    open_tab = context.new_page()
    open_tab.goto(served.url)
    settled(open_tab)
    with context.expect_page() as leaving:
        page.get_by_role("link", name="Log out").click()
    leaving.value.get_by_role("button", name="Log out").click()
    expect(leaving.value).to_have_url(f"{served.url}/login")
    told = served.provider.logouts[-1]
    assert told["client_id"] == CLIENT_ID and told["id_token_hint"]
    context.add_cookies([of for of in kept if of["name"].startswith(COOKIE)])  # whoever has copied them
    assert statuses(served, context) == {401}
    open_tab.get_by_role("link", name="Data").click()
    expect(open_tab.get_by_text("Your login has ended")).to_be_visible()


@pytest.mark.parametrize(
    ("groups", "role"), [(["everybody"], "viewer"), (["other", "everybody", "engineering"], "operator")]
)
def test_others_have_the_role_of_their_group(
    served: Served, context: BrowserContext, groups: list[str], role: str
) -> None:
    page = log_in(served, context, email="ben@example.com", email_verified=True, groups=groups)
    settled(page)
    expect(page.get_by_text(who("ben", role))).to_be_visible()
    expect(page.get_by_role("link", name="Upload")).to_be_visible(visible=role == "operator")
    status = context.request.post(f"{served.url}/api/uploads", headers={"Origin": served.url}).status
    assert (status == 403) == (role == "viewer")


@pytest.mark.parametrize(
    "person",
    [
        {"email": "eve@example.com", "email_verified": True},
        {"email": "eve@example.com", "email_verified": True, "groups": ["admin", "Engineering"]},
        {"email": "ana@example.com"},
        {"email": "ana@example.com", "email_verified": False},
        {"email": "ana@example.com", "email_verified": "true"},
        {"email": ["ana@example.com"], "email_verified": True, "groups": {"engineering": True}},
    ],
)
def test_who_has_no_role_stays_outside(served: Served, context: BrowserContext, person: dict[str, object]) -> None:
    page = log_in(served, context, **person)
    expect(page.get_by_role("heading", name="You may not come in yet")).to_be_visible()
    assert statuses(served, context) == {401}
    page.goto(served.url)
    expect(page).to_have_url(f"{served.url}/login")
    page.get_by_role("button", name="Log in as somebody else").click()
    expect(page.get_by_role("link", name="Log in")).to_be_visible()


@pytest.mark.parametrize("fault", ["denied", "state", "nonce", "audience", "expired", "signature"])
def test_no_answer_but_the_providers_own_counts(served: Served, context: BrowserContext, fault: str) -> None:
    page = log_in(served, context, fault, email="ana@example.com", email_verified=True)
    expect(page).to_have_url(f"{served.url}/login")
    expect(page.get_by_role("link", name="Log in")).to_be_visible()
    assert statuses(served, context) == {401}


def test_who_is_taken_off_the_list_is_out_at_once(served: Served, context: BrowserContext) -> None:
    users.put(served.home, "cleo@example.com", Role.VIEWER)
    log_in(served, context, email="cleo@example.com", email_verified=True)
    assert 401 not in statuses(served, context)
    users.remove(served.home, "cleo@example.com")
    assert statuses(served, context) == {401}


def test_a_cookie_that_was_changed_is_nobodys(served: Served, context: BrowserContext) -> None:
    log_in(served, context, email="ana@example.com", email_verified=True)
    [cookie] = [of for of in context.cookies() if of["name"] == COOKIE]
    signed = cookie["value"]
    other = "A" if signed[-9] != "A" else "B"  # not the last letter: some of its bits say nothing
    for value in (signed[:-9] + other + signed[-8:], "x" + signed[1:], "chunks-999999", ""):
        context.add_cookies([{"name": COOKIE, "value": value, "url": served.url}])
        assert statuses(served, context) == {401}


def test_nothing_secret_is_kept_or_told(served: Served) -> None:
    """Runs last: by now every way in and out has been taken."""
    told = served.log.read_text()
    kept = b"".join(file.read_bytes() for file in served.home.rglob("*") if file.is_file())
    assert "Outlay is at" in told
    for canary in (COOKIE_SECRET, CLIENT_SECRET, "CANARY-access"):
        assert canary not in told and canary.encode() not in kept
    assert not re.search(r"eyJ[\w-]+\.", told) and not re.search(rb"eyJ[\w-]+\.", kept)  # how a JWT begins
