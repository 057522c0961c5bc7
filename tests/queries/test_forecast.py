"""Where the month will end, from days whose arithmetic is plain."""

from datetime import date, datetime, timedelta

import pytest
from attempts import an_attempt, fill

from benchmarks.forecast import back_test, mean_of
from queries import Filters, read
from queries.signals import forecast

MONTH = datetime(2026, 9, 1, 12)  # September has thirty days


@pytest.fixture
def seen(con):
    def look(tokens_by_day, as_of=None):
        """One call a day; a million tokens in cost $5."""
        fill(con, [
            an_attempt(started_at=MONTH + timedelta(days=day), model_raw="claude-opus-4-5", output_tokens=0,
                       uncached_input_tokens=tokens)
            for day, tokens in enumerate(tokens_by_day)
        ])  # fmt: skip
        return forecast(lambda metric, filters: read(con, metric, filters), Filters(), as_of)

    return look


def test_a_flat_month_ends_at_thirty_days(seen):
    found = seen([1_000_000] * 21)
    assert found.as_of == date(2026, 9, 20), "the last day is not over"
    assert found.spent_usd == pytest.approx(100)
    assert found.expected_usd == pytest.approx(150)
    assert 100 < found.low_usd < 150 < found.high_usd < 200


def test_weekends_are_foreseen(seen):
    """September 2026 begins on a Tuesday: by the 20th fourteen working days are over, and eight are left."""
    found = seen([0 if (day + 1) % 7 >= 5 else 1_000_000 for day in range(30)], date(2026, 9, 20))
    assert found.spent_usd == pytest.approx(70)
    assert found.expected_usd == pytest.approx(70 + 8 * 5, rel=0.08)


def test_less_than_a_week_says_nothing(seen):
    assert seen([1_000_000] * 6) is None


def test_little_data_is_said_to_be_little(seen):
    assert seen([1_000_000] * 10).is_early


def test_the_range_narrows_as_the_month_goes_by(seen):
    early, late = seen([1_000_000] * 30, date(2026, 9, 10)), seen([], date(2026, 9, 25))
    assert early.high_usd - early.low_usd > late.high_usd - late.low_usd


def test_past_forecasts_are_held_against_what_came(seen):
    assert seen([1_000_000] * 62).backtest_error == pytest.approx(0, abs=1e-9)
    assert seen([]).backtest_error is not None


def test_months_that_are_over_were_foreseen():
    """Five kinds of spend with noise, walks, spikes and jumps, forecast on days 3 to 25 of each month."""
    error, run_rate, cover = mean_of(back_test(seed=1))
    assert error <= 0.09
    assert error < run_rate
    assert 0.75 <= cover <= 0.88
