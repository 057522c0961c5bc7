"""The page Alerts and a real mail server: a test that arrives, one that does not, and what the history says of both."""

import email
import email.policy
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import settled
from tests.conftest import serving
from tests.dashboard.conftest import Post
from tests.dashboard.conftest import full_home as full_home
from tests.dashboard.conftest import post as post

pytestmark = pytest.mark.browser
RULES = """
[channels.finance]
kind = "apprise"
url_env = "OUTLAY_MAIL_URL"

[channels.nowhere]
kind = "apprise"
url_env = "OUTLAY_OTHER_URL"

[alerts.failures]
kind = "metric"
metric = "reliability"
column = "final_error_rate"
above = 0.5
window = "30 days"
channels = ["finance"]
"""


def test_a_test_mail_arrives_and_one_that_cannot_says_why(
    full_home: Path, post: tuple[Post, dict[str, str]], page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, environment = post
    for name, address in environment.items():
        monkeypatch.setenv(name, address)
    home = tmp_path / "home"
    shutil.copytree(full_home, home)
    (home / "rules.toml").write_text(RULES)
    with serving(tmp_path) as start:
        page.goto(f"{start(home)}/alerts")
        settled(page)
        page.get_by_role("radio", name="Channels").click()
        tests = page.get_by_role("button", name="Send a test")
        expect(tests).to_have_count(2)

        tests.first.click()
        expect(page.get_by_text("Delivered.", exact=True)).to_be_visible()
        [envelope] = server.got
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        plain = message.get_body(("plain",))
        assert plain is not None and "If you can read this, the channel works." in plain.get_content()

        tests.last.click()
        expect(page.get_by_text("OUTLAY_OTHER_URL is not set where Outlay runs")).to_be_visible()

        server.answer = "554 ops-secret@example.com is not known here"
        tests.first.click()
        expect(page.get_by_text("Not delivered: the service did not take it")).to_be_visible()
        assert "ops-secret" not in page.content()

        page.get_by_role("radio", name="History").click()
        expect(page.get_by_role("heading", name="Deliveries")).to_be_visible()
        settled(page)
        assert "ops-secret" not in page.content()
