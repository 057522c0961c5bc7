"""Scheduled delivery: the right period, once, into a folder or by a real mail server."""

import email
import email.policy
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import openpyxl
import pypdfium2
import pytest

from dashboard.alerts.parsing import RulesRefused, parse
from dashboard.owner import Owner
from dashboard.reports import delivery
from tests.dashboard.conftest import Post

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
RULES = """
[statement]
title = "Muster GmbH"
note = "Cost centre 4711"

[channels.mail]
kind = "apprise"
url_env = "OUTLAY_MAIL_URL"

[channels.hook]
kind = "webhook"
url_env = "HOOK"
secret_env = "HOOK_SECRET"

[deliveries.finance]
report = "statement"
every = "month"
"""


@pytest.mark.parametrize(
    ("every", "now", "since", "until"),
    [
        ("month", NOW, date(2026, 10, 1), date(2026, 10, 31)),
        ("month", datetime(2026, 12, 1, 5, 59, tzinfo=UTC), date(2026, 10, 1), date(2026, 10, 31)),
        ("month", datetime(2026, 12, 1, 6, 0, tzinfo=UTC), date(2026, 11, 1), date(2026, 11, 30)),
        ("week", NOW, date(2026, 11, 16), date(2026, 11, 22)),
        ("day", NOW, date(2026, 11, 22), date(2026, 11, 22)),
        ("quarter", NOW, date(2026, 7, 1), date(2026, 9, 30)),
    ],
)
def test_the_period_is_the_last_that_ended_and_the_delay_has_passed(
    every: str, now: datetime, since: date, until: date
) -> None:
    rules = parse(RULES.replace('"month"', f'"{every}"') + 'folder = "out"')
    filters = delivery.due(rules.deliveries["finance"], now)
    assert (filters.since, filters.until) == (since, until)


def test_a_statement_lands_in_a_folder_once(home: Path, owner: Owner, tmp_path: Path) -> None:
    rules = parse(RULES + 'folder = "out"\nnames_users = false')
    assert delivery.run(home, rules, tmp_path, owner.read, NOW) == []
    [file] = (tmp_path / "out").iterdir()
    assert file.name == "outlay-statement-2026-10-01-2026-10-31.pdf"
    said = pypdfium2.PdfDocument(file)[0].get_textpage().get_text_bounded()
    assert "Muster GmbH" in said and "Cost centre 4711" in said and "1 – 31 Oct 2026" in said

    file.unlink()
    assert delivery.run(home, rules, tmp_path, owner.read, NOW + timedelta(days=1)) == []
    assert list((tmp_path / "out").iterdir()) == [], "the same month is not delivered again"
    assert delivery.run(home, rules, tmp_path, owner.read, NOW + timedelta(days=10)) == []
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["outlay-statement-2026-11-01-2026-11-30.pdf"]


def test_a_workbook_comes_by_mail(home: Path, owner: Owner, tmp_path: Path, post: tuple[Post, dict[str, str]]) -> None:
    server, environment = post
    rules = parse(
        RULES.replace("statement", "spend", 2).replace("[spend]", "[statement]")
        + 'channels = ["mail"]\nformat = "xlsx"'
    )
    assert delivery.run(home, rules, tmp_path, owner.read, NOW, environment) == []

    [envelope] = server.got
    message = email.message_from_bytes(envelope.content, policy=email.policy.default)
    [attached] = message.iter_attachments()
    assert attached.get_filename() == "outlay-spend-2026-10-01-2026-10-31.xlsx"
    sheet = openpyxl.load_workbook(io.BytesIO(attached.get_payload(decode=True)))["Spend by feature"]
    *_, total = sheet.iter_rows(values_only=True)
    [cost] = owner.query(
        "select sum(cost_usd) as c from facts.attempts where started_at between '2026-10-01' and '2026-11-01'"
    )["c"].to_pylist()
    assert Decimal(repr(total[1])) == cost.normalize()


def test_what_fails_is_tried_again_and_given_up_in_the_end(
    home: Path, owner: Owner, tmp_path: Path, post: tuple[Post, dict[str, str]]
) -> None:
    server, environment = post
    server.answer = "554 ops-secret@example.com is not known here"
    rules = parse(RULES + 'channels = ["mail"]\nfolder = "out"')
    [fault] = delivery.run(home, rules, tmp_path, owner.read, NOW, environment)
    assert fault.startswith("deliveries.finance: the service did not take it")
    assert "ops-secret" not in fault
    assert delivery.run(home, rules, tmp_path, owner.read, NOW + timedelta(seconds=59), environment) == []
    server.answer = "250 OK"
    server.got.clear()
    assert delivery.run(home, rules, tmp_path, owner.read, NOW + timedelta(minutes=1), environment) == []
    assert len(server.got) == 1
    assert {(row["target"], row["status"], row["tries"]) for row in delivery.standing(home)} == {
        ("(folder)", "sent", 1),
        ("mail", "sent", 2),
    }


def test_a_period_without_calls_is_over_without_a_file(home: Path, owner: Owner, tmp_path: Path) -> None:
    rules = parse(RULES + 'folder = "out"\nfeatures = ["nobody"]')
    assert delivery.run(home, rules, tmp_path, owner.read, NOW) == []
    assert not (tmp_path / "out").exists()
    assert [row["status"] for row in delivery.standing(home)] == ["sent"]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("", "goes nowhere"),
        ('channels = ["hook"]', "carries no files"),
        ('folder = "x"\nformat = "docx"', "'docx' is not known"),
        ('folder = "x"\nevry = "week"', "did you mean every?"),
    ],
)
def test_a_mistake_in_the_rules_is_told_with_its_line(more: str, sentence: str) -> None:
    with pytest.raises(RulesRefused, match=sentence) as refused:
        parse(RULES + more)
    assert refused.value.problems[0].line >= RULES.count("\n") - 2
