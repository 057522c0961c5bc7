"""axe-core over every page, light and dark, on a phone, a tablet and a desk: nothing serious is wrong with any."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, expect
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from dashboard.gate import Gate
from dashboard.login import routes, users
from dashboard.login.users import Role
from dashboard.login.ways import Passwords
from dashboard.owner import Owner
from dashboard.shares import routes as share_routes
from dashboard.shares import snapshot
from dashboard.shares.ledger import Scope
from dashboard.small_pages import drawn
from queries import Filters
from tests.browser.conftest import settled
from tests.conftest import free_port, serving
from tests.dashboard.asking import answering
from tests.dashboard.conftest import PAGES
from tests.dashboard.conftest import full_home as full_home

pytestmark = pytest.mark.browser
WIDTHS = (375, 768, 1440)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
OPENERS = '[data-testid="stPopover"] button, [data-testid="stMain"] button:has-text("New ")'
RULES = """
[budgets.everything]
amount_usd = 5
period = "month"

[alerts.failures]
kind = "metric"
metric = "reliability"
column = "final_error_rate"
above = 0.0001
window = "30 days"
"""
# Streamlit puts a <div> for each section between the <ul> of its navigation and the <li>. Nothing of ours draws that
# list, and neither its settings nor CSS can change what it is made of.
EXCUSED = {"list": '[data-testid="stSidebarNavItems"]', "listitem": '[data-testid="stSidebarNavItems"]'}
# The new theme reaches the parts of a page one after the other.
IS_STILL = """() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => {
    const ground = name => getComputedStyle(document.querySelector(name)).backgroundColor;
    const moves = document.getAnimations().some(of => of.playState === 'running');
    done(!moves && ground('body') === ground('[data-testid="stApp"]'));
})))"""
FINDINGS = """async excused => {
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const {violations} = await axe.run({runOnly: tags, resultTypes: ['violations']});
    const isExcused = (rule, node) => {
        const found = rule in excused && document.querySelector(node.target[0]);
        return Boolean(found && found.closest(excused[rule]));
    };
    return violations.filter(of => ['serious', 'critical'].includes(of.impact)).flatMap(of => of.nodes
        .filter(node => !isExcused(of.id, node))
        .map(node => `${of.id}: ${node.html.slice(0, 160)} ${node.failureSummary.replace(/\\s+/g, ' ')}`));
}"""


@pytest.fixture(scope="module")
def home(full_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("seen") / "home"
    shutil.copytree(full_home, home)
    (home / "rules.toml").write_text(RULES)
    users.put(home, "ana", Role.ADMIN, "correct horse battery")
    return home


@pytest.fixture(scope="module")
def tokens(home: Path) -> tuple[str, str]:
    """The links of a share of each kind: open to whoever has the link, and with a password."""
    owner = Owner(home)
    owner.fold()
    scope = Scope("spend", Filters(), {})
    made = [
        snapshot.make(home, owner.read, scope, name="For finance", by="ana", password=password)[1]
        for password in ("", "a password of its own")
    ]
    owner.close()
    return made[0], made[1]


@pytest.fixture(scope="module")
def address(home: Path, tokens: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("log")) as start:
        yield start(home)


@pytest.fixture(scope="module")
def door(home: Path, tokens: tuple[str, str]) -> Iterator[str]:
    """What lies outside of the dashboard: login and shares, behind the gate."""
    port = free_port()

    def page(template: str, **values: str) -> Route:
        async def show(request: Request) -> Response:
            return HTMLResponse(drawn(template, **values))

        return Route(f"/shared/test/{template}/{values.get('name', '')}", show)

    app = Starlette(
        routes=[
            page("provider.html", name=""),
            page("provider.html", name="eve@example.com"),
            *routes.routes(home, Passwords(home)),
            *share_routes.routes(home),
        ],
        middleware=[Middleware(Gate, hosts=frozenset({f"127.0.0.1:{port}"}), way=Passwords(home))],
    )
    with answering(app, port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(params=WIDTHS)
def sight(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of each width; without motion, so that no colour is judged on its way to another."""
    context = browser.new_context(viewport={"width": request.param, "height": 1000}, reduced_motion="reduce")
    yield context.new_page()
    context.close()


def shown(page: Page, scheme: Literal["light", "dark"]) -> None:
    """The page in a scheme, once all of it has changed."""
    page.emulate_media(color_scheme=scheme)
    if page.get_by_test_id("stApp").count():
        expect(page.get_by_test_id("stApp")).to_have_css("color-scheme", scheme)
        page.wait_for_function(IS_STILL)


def findings(page: Page) -> list[str]:
    """What is serious or critical on the page that is open, light and dark."""
    found: list[str] = []
    page.evaluate(AXE_SCRIPT)
    for scheme in SCHEMES:
        shown(page, scheme)
        found += lasting(page, scheme)
    return found


def lasting(page: Page, scheme: str) -> list[str]:
    """What is still found a few seconds later: words may take their new colour after what they stand on."""
    told: list[str] = []
    for _ in range(10):
        told = page.evaluate(FINDINGS, EXCUSED)
        if not told:
            break
        page.wait_for_timeout(500)
    return [f"{page.url} {scheme} {of}" for of in told]


def unfold(page: Page) -> None:
    folded = page.locator("details:not([open]) > summary")
    while folded.count():
        folded.first.click()
    settled(page)


def findings_of_what_opens(page: Page) -> list[str]:
    """The same of the page's menus and dialogs, one after the other."""
    found: list[str] = []
    opened = page.locator('[data-testid="stPopoverBody"], [role="dialog"]')
    for scheme in SCHEMES:
        shown(page, scheme)
        for opener in page.locator(OPENERS).all():
            opener.click()
            expect(opened).to_be_visible()
            settled(page)
            found += lasting(page, scheme)
            page.keyboard.press("Escape")
            expect(opened).to_have_count(0)
    return found


def test_nothing_serious_is_wrong_with_any_page(address: str, sight: Page) -> None:
    found = []
    for name in PAGES:
        sight.goto(f"{address}/{'' if name == 'overview' else name}")
        settled(sight)
        assert sight.get_by_test_id("stException").count() == 0
        unfold(sight)
        found += findings(sight)
        if name in ("spend", "budgets", "alerts", "shares"):  # the others have the menus of the first
            found += findings_of_what_opens(sight)
    assert not found, "\n".join(found)


def test_nothing_serious_is_wrong_outside_of_the_dashboard(door: str, tokens: tuple[str, str], sight: Page) -> None:
    found = []
    for path in (
        "/login", "/logout", "/shared/test/provider.html/", "/shared/test/provider.html/eve@example.com",
        "/s/wrong", *(f"/s/{token}" for token in tokens),
    ):  # fmt: skip
        sight.goto(f"{door}{path}")
        found += findings(sight)
    sight.goto(f"{door}/login")
    sight.get_by_label("Name").fill("ana")
    sight.get_by_label("Password").fill("wrong")
    sight.get_by_role("button", name="Log in").click()
    expect(sight.get_by_role("alert")).to_be_visible()
    found += findings(sight)
    sight.goto(f"{door}/s/{tokens[0]}")
    sight.get_by_role("button", name="Open").click()
    expect(sight.locator(".main-svg").first).to_be_visible()
    found += findings(sight)
    assert not found, "\n".join(found)
