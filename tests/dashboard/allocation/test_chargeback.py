"""The page, its files and its commands: rules from the home, and what is wrong with them."""

import csv
import io
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from dashboard.alerts import rules_file
from dashboard.alerts.parsing import RulesRefused
from dashboard.allocation import file
from dashboard.allocation.rules import in_words
from dashboard.cents import rounded
from dashboard.cli import main
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
    # On the third there is no rate: what each pays of its dollars stands beside the euros.
    assert columns["charged_in_eur"] == [6, 2, 0]
    assert columns["unconverted_usd"] == [6, 2, 0]
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
        "Team (unattributed): by share of own spend, among everybody with spend of their own."
    )
    file.write(home, RULES, rules_file.version(said))
    with pytest.raises(rules_file.NotWritten, match="has changed since"):
        file.write(home, RULES, rules_file.version(said))


def test_the_commands_say_the_same_and_check_the_files(charged: Path) -> None:
    run = partial(CliRunner().invoke, main)
    told = run(["--home", str(charged), "allocate", "--currency", "EUR", "--format", "csv"])
    assert told.exit_code == 0, told.output
    lines = {row["charged"]: row for row in csv.DictReader(io.StringIO(told.output))}
    assert {name: Decimal(row["charged_usd"]) for name, row in lines.items()} == {
        name: charged for name, (*_, charged) in LINES.items()
    }
    assert [Decimal(lines[name]["charged_in_eur"]) for name in LINES] == [6, 2, 0]
    assert [Decimal(lines[name]["unconverted_usd"]) for name in LINES] == [6, 2, 0]

    assert (
        "1 versions of rules, 1 exchange rates: all sound"
        in run(["--home", str(charged), "allocate", "--check"]).output
    )
    unknown = run(["--home", str(charged), "allocate", "--currency", "GBP"])
    assert unknown.exit_code == 2
    assert "no exchange rate of GBP" in unknown.output
    (charged / "contract_prices.csv").write_text("valid_from,discount_percent\n2026-01-01,-1\n")
    wrong = run(["--home", str(charged), "allocate", "--check"])
    assert wrong.exit_code == 2
    assert "contract_prices.csv:2: discount_percent is '-1'" in wrong.output


def test_a_statement_has_the_amounts_of_the_spend_page_and_a_line_for_rounding(home: Path) -> None:
    # Three teams with 1,000 and 1,250 tokens at 4 dollars a million: 0.4 and 0.5 cents each, 1.5 in all less a tenth.
    tokens = [("01", '"ads"', 1_250), ("02", '"chat"', 1_250), ("03", "null", 1_000)]
    load(home, "\n".join(CALL.format(day=day, team=team, tokens=n) for day, team, n in tokens), name="app.jsonl")
    (home / "exchange_rates.csv").write_text("currency,valid_from,usd_per_unit\nEUR,2026-01-01,0.5\n")
    owner = Owner(home)
    owner.fold()
    try:
        report = report_of("statement", Filters(), owner.read, chosen={"currency": "EUR"}, home=home)
        spend = report_of("spend", Filters(), owner.read, chosen={"by": "Team"}, home=home)
    finally:
        owner.close()
    page = next(table.rows for table in report.tables if table.title == "By team")
    cents = dict(zip(page["team"], page["cost_usd"], strict=True))
    assert cents == {
        "ads": Decimal("0.01"),
        "chat": Decimal("0.01"),
        "(unattributed)": 0,
        "(rounding)": Decimal("-0.01"),
    }
    by_team = next(table.rows for table in spend.tables if table.title == "Spend by team")
    for team, cost in zip(by_team["team"], by_team["cost_usd"], strict=True):
        assert cents[team] == rounded(cost)
    # At 0.50 dollars a euro: 1, 1 and 0.8 cents are 2.8, which is 3 as their sum and as their sum of cents.
    euros = dict(zip(page["team"], page["cost_in_eur"], strict=True))
    assert euros == dict.fromkeys(("ads", "chat", "(unattributed)"), Decimal("0.01")) | {"(rounding)": 0}
