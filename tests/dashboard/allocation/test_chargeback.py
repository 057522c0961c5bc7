"""The page, its files and its commands: rules from the home, and what is wrong with them."""

from decimal import Decimal
from pathlib import Path

import pytest

from dashboard.alerts import rules_file
from dashboard.alerts.parsing import RulesRefused
from dashboard.allocation import file
from dashboard.allocation.rules import in_words
from dashboard.owner import Owner
from dashboard.reports.build import NothingToReport, report_of
from queries import Filters
from tests.dashboard.conftest import Opened
from tests.ingest.loading import load

RULES = """# agreed in May
[versions.one]
from = 2026-01-01
among = "team"
[versions.one.rules.nobody]  # what nobody named
team = ["(unattributed)"]
way = "share"
"""
# 1,000,000 input tokens of claude-opus-5-5 are 4 dollars.
CALL = (
    '{{"timestamp": "2026-11-{day}T08:00:00Z", "request_id": "r{day}", "model": "claude-opus-5-5", '
    '"team": {team}, "input_tokens": {tokens}, "output_tokens": 0, "stop_reason": "end_turn", "feature": "f"}}'
)
CALLS = "\n".join(
    CALL.format(day=day, team=team, tokens=tokens)
    for day, team, tokens in [
        ("01", '"ads"', 3_000_000),
        ("02", '"chat"', 1_000_000),
        ("03", "null", 2_000_000),
    ]
)
LINES = {"ads": (12, 0, 6, 18), "chat": (4, 0, 2, 6), "(unattributed)": (8, -8, 0, 0)}


@pytest.fixture
def charged(home: Path) -> Path:
    load(home, CALLS, name="app.jsonl")
    (home / file.NAME).write_text(RULES)
    (home / "exchange_rates.csv").write_text(
        "currency,valid_from,valid_until,units_per_usd,source\nEUR,2026-11-01,2026-11-02,0.5,ECB\n"
    )
    return home


def test_the_report_has_a_line_for_each_and_the_days_without_a_rate(charged: Path) -> None:
    owner = Owner(charged)
    owner.fold()
    try:
        report = report_of("chargeback", Filters(), owner.read, chosen={"currency": "EUR"}, home=charged)
        with pytest.raises(NothingToReport, match="divides what everybody spent"):
            report_of("chargeback", Filters(teams=("ads",)), owner.read, home=charged)
    finally:
        owner.close()
    month = next(table for table in report.tables if table.title == "1 – 3 Nov 2026")
    columns = month.rows.columns
    names = ("spent_usd", "shared_usd", "allocated_usd", "charged_usd")
    assert {team: tuple(columns[name][row] for name in names) for row, team in enumerate(columns["team"])} == LINES
    # On the third there is no rate: what is unattributed then is not handed out in euros, and said to be missing.
    assert columns["charged_in_eur"] == [6, 2, 0]
    assert columns["unconverted_usd"] == [0, 0, 8]
    assert "No EUR rate for 3 Nov 2026" in month.note
    assert "At 0.5 EUR a dollar, the rate from 1 Nov 2026." in month.note
    assert month.total["charged_usd"] == 24
    rules = next(table for table in report.tables if table.title == "Rules")
    assert rules.rows["handed_out_usd"] == [8]


def test_the_page_shows_it_and_saves_rules_with_their_comments(charged: Path, opened: Opened) -> None:
    app = opened(charged, "chargeback", range="All time")
    assert not app.exception
    table = next(frame.value for frame in app.dataframe if "allocated_usd" in frame.value)
    assert list(table["team"]) == ["ads", "chat", "(unattributed)", "Total"]
    assert list(table["charged_usd"]) == [18, 6, 0, 24]

    app.text_area[0].set_value(RULES.replace('"share"', '"even"').replace("nobody]", "us]"))
    app.button(key="allocation_save").click().run()
    assert not app.exception
    assert "# what nobody named" in (charged / file.NAME).read_text()
    table = next(frame.value for frame in app.dataframe if "allocated_usd" in frame.value)
    assert list(table["charged_usd"]) == [16, 8, 0, 24]

    app.text_area[0].set_value(RULES.replace('"share"', '"shares"'))
    app.button(key="allocation_save").click().run()
    assert "allocation.toml:7: versions.one.rules.nobody.way: 'shares' is not known" in app.code[-1].value
    assert '"even"' in (charged / file.NAME).read_text()


def test_a_file_with_mistakes_is_not_in_force_and_a_page_without_rules_shows_what_was_spent(
    charged: Path, opened: Opened
) -> None:
    (charged / file.NAME).write_text("[versions.one]\nfrom = 1\namong = 'team'\n")
    (charged / "exchange_rates.csv").write_text("currency,valid_from,units_per_usd\nEUR,2026-11-01,x\n")
    app = opened(charged, "chargeback", range="All time")
    assert not app.exception
    assert any("allocation.toml:2: versions.one.from: 1 is no day" in code.value for code in app.code)
    assert any("exchange_rates.csv:2: units_per_usd is 'x'" in code.value for code in app.code)
    table = next(frame.value for frame in app.dataframe if "allocated_usd" in frame.value)
    assert [Decimal(str(cost)) for cost in table["charged_usd"]] == [12, 4, 8, 24]


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("from = 2026-01-01\n", "", "allocation.toml:2: versions.one: from is missing"),
        ('among = "team"', 'among = "user"', "allocation.toml:4: versions.one.among: 'user' is not known"),
        ("team = [", "teams = [", "teams: is not a key that is known here; did you mean team?"),
        ('way = "share"', 'way = "fixed"', "percent is missing"),
        ('way = "share"', 'way = "fixed"\npercent = { a = 60, b = 41 }', "toml:8: versions.one.rules.nobody.percent"),
        ('way = "share"', 'way = "fixed"\npercent = { a = 60, b = 41 }', "adds up to 101; make it 100"),
        ('way = "share"', 'way = "fixed"\npercent = { a = 110, b = -10 }', "has a part below zero"),
        ('way = "share"', 'way = "even"\npercent = { a = 100 }', 'goes with way = "fixed"'),
        ('way = "share"', 'way = "even"\nfeature = ["x"]', "says what is shared by one of feature, team, model"),
        ("# agreed", "[versions.two]\nfrom = 2026-01-01\namong = 'team'\n# agreed", "begin on the same day"),
    ],
)  # fmt: skip
def test_a_mistake_among_rules_is_told_with_its_line(before: str, after: str, sentence: str) -> None:
    with pytest.raises(RulesRefused) as refused:
        file.parse(RULES.replace(before, after))
    assert sentence in str(refused.value)


def test_the_example_is_a_sound_file_and_a_stale_one_is_not_overwritten(home: Path) -> None:
    from datetime import date

    said = file.text(home)
    assert file.is_beginning(said)
    told = file.parse(said + file.example(date(2026, 11, 23)))
    [version] = told.versions
    assert version.begins == date(2026, 11, 1)
    assert in_words(version.rules[0]) == (
        "Team what is unattributed: by share of own spend, among everybody with spend of their own."
    )
    file.write(home, RULES, rules_file.version(said))
    with pytest.raises(rules_file.NotWritten, match="has changed since"):
        file.write(home, RULES, rules_file.version(said))
