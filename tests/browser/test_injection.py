"""Names that would act on whoever looks at them, on every page and on a shared page, in a real browser.

Sixty names stand in every place that a log can write to; ten of each kind in one environment, so that all of them get
to the head of some pages. Nothing may run, ask another host or become a link, and no prompt or key may be seen again.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import pypdfium2
import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from dashboard.owner import Owner
from dashboard.reports import spend
from dashboard.shares import ledger, snapshot
from dashboard.shares.ledger import Scope
from queries import Filters
from tests.browser.conftest import settled
from tests.conftest import serving
from tests.dashboard.attacks import PAYLOADS
from tests.dashboard.conftest import PAGES
from tests.dashboard.traffic import LAST_DAY
from tests.ingest.loading import load

pytestmark = pytest.mark.browser
AT_ONCE = 10
ACTIVE = [payload.replace("alert(1)", "window.ran=1") for payload in PAYLOADS]
GROUPS = [ACTIVE[first : first + AT_ONCE] for first in range(0, len(ACTIVE), AT_ONCE)]
FILTERED = ("compare", "cache", "latency", "truncation", "reliability", "chargeback", "signals", "advice")
CANARY = "CANARY-4711"
# What a name would have become, had it been read as Markdown or HTML.
ACTED = """() => {
    const below = of => [of, ...(of.shadowRoot ? all(of.shadowRoot) : [])];
    const all = root => [...root.querySelectorAll('*')].flatMap(below);
    const words = /^(bold|it|gone|code|heading|item|one|quote|danger|b|click me|click|x|OK|link)$/;
    const tags = /^(strong|b|em|i|del|s|h[1-6]|li|blockquote|td|mark|a|button|code)$/i;
    const found = all(document).filter(of => {
        const at = name => of.getAttribute(name) || '';
        const leads = ['href', 'src', 'action', 'data', 'srcdoc', 'xlink:href', 'content', 'style'].map(at).join(' ');
        return /evil\\.example|javascript:|alert\\(|window\\.ran/.test(leads)
            || /^(iframe|object|embed|base|math|marquee)$/i.test(of.tagName)
            || [...of.attributes].some(named => /^on/.test(named.name))
            || (tags.test(of.tagName) && words.test(of.textContent.trim()) && !of.closest('code, [role=gridcell]'));
    });
    return [String(window.ran || ''), ...found.map(of => of.outerHTML.slice(0, 200))].filter(Boolean);
}"""


class Attacked(NamedTuple):
    url: str
    home: Path
    log: Path
    tokens: list[str]


def lines() -> str:
    """Per group four days of calls; a name is feature, team and user at once, so that it is drawn in each of them."""
    records = []
    for number, payload in enumerate(ACTIVE):
        for day in range(4):
            at = LAST_DAY - timedelta(days=10 * (day % 2) + day, minutes=number)
            told = {
                "timestamp": f"{at.isoformat()}Z", "request_id": f"req_{number}_{day}", "feature": payload,
                "team": payload, "user_id": payload or "u", "environment": f"env-{number // AT_ONCE}",
                "model": payload or "m" if day == 3 else "claude-opus-5-5", "input_tokens": 4000,
                "cache_read_input_tokens": 2000, "output_tokens": 100, "max_tokens": 100, "latency_ms": 900,
                "stop_reason": "max_tokens" if day else payload, "call_id": f"call_{number}_{day}",
                "messages": [{"role": "user", "content": CANARY}], "headers": {"x-api-key": f"sk-ant-{CANARY}"},
            }  # fmt: skip
            records.append(told)
            failed = {key: told[key] for key in ("timestamp", "feature", "team", "environment", "model")}
            records.append(failed | {"request_id": f"bad_{number}_{day}", "status": 500, "error_type": payload or "e"})
        records.append({"timestamp": "2026-11-20T00:00:00Z", "environment": payload, "model": "claude-opus-5-5",
                        "input_tokens": 1, "output_tokens": 1, "request_id": f"env_{number}"})  # fmt: skip
    broken = [f'{{"prompt": "{CANARY}", "model": "<img src=x onerror=window.ran=1>"', f"sk-ant-api03-{CANARY}"]
    return "\n".join([json.dumps(record) for record in records] + broken)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    folder = tmp_path_factory.mktemp("attacked")
    home, tokens = folder / "home", []
    load(home, lines(), name="<img src=http://evil.example onerror=window.ran=1>.jsonl")
    owner = Owner(home)
    owner.fold()
    for group, names in enumerate(GROUPS):
        by = list(spend.BY)[group % 4]
        scope = Scope("spend", Filters(environments=(f"env-{group}",)), {"by": by}, shows_users=True)
        tokens.append(snapshot.make(home, owner.read, scope, name=names[0].strip() or "x", by=names[1])[1])
    owner.close()
    for number, payload in enumerate(ACTIVE):  # in the list and the trail of shares: names and makers
        end = ledger.utc_now() + timedelta(days=1)
        scope = Scope("spend", Filters(features=(payload,)), {})
        ledger.add(home, f"of {number}", payload, scope, by=payload[:200], expires_at=end, rendering="x")
    with serving(folder) as start:
        yield Attacked(start(home), home, folder / "log", tokens)


class Sight:
    """A page, and whatever it did that no page may do."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.page, self.url, self.did, self.seen = context.new_page(), url, list[str](), list[str]()
        context.on("request", lambda request: self._note(request.url))
        context.on("page", lambda opened: self.did.append(f"opened {opened.url}"))
        self.page.on("dialog", lambda dialog: (self.did.append(dialog.message), dialog.dismiss()))

    def _note(self, url: str) -> None:
        if not url.startswith((self.url, "data:", "blob:")):
            self.did.append(url)

    def look(self) -> None:
        """Read the page that is open."""
        self.did += [f"{self.page.url}: {told}" for told in self.page.evaluate(ACTED)]
        self.seen.append(self.page.content())


@pytest.fixture
def sight(browser: Browser, attacked: Attacked) -> Iterator[Sight]:
    context = browser.new_context(viewport={"width": 1440, "height": 2400}, reduced_motion="reduce")
    yield Sight(context, attacked.url)
    context.close()


def test_no_name_acts_on_any_page(attacked: Attacked, sight: Sight) -> None:
    views = [(name, {"range": "All time"}) for name in PAGES]
    for group in range(len(GROUPS)):
        only = {"range": "All time", "environment": f"env-{group}"}
        kinds = [list(spend.BY)[(group + of) % 4] for of in range(2)]
        others = [FILTERED[(2 * group + of) % len(FILTERED)] for of in range(2)]
        views += [
            ("overview", only),
            *((name, only) for name in others),
            *(("spend", only | {"by": by}) for by in kinds),
        ]
    for name, params in views:
        sight.page.goto(f"{attacked.url}/{'' if name == 'overview' else name}?{urlencode(params)}")
        settled(sight.page)
        assert sight.page.get_by_test_id("stException").count() == 0, (name, params)
        sight.look()
    assert sight.did == [] and not [page for page in sight.seen if CANARY in page]
    assert any("evil" in page for page in sight.seen)  # the names were there to see


def test_no_name_acts_on_a_shared_page(attacked: Attacked, sight: Sight) -> None:
    for token in attacked.tokens:
        sight.page.goto(f"{attacked.url}/s/{token}")
        sight.look()
        sight.page.get_by_role("button", name="Open").click()
        expect(sight.page.locator(".main-svg").first).to_be_visible()
        sight.look()
        sight.page.locator("th button").first.click()
        sight.page.locator(".js-plotly-plot").first.hover()
        sight.look()
    assert sight.did == [] and not [page for page in sight.seen if CANARY in page]


def test_no_pdf_holds_anything_that_acts(attacked: Attacked) -> None:
    shares = [of for of in ledger.shares(attacked.home) if of.rendering != "x"]
    assert len(shares) == len(GROUPS)
    texts = ""
    for share in shares:
        written = snapshot.content(attacked.home, share, "report.pdf") or b""
        with pypdfium2.PdfDocument(written) as document:
            texts += document[0].get_textpage().get_text_range()
        assert not re.search(rb"/(Annots?|URI|JavaScript|JS|AA|Launch|SubmitForm|EmbeddedFile)\b", written)
    assert "evil.example" in texts  # the names are in it, as text


def test_no_prompt_and_no_key_is_seen_again(attacked: Attacked, browser: Browser) -> None:
    """In the home with all its archives, in what the server said, and in what it answers to strange questions."""
    asked = browser.new_context().request
    told = [
        asked.fetch(attacked.url + path, method=method).text()
        for path in ("/s/x", "/shared/x/", "/api/query", "/api/loads", "/nothing", "/%00", "/media/x", "/v1/traces",
                     "/api/uploads/x/bytes/0", "/_stcore/upload_file/x/y")
        for method in ("GET", "POST", "PUT", "DELETE")
    ]  # fmt: skip
    assert not [text for text in told if "Traceback" in text or 'File "' in text]
    held = [attacked.log.read_bytes(), *(text.encode() for text in told)]
    for file in attacked.home.rglob("*"):
        if file.is_file():
            held.append(file.read_bytes())
            if zipfile.is_zipfile(io.BytesIO(held[-1])):
                with zipfile.ZipFile(file) as archive:
                    held += [archive.read(name) for name in archive.namelist()]
    assert not [part[:80] for part in held if CANARY.encode() in part or b"sk-ant" in part]
