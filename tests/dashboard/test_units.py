"""How numbers read: the same everywhere, with a unit, and never as nothing when there is something."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import units


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "$0.00"),
        ("1234.565", "$1,234.57"),
        ("-12.3", "-$12.30"),
        ("0.01", "$0.01"),
        ("0.0099999", "$0.01"),
        ("0.00999", "$0.009990"),
        ("0.00123456", "$0.001235"),
        ("-0.000001", "-$0.000001000"),
        ("1234567.891", "$1,234,567.89"),
    ],
)
def test_money_has_two_decimals_and_under_a_cent_four_significant_digits(amount: str, shown: str) -> None:
    assert units.money(Decimal(amount)) == shown


def test_a_price_per_call_has_four_significant_digits_under_a_dollar() -> None:
    assert units.text("cost_per_call_usd", Decimal("0.020431")) == "$0.02043"
    assert units.text("cost_per_call_usd", Decimal("2.5")) == "$2.50"


@given(st.decimals(min_value="0.000000000001", max_value="999999999", places=12))
def test_money_that_is_there_never_shows_as_zero(amount: Decimal) -> None:
    assert any(digit in "123456789" for digit in units.money(amount))


@given(st.decimals(min_value="0.01", max_value="99999999", places=12))
def test_money_on_screen_is_within_half_a_cent(amount: Decimal) -> None:
    shown = Decimal(units.money(amount).replace("$", "").replace(",", ""))
    assert abs(shown - amount) <= Decimal("0.005")


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [
        ("input_tokens", 999, "999"),
        ("input_tokens", 1234, "1.23K"),
        ("input_tokens", 45_678_901, "45.7M"),
        ("output_tokens", 2_000_000_000, "2.00B"),
        ("max_tokens", 4096, "4,096"),
        ("final_error_rate", 0.0, "0.0%"),
        ("final_error_rate", 0.0042, "0.42%"),
        ("final_error_rate", 0.000004, "< 0.01%"),
        ("masked_rate", 0.123, "12.3%"),
        ("p95_ms", 843.2, "843 ms"),
        ("p95_ms", 4321, "4.32 s"),
        ("wasted_ms", 1_558_000, "25 min 58 s"),
        ("wasted_ms", 7_500_000, "2 h 05 min"),
        ("amplification", 1.02, "1.02×"),
        ("calls", 12345, "12,345"),
        ("bytes", 6_400_000, "6.4 MB"),
        ("day", date(2026, 11, 3), "3 Nov 2026"),
        ("hour", datetime(2026, 11, 3, 14), "3 Nov 2026, 14:00"),
        ("token_class", "cache_write_5m", "5-minute writes"),
        ("calls", None, "—"),
        ("cost_usd", None, "—"),
    ],
)
def test_the_name_of_a_column_decides_how_it_reads(column: str, value: object, shown: str) -> None:
    assert units.text(column, value) == shown


def test_a_moment_names_its_zone() -> None:
    assert units.text("last_started_at", datetime(2026, 11, 20, 23, 30), "Asia/Kolkata") == (
        "21 Nov 2026, 05:00 Asia/Kolkata"
    )


@pytest.mark.parametrize(
    ("since", "until", "beside", "shown"),
    [
        (date(2026, 11, 1), date(2026, 11, 30), None, "1 – 30 Nov 2026"),
        (date(2026, 10, 24), date(2026, 11, 22), None, "24 Oct – 22 Nov 2026"),
        (date(2026, 10, 24), date(2026, 11, 22), 2026, "24 Oct – 22 Nov"),
        (date(2025, 12, 24), date(2026, 1, 2), 2026, "24 Dec 2025 – 2 Jan 2026"),
        (date(2026, 11, 22), date(2026, 11, 22), None, "22 Nov 2026"),
    ],
)
def test_a_period_is_said_with_both_days_included(since: date, until: date, beside: int | None, shown: str) -> None:
    assert units.period(since, until, beside) == shown


def test_labels_are_words() -> None:
    assert units.label("cost_usd") == "Spend"
    assert units.label("user_id") == "User"
    assert units.label("failed_attempts") == "Failed attempts"
    assert units.label("truncation_rate_low") == "Cut off, at least"


def test_words_in_a_sentence_do_not_open_a_formula() -> None:
    assert units.words({"cost_usd": Decimal(3)}) == {"cost_usd": "\\$3.00"}
