"""The page Ask, over a real store and a Messages API on this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import data
from dashboard.ask import view as ask_view
from dashboard.owner import Owner
from tests.dashboard import traffic
from tests.dashboard.ask.test_asking import ONE_CALL, api, sql, told
from tests.dashboard.conftest import Opened
from tests.dashboard.test_pages import words
from tests.fake_messages_api import FakeMessagesApi, Turn
from tests.ingest.loading import load

__all__ = ["api"]


@pytest.fixture
def served(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home whose pages read and ask through one owner, as under `outlay serve`."""
    load(home, traffic.lines(), name="app.jsonl")
    owner = Owner(home)
    monkeypatch.setattr(data, "_supplied", owner.cursor)
    monkeypatch.setattr(ask_view, "_owner", owner)
    yield home
    owner.close()


def send(app: AppTest, number: int = 0) -> AppTest:
    return [button for button in app.button if button.label.startswith("Send")][number].click().run()


def code(app: AppTest) -> str:
    return "\n".join(block.value for block in app.code)


def test_a_question_is_shown_before_it_is_sent_and_answered_with_its_sql(
    api: FakeMessagesApi, served: Path, opened: Opened
) -> None:
    app = opened(served, "ask")
    assert not app.exception and next(b for b in app.button if b.label.startswith("Send")).disabled
    app.text_area(key="ask_question").set_value("What does each feature cost?").run()
    assert "Question: What does each feature cost?" in code(app) and api.requests == []

    api.script = [sql("select bogus from facts.calls"), sql("select count(*) as calls from facts.calls")]
    send(app)

    assert not app.exception
    assert "select bogus from facts.calls" in code(app) and "count(*) as calls" in code(app)
    assert "bogus" in app.warning[0].value and app.dataframe[0].value["calls"].tolist() == [240]
    assert f"\\${2 * ONE_CALL.normalize():f} for 2 calls" in words(app)
    assert "18,000 read from the prompt cache, 600 written to it" in words(app)

    assert "calls" in code(app).lower() and len(api.requests) == 2
    api.script = [told("There were 240 calls.")]
    send(app, 1)
    assert "There were 240 calls" in words(app).replace("\\", "")
    assert "240" in api.requests[2][2]["messages"][0]["content"]


def test_a_change_is_explained_beside_its_figures_and_names_stay_here(
    api: FakeMessagesApi, served: Path, opened: Opened
) -> None:
    app = opened(served, "ask", job="Explain a change")
    api.script = [told("feature-1 moved by $5,555.55.", title="feature-1 moved")]
    send(app)
    assert not app.exception
    message = api.requests[0][2]["messages"][0]["content"]
    assert "feature-1 | $" in message and "evil.example" not in message and "chat" not in message
    assert "feature-1" not in words(app).replace("\\", "") and "moved by" in words(app)
    assert "5,555.55" in app.warning[0].value.replace("\\", "")
    assert len(app.dataframe) >= 3


def test_days_are_those_of_the_zone_that_the_pages_share(api: FakeMessagesApi, served: Path, opened: Opened) -> None:
    app = opened(served, "ask", zone="Pacific/Auckland")
    assert "in the time zone Pacific/Auckland" in code(app) and "covers 2026-10-12 to 2026-11-21" in code(app)


def test_names_are_sent_when_they_are_allowed(api: FakeMessagesApi, served: Path, opened: Opened) -> None:
    app = opened(served, "ask", job="Explain a change")
    app.toggle(key="ask_names_explain").set_value(True).run()
    assert '"chat"' in code(app)


def test_the_monthly_note_has_its_figures_before_anything_is_sent(
    api: FakeMessagesApi, served: Path, opened: Opened
) -> None:
    app = opened(served, "ask", job="Monthly note")
    assert not app.exception and api.requests == [] and len(app.dataframe) >= 5
    app.selectbox(key="ask_month").select_index(1).run()
    assert "October 2026 against the month before" in code(app)


def test_a_hostile_answer_is_text_and_nothing_else(api: FakeMessagesApi, served: Path, opened: Opened) -> None:
    app = opened(served, "ask", job="Monthly note")
    api.script = [told(f"See {traffic.HOSTILE}", title="![x](http://evil.example/x.png)")]
    send(app)
    assert not app.exception
    drawn = [block.value for block in app.markdown if "evil" in block.value]
    assert len(drawn) == 2 and all(r"\]\(" in block and "<img" not in block.replace(r"\<", "") for block in drawn)


def test_a_failure_is_a_sentence_on_the_page(api: FakeMessagesApi, served: Path, opened: Opened) -> None:
    app = opened(served, "ask", job="Monthly note")
    api.script = [Turn(401)]
    send(app)
    assert not app.exception and "The API key was not accepted" in app.error[0].value.replace("\\", "")


def test_without_a_key_the_page_says_what_to_set_and_shows_the_figures(
    served: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ANTHROPIC_CONFIG_DIR", str(tmp_path))
    app = opened(served, "ask", job="Monthly note")
    assert not app.exception and "set ANTHROPIC_API_KEY" in app.info[0].value and len(app.dataframe) >= 5
    assert next(button for button in app.button if button.label.startswith("Send")).disabled
