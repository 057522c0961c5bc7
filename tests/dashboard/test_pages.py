"""Every page, over a store with traffic and over an empty one, as a browser would open it from an address."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.names import display_name
from tests.dashboard import traffic
from tests.dashboard.conftest import PAGES, Opened
from tests.dashboard.traffic import HOSTILE
from tests.ingest.loading import load

NOT_FOR_PEOPLE = re.compile(r"\b(None|nan|NaN|NaT|Traceback|Decimal)\b|\d{4}-\d\d-\d\dT\d\d")
TITLES = {"compare": "what changed", "advice": "savings"}
OF_THEIR_OWN = ("ask", "data", "upload", "budgets", "alerts", "shares")
ABOUT_CALLS = [page for page in PAGES if page not in OF_THEIR_OWN]


def words(app: AppTest) -> str:
    """What a person reads, charts and tables aside."""
    tiles = [f"{tile.label} {tile.value} {tile.delta}" for tile in app.metric]
    return "\n".join(
        [element.value for kind in (app.title, app.subheader, app.caption, app.markdown) for element in kind] + tiles
    )


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_traffic(full_home: Path, opened: Opened, page: str) -> None:
    app = opened(full_home, page)

    assert not app.exception
    assert app.title[0].value.lower() == TITLES.get(page, page)
    assert not NOT_FOR_PEOPLE.search(words(app)), words(app)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_without_data_says_what_to_do(home: Path, opened: Opened, page: str) -> None:
    app = opened(home, page)

    assert not app.exception
    assert not app.metric
    assert "No calls yet" in words(app) or page in OF_THEIR_OWN


@pytest.mark.parametrize("page", ABOUT_CALLS)
def test_a_page_keeps_the_filters_of_its_address(full_home: Path, opened: Opened, page: str) -> None:
    app = opened(full_home, page, feature="chat", range="7 days", zone="Asia/Kolkata")

    assert not app.exception
    assert app.multiselect(key="feature").value == ["chat"]
    assert "Asia/Kolkata" in words(app)
    assert "15 – 21 Nov 2026" in words(app) or "14 – 20 Nov 2026" in words(app)


@pytest.mark.parametrize("page", ABOUT_CALLS)
@pytest.mark.parametrize("chosen", ["Latest day", "This month", "Last month", "All time"])
def test_every_range_works_on_every_page(full_home: Path, opened: Opened, page: str, chosen: str) -> None:
    assert not opened(full_home, page, range=chosen).exception


@pytest.mark.parametrize("page", ["spend", "latency"])
@pytest.mark.parametrize("by", ["Model", "User", "Team", "Environment", "Token class"])
def test_every_way_to_cut_works_by_the_hour_too(full_home: Path, opened: Opened, page: str, by: str) -> None:
    assert not opened(full_home, page, by=by, slice=by, grain="Hour").exception


@pytest.mark.parametrize("page", [page for page in ABOUT_CALLS if page not in ("signals", "advice")])
def test_every_chart_has_its_table(full_home: Path, opened: Opened, page: str) -> None:
    app = opened(full_home, page)
    charts = len(app.get("plotly_chart"))

    for toggle in app.toggle:
        if toggle.label == "Table":
            toggle.set_value(True)
    app.run()

    assert not app.exception
    assert charts
    assert not app.get("plotly_chart")


@pytest.mark.parametrize(
    "params",
    [
        {"range": "yesterday", "feature": "'; drop table store.attempts; --", "zone": "Mars/Base"},
        {"range": "Custom", "dates": ["2026-02-31", "x"]},
        {"range": "Custom", "dates": ["2026-11-30", "2026-01-01"]},
        {"compare": "maybe", "by": "<b>", "grain": "Century"},
    ],
)
def test_an_address_with_nonsense_opens_the_default_view(
    full_home: Path, opened: Opened, params: dict[str, str | list[str]]
) -> None:
    assert not opened(full_home, "spend", **params).exception


def test_a_custom_range_shows_the_days_it_was_given(full_home: Path, opened: Opened) -> None:
    app = opened(full_home, "spend", range="Custom", dates=["2026-11-01", "2026-11-05"])

    assert "1 – 5 Nov 2026" in words(app)
    assert "compared with 27 – 31 Oct" in words(app)


def test_filters_that_nothing_passes_can_be_cleared(full_home: Path, opened: Opened) -> None:
    app = opened(full_home, "spend", user="nobody")
    assert "No calls here" in words(app)

    next(button for button in app.button if button.label.startswith("Clear filters")).click().run()

    assert "No calls here" not in words(app)
    assert app.selectbox(key="range").value == "All time"


def test_a_filter_can_be_lifted_by_its_chip(full_home: Path, opened: Opened) -> None:
    app = opened(full_home, feature="chat")
    app.button(key="clear_feature").click().run()

    assert app.multiselect(key="feature").value == []


def test_comparison_says_against_which_days_or_is_absent(full_home: Path, opened: Opened) -> None:
    app = opened(full_home, range="7 days")
    assert "compared with 7 – 13 Nov" in words(app)
    assert all(tile.delta for tile in app.metric if tile.label in ("Spend", "Calls"))

    app.toggle(key="compare").set_value(False).run()
    assert "compared with" not in words(app)
    assert not any(tile.delta for tile in app.metric)


def test_totals_are_the_sum_of_the_lines_above_them(full_home: Path, opened: Opened) -> None:
    app = opened(full_home, "spend", range="All time")
    table = app.dataframe[-1].value

    spent = [Decimal(repr(float(cost))) for cost in table["cost_usd"]]
    assert table["feature"].iloc[-1] == "Total"
    assert abs(sum(spent[:-1]) - spent[-1]) < Decimal("0.000001")
    tile = next(tile for tile in app.metric if tile.label == "Spend")
    assert tile.value == f"${spent[-1]:,.2f}"


def test_unattributed_spend_is_a_line_of_its_own(full_home: Path, opened: Opened) -> None:
    table = opened(full_home, "spend", range="All time").dataframe[-1].value

    assert "(unattributed)" in list(table["feature"])


def test_a_hostile_feature_is_shown_and_escaped(full_home: Path, opened: Opened) -> None:
    app = opened(full_home, "spend", feature=display_name(HOSTILE))
    chip = app.button(key="clear_feature").label

    assert r"\[click\]\(" in chip
    assert "<img" not in chip.replace(r"\<", "")


def test_the_trust_line_counts_what_is_missing(full_home: Path, opened: Opened) -> None:
    said = words(opened(full_home))

    for part in ("Data through 20 Nov 2026", "1 load", "without a price", "of spend unattributed", "price list of"):
        assert part in said


def test_a_load_that_could_not_be_folded_is_on_the_data_page(home: Path, opened: Opened) -> None:
    load(home, traffic.lines(), name="app.jsonl")
    damaged = home / "archive" / f"{0:012x}-{0:032x}"
    damaged.mkdir()
    (damaged / "load.json").write_text("rubbish")
    load(home, traffic.lines(), name="app.jsonl")
    app = opened(home, "data")

    assert not app.exception
    [shown] = [frame.value for frame in app.dataframe if damaged.name in frame.value.to_string()]
    assert "load.json cannot be read" in shown.to_string()


def test_pages_are_short_and_hold_neither_sql_nor_formats() -> None:
    folder = Path(__file__).parents[2] / "dashboard" / "app_pages"
    for file in folder.glob("*.py"):
        text = file.read_text()
        assert len(text.splitlines()) <= 80, file
        assert not re.search(r"select |import pandas|plotly|unsafe_allow_html|query_params\b|:,|:\.\d", text), file
