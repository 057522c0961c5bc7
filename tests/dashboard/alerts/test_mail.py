"""E-mail, by a real mail server on loopback: what arrives, and what a refusal says."""

import email
import email.policy
from datetime import UTC, datetime
from pathlib import Path

from dashboard.alerts import evaluation, ledger
from dashboard.alerts.parsing import parse
from dashboard.alerts.readings import Look, Reading
from tests.dashboard.conftest import Post

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
RULES = parse("""
[channels.mail]
kind = "apprise"
url_env = "OUTLAY_MAIL_URL"

[alerts.silence]
kind = "missing"
after = "1 hour"
channels = ["mail"]
""")


def deliver(home: Path, environment: dict[str, str]) -> None:
    fired = Look((Reading("", "firing", "1", "No call was logged <b>since</b> 11:00.", "/data"),))
    ledger.apply(home, RULES.alerts["silence"], RULES, fired, NOW)
    evaluation.deliver(home, RULES, lambda: NOW, environment)


def test_a_mail_says_what_fires_and_where_to_look(home: Path, post: tuple[Post, dict[str, str]]) -> None:
    server, environment = post
    deliver(home, environment)

    [envelope] = server.got
    message = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert (envelope.mail_from, envelope.rcpt_tos) == ("outlay@example.com", ["ops-secret@example.com"])
    assert message["subject"] == "Firing: silence"
    plain, page = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None and page is not None
    assert "No call was logged <b>since</b> 11:00." in plain.get_content()
    assert "http://127.0.0.1:8484/data" in plain.get_content()
    assert "<b>since" not in page.get_content()
    assert [row["status"] for row in ledger.deliveries(home)] == ["sent"]


def test_a_mail_that_is_refused_is_tried_again_and_the_log_names_no_address(
    home: Path, post: tuple[Post, dict[str, str]]
) -> None:
    server, environment = post
    server.answer = "554 ops-secret@example.com is not known here"
    deliver(home, environment)

    [row] = ledger.deliveries(home)
    assert (row["status"], row["tries"]) == ("waiting", 1)
    assert "the service did not take it" in row["error"]
    assert "ops-secret" not in row["error"]
