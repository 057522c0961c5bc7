"""Savings from the log file to page and command: the worked example to the cent, and what people decide."""

import csv
import gzip
import io
import shutil
import textwrap
from datetime import date
from decimal import Decimal
from pathlib import Path

import mypy.api
import pytest
from click.testing import CliRunner

from dashboard.advice import kept, words
from dashboard.advice.finding import Measure
from dashboard.cli import main
from sample_logs import worked_example
from tests.ingest.loading import load

SAMPLE = Path(worked_example.__file__).with_name("worked_example.jsonl.gz")
FEATURES = ("assistant", "nightly_report")


def outlay(home, *words_):
    told = CliRunner().invoke(main, ["--home", str(home), *words_])
    assert told.exit_code == 0, told.output
    return told.output


@pytest.fixture(scope="module")
def example_home(tmp_path_factory):
    home = tmp_path_factory.mktemp("example")
    load(home, SAMPLE.read_bytes(), name=SAMPLE.name)
    for feature in FEATURES:
        outlay(home, "advice", "limit", feature, "12000")
        outlay(home, "advice", "prefix", feature, "5000")
    return home


@pytest.fixture(scope="module")
def page_home(example_home, tmp_path_factory):
    """The same for pages: they keep the store open, and a command in the same process could not."""
    return shutil.copytree(example_home, tmp_path_factory.mktemp("pages") / "home")


@pytest.fixture
def shown(opened):
    """Opens a page and looks again until the advice has been worked out."""

    def show(*asked, **params):
        page = opened(*asked, **params)
        for _ in range(60):  # each look waits a moment by itself
            if not any("Every call is being looked at" in said.value for said in page.info):
                break
            page = page.run()
        assert not page.exception
        return page

    return show


def listed(home, *options):
    return list(csv.DictReader(io.StringIO(outlay(home, "advice", "--format", "csv", *options))))


def test_the_sample_is_what_its_generator_writes():
    assert gzip.decompress(SAMPLE.read_bytes()).decode().splitlines() == list(worked_example.lines())


def test_the_worked_example_comes_out_to_the_cent(example_home):
    rows = listed(example_home, "--least", "0")
    saved = sum(Decimal(row["saving_usd"]) for row in rows)
    # 2,700 calls: $162.00. Limit: 2,000 tokens of each, $16.20. Cache: 5,000 tokens of each at $2.70 a million less,
    # $36.45, less ten cold starts (two features, five days) of $0.01725. Batch: half of what is left of 200 calls.
    limit = 2_700 * 2_000 * Decimal("0.000003")
    cache = 2_700 * 5_000 * Decimal("0.0000027") - 10 * Decimal("0.01725")
    batch = (200 * Decimal("0.0405") + 5 * Decimal("0.01725")) / 2
    assert saved == limit + cache + batch == Decimal("56.570625")
    assert saved / 162 - Decimal("0.35") < 0  # 35 % of $162.00 is $56.70: the cold starts make the difference
    assert Decimal("56.70") - saved == 5 * Decimal("0.01725") + 5 * Decimal("0.01725") / 2
    assert {(row["measure"], row["feature"]) for row in rows} == {
        ("cap_input", "assistant"), ("cap_input", "nightly_report"), ("cache_prefix", "assistant"),
        ("cache_prefix", "nightly_report"), ("batch_api", "nightly_report"),
    }  # fmt: skip


def test_the_page_says_what_the_command_says(page_home, shown):
    page = shown(page_home, "advice", least="0")
    told = {metric.label: metric.value for metric in page.metric}
    assert told["Spend in the period"] == "$162.00"
    assert told["Could be saved a month"] == "$339.42"  # 56.570625 x 30 / 5
    assert told["Share of spend"] == "34.9%"
    assert len([badge for badge in page.markdown if "a month]" in badge.value]) == 5


def test_the_simulator_adds_up_and_answers_its_switches(page_home, shown):
    page = shown(page_home, "simulator")
    told = {metric.label: metric.value for metric in page.metric}
    assert (told["Spend in the period"], told["Left"], told["Saved"]) == ("$162.00", "$105.43", "$56.57")
    batch = next(toggle for toggle in page.toggle if "Batch API" in toggle.label)
    page = batch.set_value(False).run()
    # Without the batch: 162 - 16.20 - 36.2775.
    assert {metric.label: metric.value for metric in page.metric}["Left"] == "$109.52"
    page = page.slider(key="discount").set_value(10).run()
    assert {metric.label: metric.value for metric in page.metric}["Left"] == "$98.57"
    page = page.select_slider(key="limit").set_value("128,000 tokens").run()
    # No prompt is that long: the limit saves nothing, and the cache as much as before. (162 - 36.2775) x 0.9.
    assert {metric.label: metric.value for metric in page.metric}["Left"] == "$113.15"


def test_who_looks_further_sees_other_limits_and_the_newest_price(page_home, shown):
    """2,500 and 200 prompts of 14,000 tokens: 8,000 leaves 6,000 of each, at $3 a million $45 and $3.60."""
    page = shown(page_home, "advice", further="true")
    limits = next(of.value for of in page.dataframe if "limit_tokens" in of.value)
    told = {(row.feature, row.limit_tokens): row for row in limits.itertuples()}
    assert (told["assistant", 8_000].long_calls, told["assistant", 8_000].saving_usd) == (2_500, 45)
    assert (told["nightly_report", 8_000].long_calls, told["nightly_report", 8_000].saving_usd) == (200, 3.6)
    page = shown(page_home, "simulator", priced_on="The same models, at their newest list price")
    priced = next(of.value for of in page.dataframe if "other_cost_usd" in of.value)
    assert list(priced["other_cost_usd"]) == [150, 12, 162]  # the total last; no price has changed since


def test_what_is_dismissed_is_gone_until_it_is_taken_back(example_home):
    batch = next(row for row in listed(example_home, "--least", "0") if row["measure"] == "batch_api")["measure_id"]
    outlay(example_home, "advice", "dismiss", batch, "--by", "Ada")
    try:
        rows = listed(example_home, "--least", "0")
        assert {row["measure_id"]: row["state"] for row in rows}[batch] == "dismissed"
        open_ = [row for row in rows if row["state"] == "open"]
        assert sum(Decimal(row["saving_usd"]) for row in open_) == Decimal("16.2") + Decimal("36.2775")
        assert kept.standing(example_home)[batch].decided_by == "Ada"
    finally:
        outlay(example_home, "advice", "undo", batch)
    assert {row["state"] for row in listed(example_home, "--least", "0")} == {"open"}


def test_what_is_worth_little_stays_silent(example_home):
    assert "cap_input: nightly_report" not in outlay(example_home, "advice")  # $5.40 a month
    assert "2 more are worth less than $25 a month" in outlay(example_home, "advice")


def test_a_measure_that_is_done_says_when_it_is_too_early(page_home, shown):
    nothing = Decimal(0)
    cap = Measure("cap_input", "cap", "assistant", None, "B", nothing, nothing, nothing, nothing)
    kept.decide(page_home, "done", cap, "Ada", date(2026, 11, 11))
    page = shown(page_home, "advice", state="Done")
    assert any("Too early to tell: 2 days and 1,000 calls before, 2 days and" in said.value for said in page.markdown)
    page = page.button(key=f"undo_done_{cap.measure_id}").click().run()
    assert any("Nothing is marked as done" in said.value for said in page.caption)


def test_where_nothing_is_worth_a_word_the_page_says_so(full_home, shown):
    page = shown(full_home, "advice", least="1000000")
    assert any("Nothing to advise" in said.value for said in page.subheader)


def test_commands_refuse_what_they_do_not_know(example_home):
    runner = CliRunner()
    for wrong in (["dismiss", "nonsense"], ["undo", "nonsense"], ["limit", "assistant", "many"]):
        told = runner.invoke(main, ["--home", str(example_home), "advice", *wrong])
        assert told.exit_code in (1, 2)
        assert told.output.startswith("outlay: ")


def test_a_feature_called_like_markup_is_shown_as_it_is_written():
    assert words.title("cap_input", "cap", "**bold**", None) == r"Limit how long prompts may be: \*\*bold\*\*"


def test_the_example_has_the_lifetime_and_the_limit_that_are_advised():
    nothing = Decimal(0)
    cache = Measure("cache_prefix", "cache", "f", "m", "B", *[nothing] * 4, settings={"lifetime": "1h"})
    assert '"ttl": "1h"' in words.example(cache)
    cap = Measure("cap_input", "cap", "f", None, "B", *[nothing] * 4, settings={"limit_tokens": 12_000})
    assert "if counted.input_tokens > 12_000:" in words.example(cap)


def test_decisions_keep_what_they_were_about(home):
    nothing = Decimal(0)
    measure = Measure("cap_input", "cap", "f", None, "B", nothing, nothing, nothing, nothing)
    kept.decide(home, "done", measure, "Ada", date(2026, 11, 3))
    kept.decide(home, "dismissed", measure, "Grace")
    (standing,) = kept.standing(home).values()
    assert (standing.kind, standing.feature, standing.since, standing.decided_by) == ("dismissed", "f", None, "Grace")
    kept.tell(home, "limit", "f", 4_000, "Ada")
    kept.tell(home, "limit", "f", 8_000, "Ada")
    kept.tell(home, "limit", "g", 1, "Ada")
    kept.tell(home, "limit", "g", None, "Ada")
    assert kept.told(home, "limit") == {"f": 8_000}


FRAME = """
import hashlib, json, logging, time
from typing import Any
import anthropic
from anthropic.types import Message, MessageParam
log, LIMIT = logging.getLogger(), 12_000
"""
GIVEN = (
    "client: anthropic.Anthropic, model: str, messages: list[MessageParam], guide: str, answer: Message, keep: Any, "
    "jobs: dict[str, list[MessageParam]], recent: dict[str, Message], refused: list[str], request_kind: str"
)


def test_every_example_fits_the_types_of_the_installed_sdk(tmp_path):
    examples = {kind: said.example for kind, said in words.WORDS.items() if said.example}
    code = FRAME + "".join(
        f"\ndef {kind}({GIVEN}) -> None:\n{textwrap.indent(example, '    ')}" for kind, example in examples.items()
    )
    (tmp_path / "examples.py").write_text(code)
    told, _, status = mypy.api.run(["--strict", str(tmp_path / "examples.py")])
    assert (status, len(examples)) == (0, 9), told
