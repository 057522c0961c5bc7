"""The Budgets and Alerts pages, as their readers use them: setting up, changing, switching off, testing, editing."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.alerts import ledger, rules_file
from dashboard.alerts.evaluation import evaluate, sight
from dashboard.owner import Owner
from tests.dashboard import traffic
from tests.dashboard.conftest import Opened
from tests.ingest.loading import load

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
RULES = """\
# Kept by the platform team.
[channels.team]
kind = "webhook"
url_env = "TEAM_HOOK"
secret_env = "TEAM_SECRET"

[budgets.all]
amount_usd = 0.5
period = "month"

[budgets.chat]
amount_usd = "12.34"
period = "90 days"
features = ["chat"]

[alerts.budgets]
kind = "budget"
channels = ["team"]

[alerts.waits]
kind = "metric"
metric = "latency"
column = "p95_ms"
above = 1
window = "30 days"
"""


def words(app: AppTest) -> str:
    said = [app.title, app.subheader, app.caption, app.markdown, app.error, app.success, app.code, app.button]
    return "\n".join(str(getattr(of, "value", "") or getattr(of, "label", "")) for kind in said for of in kind)


def press(app: AppTest, label: str) -> AppTest:
    return next(button for button in app.button if button.label == label).click().run()


def field(app: AppTest, label: str):
    kinds = (app.text_input, app.selectbox, app.multiselect, app.toggle, app.number_input, app.text_area)
    return next(widget for kind in kinds for widget in kind if widget.label == label)


def form(kind: str, name: str | None = None) -> AppTest:
    """A form as it stands open: the tests' pages close a dialog with every run."""
    return AppTest.from_string(
        f"""
import streamlit as st
from dashboard import alert_form, budget_form, data, rules_state
data.look()
state = st.session_state.setdefault("state", rules_state.current())
{kind}_form.edit(state, state.rules.{kind}s.get({name!r}))
""",
        default_timeout=60,
    ).run()


@pytest.fixture
def watched(full_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The rules of a home with traffic, in a file of this test's own."""
    file = tmp_path / "rules.toml"
    file.write_text(RULES)
    monkeypatch.setenv("OUTLAY_RULES", str(file))
    return file


def test_an_empty_page_explains_and_a_first_budget_is_written_to_the_file(home: Path, opened: Opened) -> None:
    app = opened(home, "budgets")
    assert "No budgets yet" in words(app) and "never blocks a call" in words(app)

    app = form("budget")
    field(app, "Name").set_value("search")
    field(app, "Amount in US dollars").set_value("$1,234.50")
    field(app, "For each").set_value("Week")
    press(app, "Save")

    budget = rules_file.read(home / "rules.toml").budgets["search"]
    assert not app.exception
    assert (budget.amount_usd, budget.period.word, budget.marks) == (Decimal("1234.50"), "week", (50, 80, 100))


@pytest.mark.parametrize("amount", ["", "-5", "much", "0", "1e99"])
def test_an_amount_that_is_none_is_refused_with_a_sentence(
    home: Path, monkeypatch: pytest.MonkeyPatch, amount: str
) -> None:
    monkeypatch.setenv("OUTLAY_HOME", str(home))
    app = form("budget")
    field(app, "Name").set_value("search")
    field(app, "Amount in US dollars").set_value(amount)
    press(app, "Save")

    assert "Write the amount as a number above zero, like 5000 or 99.50." in words(app)
    assert not (home / "rules.toml").exists()


def test_a_budget_is_shown_changed_and_deleted_and_comments_stay(
    watched: Path, full_home: Path, opened: Opened
) -> None:
    app = opened(full_home, "budgets")
    assert not app.exception
    assert [of.value for of in app.subheader] == ["all", "chat"]
    assert "chat · \\$12.34 any 90 days" in words(app)

    app = form("budget", "chat")
    field(app, "Amount in US dollars").set_value("20")
    press(app, "Save")
    assert 'amount_usd = 20\nperiod = "90 days"' in watched.read_text()

    press(form("budget", "chat"), "Delete")
    assert watched.read_text() == RULES[: RULES.index("[budgets.chat]")] + RULES[RULES.index("[alerts.budgets]") :]


def test_alerts_show_what_fires_why_and_what_was_told(watched: Path, home: Path, opened: Opened) -> None:
    load(home, traffic.lines())
    owner = Owner(home)
    evaluate(home, rules_file.read(watched), sight(home, owner.read, lambda zone: ()), NOW)
    owner.close()
    app = opened(home, "alerts")
    said = words(app)

    assert not app.exception
    assert "Firing" in said and "p95 latency" in said
    assert "Tells team" in said
    app.segmented_control(key="show").set_value("History").run()
    assert list(app.dataframe[0].value["rule"])[:1] == ["waits"]
    app.segmented_control(key="show").set_value("Channels").run()
    assert "address from TEAM\\_HOOK" in words(app)
    press(app, "Send a test")
    assert "the environment variable TEAM\\_HOOK is not set where Outlay runs" in words(app)


def test_a_rule_is_switched_off_and_on_in_the_file(watched: Path, full_home: Path, opened: Opened) -> None:
    app = opened(full_home, "alerts")
    app.toggle(key="on_waits").set_value(False).run()
    assert not rules_file.read(watched).alerts["waits"].is_enabled
    app.toggle(key="on_waits").set_value(True).run()
    assert watched.read_text() == RULES


def test_an_alert_is_set_up_changed_in_kind_and_deleted(
    watched: Path, full_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTLAY_HOME", str(full_home))
    app = form("alert")
    field(app, "Name").set_value("cut")
    field(app, "Figure").set_value("truncation").run()
    field(app, "Which").set_value("truncation_rate")
    field(app, "Line").set_value("0.1")
    press(app, "Save")
    assert not app.error, words(app)
    alert = rules_file.read(watched).alerts["cut"]
    assert (alert.watch.view, alert.watch.limit, alert.channels) == ("truncation", Decimal("0.1"), ("team",))

    app = form("alert", "cut")
    field(app, "When").set_value("missing").run()
    press(app, "Save")
    assert rules_file.read(watched).alerts["cut"].kind == "missing"

    press(form("alert", "cut"), "Delete")
    assert watched.read_text() == RULES


def test_a_mistake_in_the_editor_is_told_with_its_line_and_not_saved(
    watched: Path, full_home: Path, opened: Opened
) -> None:
    app = opened(full_home, "alerts", show="File")
    app.segmented_control(key="show").set_value("File").run()
    app.text_area[0].set_value(RULES.replace("p95_ms", "p96_ms"))
    press(app, "Check and save")
    assert "rules.toml:23: alerts.waits.column: latency has no number called 'p96_ms'; did you mean" in words(app)
    assert watched.read_text() == RULES

    app.text_area[0].set_value(RULES.replace("above = 1", "above = 2"))
    press(app, "Check and save")
    assert "above = 2" in watched.read_text()


def test_a_file_with_mistakes_is_not_in_force_and_says_why(watched: Path, full_home: Path, opened: Opened) -> None:
    watched.write_text(RULES + 'nonsense = "yes"\n')
    for page in ("budgets", "alerts"):
        app = opened(full_home, page)
        assert not app.exception
        assert "rules.toml:26: alerts.waits.nonsense: is not a key that is known here" in words(app)


def test_a_hostile_name_is_only_text(home: Path, opened: Opened) -> None:
    load(home, traffic.lines())
    name = traffic.HOSTILE
    said = rules_file.put("", "budgets", name, {"amount_usd": 1, "period": "month", "features": [name]})
    said = rules_file.put(said, "alerts", name, {"kind": "missing", "after": "1 hour", "features": [name]})
    home.joinpath("rules.toml").write_text(said)
    for page in ("budgets", "alerts"):
        app = opened(home, page)
        assert not app.exception
        assert r"\[click\]\(" in words(app) and "[click](" not in words(app)


def test_nothing_is_told_of_a_page_that_only_looks(watched: Path, full_home: Path, opened: Opened) -> None:
    before = ledger.history(full_home)
    opened(full_home, "budgets")
    opened(full_home, "alerts")
    assert ledger.history(full_home) == before
