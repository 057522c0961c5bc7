"""The page of signals, the marks on charts and the comparison, over a log with one odd day."""

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.decisions import decide, standing, undo
from dashboard.judging import judged
from tests.dashboard.conftest import Opened
from tests.dashboard.test_judging import days
from tests.ingest.loading import load


@pytest.fixture(scope="module")
def odd_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred calls of a cent on each of 32 days, and five hundred on 7 October: $4.00 more than usual."""
    home = tmp_path_factory.mktemp("odd")
    load(home, days(0, 32, odd=30))
    return home


def said(app: AppTest) -> str:
    return (
        "\n".join(element.value for kind in (app.markdown, app.caption) for element in kind)
        .replace("\\", "")
        .replace("\u2060", "")
    )


def button(app: AppTest, label: str, number: int = 0) -> object:
    return [found for found in app.button if found.label == label][number]


def marks(app: AppTest) -> list[str]:
    """What the marks of all charts say, as it is sent to the browser."""
    specs = [chart.proto.spec for chart in app.get("plotly_chart")]
    return [spec for spec in specs if "triangle-down" in spec]


def test_an_odd_day_is_told_acknowledged_and_taken_back(odd_day: Path, opened: Opened) -> None:
    app = opened(odd_day, "signals")
    assert not app.exception
    assert "Feature chat: cost $5.00 on Wed 07 Oct" in said(app)
    assert "1 open." in said(app)
    assert "Judged on" in said(app)

    app.text_input(key="who").set_value("Ann *Lee*").run()
    button(app, "Acknowledge").click().run()
    assert "Feature chat" not in said(app)
    assert "1 acknowledged." in said(app)

    app.segmented_control(key="state").set_value("Acknowledged").run()
    assert "Acknowledged by Ann *Lee* on" in said(app)
    button(app, "Undo").click().run()
    assert "1 open." in said(app)


def test_a_closer_look_shows_the_days_and_the_causes(odd_day: Path, opened: Opened) -> None:
    app = opened(odd_day, "signals")
    button(app, "Look closer").click().run()
    assert not app.exception
    series, causes = [chart.proto.spec for chart in app.get("plotly_chart")]
    assert "Expected at least" in series
    assert "Requests" in causes and "+$4.00" in causes


def test_the_odd_day_against_the_same_weekday_before(odd_day: Path, opened: Opened) -> None:
    app = opened(odd_day, "compare", range="Custom", dates=["2026-10-07", "2026-10-07"], against="Same weekdays before")
    assert not app.exception
    assert "Spend rose by **$4.00** (+400.0 %), from $1.00 on 30 Sep 2026 to $5.00 on 7 Oct 2026." in said(app)
    assert "Mostly explained by **chat** (+$4.00): 100 % of the change." in said(app)


def test_a_link_opens_one_signal_whatever_the_period(odd_day: Path, opened: Opened) -> None:
    opened(odd_day, "signals")
    found = judged("UTC")
    assert found
    lead = next(of for of in found.findings.signals if of.metric == "cost" and of.slice == "chat")
    app = opened(odd_day, "signals", signal=lead.signal_id, range="Latest day")
    assert "Feature chat: cost $5.00 on Wed 07 Oct" in said(app)
    assert len(app.get("plotly_chart")) == 2


@pytest.mark.parametrize(("page", "marked"), [("overview", 1), ("spend", 1), ("cache", 0), ("latency", 0)])
def test_marks_stand_where_they_belong(odd_day: Path, opened: Opened, page: str, marked: int) -> None:
    app = opened(odd_day, page)
    assert not app.exception
    assert len(marks(app)) == marked
    assert all(re.search("Feature chat: cost (&#36;|\\$)5.00", spec.replace("\\u0026", "&")) for spec in marks(app))


def test_what_is_muted_is_not_marked(odd_day: Path, opened: Opened) -> None:
    assert len(marks(opened(odd_day))) == 1
    found = judged("UTC")
    assert found
    decide(odd_day, "muted", found.findings.signals, "ann")
    try:
        assert marks(opened(odd_day)) == []
    finally:
        undo(odd_day, standing(odd_day), "ann")


def test_the_overview_says_what_the_month_will_come_to(odd_day: Path, opened: Opened) -> None:
    assert "October 2026 is expected to come to $" in said(opened(odd_day))


def test_periods_that_are_compared_are_in_the_address(full_home: Path, opened: Opened) -> None:
    app = opened(
        full_home, "compare", range="7 days", against="Other days",
        against_days=["2026-11-01", "2026-11-03"], slice="Model",
    )  # fmt: skip
    assert not app.exception
    assert "on 1 – 3 Nov 2026 to" in said(app)
    assert app.segmented_control(key="slice").value == "Model"


def test_all_time_has_nothing_to_be_compared_with(full_home: Path, opened: Opened) -> None:
    app = opened(full_home, "compare", range="All time")
    button(app, "Compare the last 30 days").click().run()
    assert not app.exception
    assert "Spend " in said(app)
