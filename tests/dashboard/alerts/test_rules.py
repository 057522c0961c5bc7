"""The rules file: what it may say, where its mistakes are, and that a change never half-writes or overwrites it."""

import tomllib
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.alerts import rules_file, times
from dashboard.alerts.parsing import RulesRefused, parse
from dashboard.alerts.rules import BudgetWatch, MetricWatch, SignalsWatch
from dashboard.alerts.times import Period, Quiet

README = Path(__file__).parents[3] / "README.md"
RULES = """\
zone = "Europe/Berlin"

[channels.team]   # the whole team reads it
kind = "apprise"
url_env = "OUTLAY_SLACK_URL"

[budgets.all]
amount_usd = 1234.56
period = "month"

[alerts.errors]
kind = "metric"
metric = "reliability"
column = "final_error_rate"
above = 0.05
window = "24 hours"
each = "feature"
channels = ["team"]
"""


def problems(text: str) -> list[str]:
    with pytest.raises(RulesRefused) as refused:
        parse(text)
    return str(refused.value).splitlines()


def test_rules_are_read_exactly() -> None:
    rules = parse(RULES)
    watch = rules.alerts["errors"].watch

    assert rules.budgets["all"].amount_usd == Decimal("1234.56")
    assert rules.budgets["all"].filters.zone == "Europe/Berlin"
    assert isinstance(watch, MetricWatch)
    assert (watch.view, watch.limit, watch.window) == ("reliability_by_feature", Decimal("0.05"), timedelta(days=1))
    assert rules.alerts["errors"].channels == ("team",)


def test_the_example_of_the_readme_is_sound() -> None:
    """Every kind of rule and channel, in the words that the README uses."""
    [example] = [part.partition("```")[0] for part in README.read_text().split("```toml\n")[1:] if "[alerts." in part]
    rules = parse(example)

    assert {type(alert.watch) for alert in rules.alerts.values()} >= {MetricWatch, BudgetWatch, SignalsWatch}
    assert {alert.kind for alert in rules.alerts.values()} == {"metric", "signals", "budget", "missing"}
    assert {channel.kind for channel in rules.channels.values()} == {"apprise", "webhook"}


@pytest.mark.parametrize(
    "before, after, line, said",
    [
        ("Europe/Berlin", "Berlin", 1, "zone: 'Berlin' is no time zone; write one like Europe/Berlin"),
        ('url_env = "OUTLAY_SLACK_URL"', 'url_env = "https://hooks.example/T0"', 5, "not the name of an environment"),
        ('url_env = "OUTLAY_SLACK_URL"', 'url_env = "A"\nurl = "x"', 6, "an address is a secret"),
        ("1234.56", "-1", 8, "budgets.all.amount_usd: '-1' is no amount"),
        ("1234.56", "nan", 8, "is no amount"),
        ('"month"', '"fortnight"', 9, 'is no period; write "month", "week"'),
        ("[budgets.all]", "[budget.all]", 7, "did you mean budgets?"),
        ('"reliability"', '"relability"', 13, "did you mean 'reliability'?"),
        ('"final_error_rate"', '"final_eror_rate"', 14, "did you mean final_error_rate?"),
        ("above = 0.05\n", "", 11, "alerts.errors: says nothing to compare with"),
        ("above = 0.05", "above = 1\nbelow = 2", 11, "has above and below"),
        ('"24 hours"', '"a day"', 16, 'is no length of time; write one like "30 minutes"'),
        ('["team"]', '["teem"]', 18, "did you mean 'team'?"),
        ("channels =", "chanels =", 18, "did you mean channels?"),
        ('"feature"', '"day"', 17, "'day' is not known"),
        ("[alerts.errors]", "[alerts.errors", 11, "this is not TOML"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_to_do(before: str, after: str, line: int, said: str) -> None:
    assert before in RULES
    [problem] = problems(RULES.replace(before, after, 1))

    assert problem.startswith(f"rules.toml:{line}: ")
    assert said in problem
    assert "hooks.example" not in problem


def test_all_mistakes_are_told_at_once() -> None:
    assert (
        len(problems(RULES.replace("1234.56", "0").replace('"24 hours"', "24").replace("team]", "team]\nx = 1"))) == 3
    )


@given(st.text(max_size=60), st.sampled_from(["zone", "base_url", "budgets", "alerts.a.kind", "channels.c.url_env"]))
def test_any_value_is_taken_or_refused_with_a_sentence(value: str, key: str) -> None:
    try:
        parse(f"{key} = {tomlkit_string(value)}")
    except RulesRefused as refused:
        assert all(str(problem.line) in str(refused) for problem in refused.problems)


@given(st.text(max_size=200))
def test_any_text_is_taken_or_refused_with_a_sentence(text: str) -> None:
    try:
        parse(text)
    except RulesRefused as refused:
        assert str(refused).startswith("rules.toml:")


def tomlkit_string(value: str) -> str:
    import tomlkit

    return tomlkit.string(value).as_string()


def test_a_change_keeps_comments_and_everything_else(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(RULES)
    changed = rules_file.put(RULES, "budgets", "all", {"amount_usd": 2000, "marks": [50], "zone": None})
    changed = rules_file.put(changed, "budgets", "search", {"amount_usd": "99.50", "period": "week"})

    before, after = RULES.splitlines(), changed.splitlines()
    assert [line for line in before if line not in after] == ["amount_usd = 1234.56"]
    assert tomllib.loads(changed)["budgets"]["search"] == {"amount_usd": "99.50", "period": "week"}
    assert rules_file.remove(rules_file.put(RULES, "budgets", "x", {"amount_usd": 1}), "budgets", "x") == RULES


@given(st.text(min_size=1, max_size=30), st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=3))
def test_any_name_survives_the_file(name: str, features: list[str]) -> None:
    said = rules_file.put("", "budgets", name, {"amount_usd": 5, "period": "day", "features": features})
    budget = parse(said).budgets[name]

    assert budget.filters.features == tuple(features)
    assert tomllib.loads(rules_file.remove(said, "budgets", name) or "") == {}


def test_a_file_that_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    opened = rules_file.version(rules_file.text(file))
    rules_file.write(file, RULES, opened)
    with pytest.raises(rules_file.NotWritten, match="has changed"):
        rules_file.write(file, "zone = 'UTC'\n", opened)
    with pytest.raises(RulesRefused):
        rules_file.write(file, "zone = 3\n", rules_file.version(RULES))

    assert file.read_text() == RULES
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_into_a_working_copy_stays_a_link(tmp_path: Path) -> None:
    kept, file = tmp_path / "copy" / "rules.toml", tmp_path / "rules.toml"
    kept.parent.mkdir()
    kept.write_text("")
    file.symlink_to(kept)
    rules_file.write(file, RULES, rules_file.version(""))

    assert file.is_symlink()
    assert kept.read_text() == RULES


@pytest.mark.parametrize(
    "word, today, first, last",
    [
        ("day", date(2026, 11, 23), date(2026, 11, 23), date(2026, 11, 23)),
        ("week", date(2026, 11, 22), date(2026, 11, 16), date(2026, 11, 22)),
        ("month", date(2028, 2, 3), date(2028, 2, 1), date(2028, 2, 29)),
        ("quarter", date(2026, 11, 23), date(2026, 10, 1), date(2026, 12, 31)),
        ("30 days", date(2026, 11, 23), date(2026, 10, 25), date(2026, 11, 23)),
    ],
)
def test_periods_are_whole_days(word: str, today: date, first: date, last: date) -> None:
    period = times.period(word)
    assert period.days(today) == (first, last)
    assert period.word == word


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.sampled_from(times.CALENDAR))
def test_calendar_periods_meet_without_gap_or_overlap(today: date, unit: str) -> None:
    first, last = Period(unit).days(today)
    assert first <= today <= last
    assert Period(unit).days(first) == Period(unit).days(last) == (first, last)
    assert Period(unit).days(last + timedelta(days=1))[0] == last + timedelta(days=1)


@pytest.mark.parametrize(
    "clock, until",
    [("21:59", "21:59"), ("22:00", "07:00"), ("23:30", "07:00"), ("06:59", "07:00"), ("07:00", "07:00")],
)
def test_quiet_hours_over_midnight_end_in_the_morning(clock: str, until: str) -> None:
    moment = datetime.combine(date(2026, 11, 23), time.fromisoformat(clock), UTC)
    over = Quiet(time(22), time(7)).over_at(moment, "UTC")

    assert f"{over:%H:%M}" == until
    assert timedelta() <= over - moment <= timedelta(hours=9)


def test_quiet_hours_are_on_the_rules_own_clock() -> None:
    """06:30 UTC is 07:30 in Berlin in winter and 08:30 in summer: over there."""
    quiet = times.quiet("22:00 to 07:00")
    for month in (1, 7):
        moment = datetime(2026, month, 5, 6, 30, tzinfo=UTC)
        assert quiet.over_at(moment, "UTC") == moment.replace(hour=7, minute=0)
        assert quiet.over_at(moment, "Europe/Berlin") == moment


@given(st.integers(1, 5000))
def test_lengths_of_time_are_said_as_they_are_read(minutes: int) -> None:
    assert times.length(times.said(timedelta(minutes=minutes))) == timedelta(minutes=minutes)
