"""Asking Claude, against a Messages API on this machine: what leaves, what comes back, what it costs."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dashboard.ask import asking
from dashboard.ask import figures as ask_figures
from dashboard.ask.names import Mask
from dashboard.ask.prompts import for_question, for_telling
from dashboard.owner import Owner
from queries import Filters
from queries.signals import Signal
from tests.dashboard import traffic
from tests.dashboard.test_cli import outlay
from tests.fake_messages_api import FakeMessagesApi, Turn, fake_messages_api
from tests.ingest.loading import load

KEY = "sk-ant-CANARY-KEY"
BEFORE, AFTER = Filters(date(2026, 11, 7), date(2026, 11, 13)), Filters(date(2026, 11, 14), date(2026, 11, 20))
# 40 tokens in, 9,000 read, 100 and 200 written for 5 minutes and an hour, 120 out, two searches; USD a million tokens.
ONE_CALL = (
    Decimal(40 * 2 + 120 * 10) / 10**6
    + (9000 * Decimal("0.1") + 100 * Decimal("2.5") + 200 * 4) / 10**6
    + 2 * Decimal(10) / 1000
)


def sql(text: str, title: str = "Spend by feature") -> Turn:
    return Turn(text=json.dumps({"sql": text, "title": title, "note": "All days."}))


def told(*paragraphs: str, title: str = "Spend rose") -> Turn:
    return Turn(text=json.dumps({"title": title, "paragraphs": paragraphs}))


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeMessagesApi]:
    with fake_messages_api() as running:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", running.url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        yield running


@pytest.fixture
def owner(home: Path) -> Iterator[Owner]:
    load(home, traffic.lines(), name="app.jsonl")
    opened = Owner(home)
    yield opened
    opened.close()


def question(asked: str = "What does each feature cost?") -> Any:
    return for_question(asked, asking.MODEL, date(2026, 11, 21), (date(2026, 10, 12), date(2026, 11, 20)))


def sent(api: FakeMessagesApi) -> str:
    return json.dumps([body for _, _, body in api.requests])


# --- a question ---


def test_a_question_is_answered_by_sql(api, home, owner):
    api.script = [sql("select feature, sum(cost_usd) as cost_usd from facts.calls group by feature")]
    answered = asking.answer_question(asking.Conversation(home, owner).send, owner.ask, question())
    assert answered.title == "Spend by feature" and [of.refusal for of in answered.tries] == [None]
    spend = {row["feature"]: row["cost_usd"] for row in answered.selected.table.to_pylist()}
    assert spend == dict(owner.query("select feature, cost_usd from metrics.spend_by_feature").to_pandas().values)


def test_a_question_sends_its_words_and_the_documentation_and_nothing_from_the_logs(api, home, owner):
    api.script = [sql("select * from facts.attempts")]
    asking.answer_question(asking.Conversation(home, owner).send, owner.ask, question())
    [(path, _, body)] = api.requests
    assert path == "/v1/messages" and body["messages"] == [
        {"role": "user", "content": "Today is 2026-11-21, in the time zone UTC.\n\n"
                                    "The data covers 2026-10-12 to 2026-11-20.\n\n"
                                    "Question: What does each feature cost?"}
    ]  # fmt: skip
    for name in ("chat", "u_00", "support", "growth", "house-model-1", "req_", "evil.example", KEY):
        assert name not in sent(api).replace("support, ", "")


def test_the_instructions_are_marked_for_the_cache_and_are_the_same_each_time(api, home, owner):
    talk = asking.Conversation(home, owner)
    for asked in ("One?", "Two?"):
        api.script = [sql("select 1 as one")]
        asking.answer_question(talk.send, owner.ask, question(asked))
    first, second = (body["system"] for _, _, body in api.requests)
    assert first == second and first[-1]["cache_control"] == {"type": "ephemeral"}
    assert len(first[-1]["text"]) > 4 * 4096  # no model of the price list has a longer minimum, at 4 characters a token


def test_sql_that_fails_is_mended_once_and_both_are_shown(api, home, owner):
    api.script = [sql("select bogus from facts.calls"), sql("select count(*) as calls from facts.calls")]
    answered = asking.answer_question(asking.Conversation(home, owner).send, owner.ask, question())
    assert "bogus" in answered.tries[0].refusal and answered.tries[1].refusal is None
    assert answered.selected.table.num_rows == 1
    _, told_back, again = api.requests[1][2]["messages"]
    assert "select bogus" in told_back["content"] and "bogus" in again["content"]


def test_sql_that_fails_twice_is_shown_and_not_tried_again(api, home, owner):
    api.script = [sql("select * from store.attempts"), sql("attach 'x'"), sql("select 1")]
    answered = asking.answer_question(asking.Conversation(home, owner).send, owner.ask, question())
    assert answered.selected is None and len(api.requests) == 2
    assert [of.refusal for of in answered.tries] == [
        "store.attempts is not one of the documented views", "only a SELECT is run",
    ]  # fmt: skip


def test_an_error_that_quotes_the_data_is_shown_here_and_not_sent(api, home, owner):
    api.script = [sql("select cast(team as integer) from facts.calls"), sql("select 1 as one")]
    answered = asking.answer_question(asking.Conversation(home, owner).send, owner.ask, question())
    assert "Could not convert string" in answered.tries[0].detail
    assert "it failed while reading the rows: Conversion" in sent(api)
    assert "support'" not in sent(api) and "growth" not in sent(api)


def test_a_question_that_the_views_cannot_answer_says_so(api, home, owner):
    api.script = [Turn(text=json.dumps({"sql": "", "title": "Not in the logs", "note": "No view holds prompts."}))]
    answered = asking.answer_question(asking.Conversation(home, owner).send, owner.ask, question())
    assert (answered.tries, answered.selected, answered.note) == ((), None, "No view holds prompts.")


# --- a text about figures ---


def test_names_stay_here_and_are_put_back_in_the_answer(api, home, owner):
    figures = ask_figures.change(owner.read, BEFORE, AFTER, "feature")
    mask = Mask(False, ask_figures.public_models(owner.read))
    api.script = [told("feature-1 moved most, not feature-99.")]
    request = for_telling("explain", figures.task, figures.text(mask), asking.MODEL)
    answer = asking.tell(asking.Conversation(home, owner).send, request, figures.text(mask), mask)
    message = api.requests[0][2]["messages"][0]["content"]
    for name in ("chat", "search", "evil.example", "u_0", "support", "growth", "house-model"):
        assert name not in message
    assert "feature-1 | $" in message and "(unattributed) | $" in message
    costliest = ask_figures.explain(owner.read, BEFORE, AFTER).slices[0].slice
    assert answer.paragraphs[0].endswith(" moved most, not feature-99.") and "feature-1 " not in answer.paragraphs[0]
    assert answer.paragraphs[0].startswith(costliest[:5])


@pytest.mark.parametrize("by", ["feature", "model", "user", "team"])
def test_names_are_sent_where_they_are_allowed_as_quoted_data(owner, by):
    figures = ask_figures.change(owner.read, BEFORE, AFTER, by)
    text = figures.text(Mask(True, ask_figures.public_models(owner.read)))
    expected = {"feature": '"chat"', "model": "claude-haiku-4-5", "user": '"u_0', "team": '"support"'}
    assert expected[by] in text and "\nNot" not in text


def test_the_rows_of_an_answer_are_masked_by_whatever_name_a_column_has(owner):
    rows = owner.query("select feature as thing, [team] as teams, {'u': user_id} as who, count(*) as n "
                       "from facts.calls group by all")  # fmt: skip
    text = ask_figures.answer("How many?", rows).text(Mask(False))
    for name in ("chat", "search", "support", "growth", "u_0"):
        assert name not in text
    assert "name-1" in text


def test_the_monthly_note_adds_up(owner):
    """The causes add up to the change of spend, and so do the features."""
    figures = ask_figures.month(owner.read, Filters(), date(2026, 11, 1))
    tables = {table.title: table.rows for table in figures.tables}
    causes = sum(tables["The change by cause, in parts that add up to it"].column("change_usd").to_pylist())
    features = sum(tables["The change by feature, largest first"].column("change_usd").to_pylist())
    spent = [
        owner.read("totals", Filters(date(2026, month, 1), date(2026, month, 20))).column("cost_usd")[0].as_py()
        for month in (10, 11)
    ]
    assert causes == features == spent[1] - spent[0]
    assert "its first 20 days stand against as many of the month before" in figures.task
    assert "The data begins on 2026-10-12" in figures.task


def test_days_are_those_of_the_readers_clock(owner):
    """The last calls were made on 20 November, at 11 to 14 o'clock UTC: in Auckland that is the 21st."""
    there = Filters(zone="Pacific/Auckland")
    figures = ask_figures.month(owner.read, there, date(2026, 11, 1))
    assert "its first 21 days stand" in figures.task and "time zone Pacific/Auckland" in figures.task
    until_21st = replace(there, since=date(2026, 11, 1), until=date(2026, 11, 21))
    spent = owner.read("totals", until_21st).column("cost_usd")[0].as_py()
    [both, *_] = figures.tables
    assert both.rows.column(2)[0].as_py() == ask_figures.words("cost_usd", spent)
    request = for_question("What did today cost?", asking.MODEL, date(2026, 11, 21), None, None, "Pacific/Auckland")
    assert "Today is 2026-11-21, in the time zone Pacific/Auckland." in request.messages[0]["content"]


def test_numbers_that_stand_nowhere_in_the_figures_are_named():
    figures = "Spend | $1,234.56 | 4.1%\nfeature-1234 | 17,000 | 1.32M"
    assert asking.untraced(["It cost $1,234.56, 4.1% and 1.32M, by feature-1234 on 13 Nov 2026."], figures) == []
    assert asking.untraced(["About $1,235, or 99.5% of 17,000."], figures) == ["$1,235", "99.5"]


def test_a_signal_is_explained_within_its_slice_against_the_same_weekdays(owner):
    """The dear day of the traffic, 17 November, was a Tuesday; so was the 10th."""
    about = Signal(
        "signal", "total", "total", "cost", datetime(2026, 11, 17), datetime(2026, 11, 18), datetime(2026, 11, 18),
        2.0, 1.0, 0.5, 1.5, 9.0, 1.0, "input", {"input": 1.0}, "u_003", False,
    )  # fmt: skip
    figures = ask_figures.signal(owner.read, replace(about, slice_kind="feature", slice="chat"), "UTC")
    assert "(17 Nov 2026) stand against the same weekdays before (10 Nov 2026), within its feature" in figures.task
    text = figures.text(Mask(False))
    assert "feature | feature-1 | cost | 17 Nov 2026 | 100.0% | $1.00 | input | user-1" in text
    assert "chat" not in text and "u_0" not in text
    first, last = (
        owner.read("totals", Filters(date(2026, 11, day), date(2026, 11, day), features=("chat",))).to_pylist()[0]
        for day in (10, 17)
    )
    causes = next(table.rows for table in figures.tables if table.title.startswith("The change by cause"))
    assert sum(causes.column("change_usd").to_pylist()) == last["cost_usd"] - first["cost_usd"]


# --- what it costs ---


def test_own_calls_are_recorded_loaded_and_priced_to_the_digit(api, home, owner):
    talk = asking.Conversation(home, owner)
    api.script = [sql("select bogus from facts.calls"), sql("select 1 as one")]
    asking.answer_question(talk.send, owner.ask, question())
    assert talk.paid() == asking.Paid(2, 80, 18_000, 600, 240, 2 * ONE_CALL)
    api.script = [sql("select 2 as two")]
    asking.answer_question(talk.send, owner.ask, question())
    assert talk.paid().cost_usd == 3 * ONE_CALL == Decimal("0.06969")
    [shown] = owner.query(
        "select cost_usd, calls from metrics.spend_by_feature where feature = 'outlay-ask'"
    ).to_pylist()
    assert shown == {"cost_usd": 3 * ONE_CALL, "calls": 3}
    jobs = owner.query("select distinct tags from facts.attempts where feature = 'outlay-ask'").column("tags")
    assert sorted(jobs.to_pylist()) == ['{"job":"question"}', '{"job":"repair"}']
    lines = (home / "ask.jsonl").read_text()
    assert KEY not in lines and "What does each" not in lines and "bogus" not in lines


def test_the_bound_on_a_price_is_above_what_is_paid(owner):
    """18,000 characters are at most 6,000 tokens at $2.50, and 8,000 tokens of answer at $10 a million."""
    prices = owner.query("from metrics.price_list").to_pylist()
    request = question()
    least = Decimal(request.characters // 3) * Decimal("2.5") / 10**6 + Decimal(8000 * 10) / 10**6
    assert least <= asking.at_most(request, prices) < least + Decimal("0.01")
    assert asking.at_most(for_telling("explain", "", "", "house-model-1"), prices) is None
    assert asking.least_cacheable(prices, "claude-sonnet-5-5") == 512


# --- when it does not work ---


@pytest.mark.parametrize(
    ("turn", "sentence"),
    [
        (Turn(401), "The API key was not accepted. Set a valid ANTHROPIC_API_KEY and start Outlay again."),
        (Turn(404), "The API does not know the model claude-sonnet-5-5. Set another with OUTLAY_ASK_MODEL."),
        (Turn(400), "The API did not take the request (400)."),
        (Turn(429, headers={"x-should-retry": "false"}), "The API's rate limit was reached"),
        (Turn(529, headers={"x-should-retry": "false"}), "The API answered 529, also after waiting."),
        (Turn(text="{}", stop_reason="refusal"), "Claude declined to answer this."),
        (Turn(text='{"sql": "sel', stop_reason="max_tokens"), "The answer was cut off at 8,000 tokens."),
        (Turn(text="Here is your SQL!"), "did not answer in the form asked for"),
        (Turn(text='{"sql": "select 1"}'), "did not answer in the form asked for"),
    ],
)  # fmt: skip
def test_every_failure_is_a_sentence_without_the_apis_own_words(api, home, owner, turn, sentence):
    api.script = [turn]
    with pytest.raises(asking.NotAnswered) as raised:
        asking.Conversation(home, owner).send(question())
    assert sentence in str(raised.value) and "CANARY" not in str(raised.value)


def test_without_a_key_it_says_which_to_set(home, owner, monkeypatch, tmp_path):
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ANTHROPIC_CONFIG_DIR", str(tmp_path))
    with pytest.raises(asking.NotAnswered, match="set ANTHROPIC_API_KEY"):
        asking.Conversation(home, owner)


# --- the command ---


def test_the_command_shows_everything_before_and_sends_nothing_unasked(api, home, owner):
    owner.close()
    shown = outlay(home, "ask", "--explain", "--since", "2026-11-14", "--until", "2026-11-20", "--show")
    assert shown.returncode == 0 and "Instructions:" in shown.stdout and "feature-1 | $" in shown.stdout
    unasked = outlay(home, "ask", "What did November cost?")
    assert unasked.returncode == 2 and "nobody is there to agree" in unasked.stderr
    assert api.requests == [] and "evil.example" not in shown.stdout and "u_0" not in shown.stdout


def test_the_command_prints_answer_sql_rows_and_price(api, home, owner):
    owner.close()
    api.script = [sql("select count(*) as calls from facts.calls")]
    said = outlay(home, "ask", "How many calls were there?", "--yes", "--format", "csv")
    assert said.returncode == 0, said.stderr
    assert said.stdout == "calls\n240\n"
    assert "select count(*) as calls from facts.calls" in said.stderr and "$0.02323." in said.stderr


def test_the_command_asks_a_running_server(api, home, owner, server: Callable[[Path], str]):
    owner.close()
    server(home)
    api.script = [sql("select * from store.loads"), sql("select count(*) as calls from facts.calls"),
                  told("It cost $99.99.")]  # fmt: skip
    said = outlay(home, "ask", "How many calls were there?", "--yes")
    assert "240" in said.stdout and "store.loads is not one of the documented views" in said.stderr
    text = outlay(home, "ask", "--monthly-note", "2026-11", "--yes")
    assert "It cost $99.99." in text.stdout and "Not in the figures: $99.99." in text.stdout
    spend = outlay(home, "query", "select calls from metrics.spend_by_feature where feature = 'outlay-ask'").stdout
    assert spend.split()[-1] == "3"


@pytest.mark.parametrize(
    "arguments",
    [[], ["x", "--explain"], ["--explain"], ["--explain", "--since", "2026-11-20", "--until", "2026-11-01"]],
)
def test_a_wrong_use_is_answered_with_the_right_one(home, arguments):
    said = outlay(home, "ask", *arguments)
    assert said.returncode == 2 and said.stderr.startswith("outlay: ")
