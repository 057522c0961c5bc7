"""Did it work: cost per call before and after, at the same models and weekdays, with an interval or an honest no."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from attempts import an_attempt, fill

from queries import Filters, read
from queries.advice.effect import of

MONDAY = datetime(2026, 9, 7, 9)
DONE = date(2026, 10, 5)  # four weeks later, a Monday
SONNET, OPUS = {"model_raw": "claude-sonnet-4-6"}, {"model_raw": "claude-opus-5-5"}  # a token of input: $3 a million


def days(first, count, calls=20, tokens=10_000, **what):
    return [
        an_attempt(
            started_at=MONDAY + timedelta(days=first + day, minutes=number),
            uncached_input_tokens=tokens + day % 3 * 100,
            feature="f",
            **(SONNET | {"output_tokens": 0} | what),
        )
        for day in range(count)
        for number in range(calls)
    ]


def effect(con, since=DONE, model=None, **filters):
    return of(lambda view, asked: read(con, view, asked), Filters(**filters), "f", model, since)


def test_a_prompt_cut_by_half_is_seen_as_half_saved(con):
    # Every day is as long as the same weekday before, to 200 tokens in 10,000.
    fill(con, days(0, 28) + days(29, 14, tokens=5_000))
    seen = effect(con)
    assert seen.verdict == "saved"
    assert (seen.days_before, seen.days_after, seen.calls_before, seen.calls_after) == (28, 14, 560, 280)
    assert seen.compared_rate == 1
    # 280 calls at some 10,100 tokens before and 5,100 after: about 280 x 5,000 x $3 / 1M = $4.20.
    assert abs(seen.saved_usd - Decimal("4.2")) < Decimal("0.02")
    assert abs(seen.expected_usd - seen.saved_usd - 280 * 5_100 * 3 / Decimal(1_000_000)) < Decimal("0.02")
    assert seen.low_usd <= seen.saved_usd <= seen.high_usd


def test_less_traffic_is_no_saving(con):
    fill(con, days(0, 28, calls=40) + days(29, 14, calls=10))
    seen = effect(con)
    assert seen.verdict == "no difference to be seen"
    assert seen.low_usd < 0 < seen.high_usd


def test_another_mix_of_models_is_no_saving(con):
    fill(con, days(0, 28) + days(0, 28, calls=5, **OPUS) + days(29, 14, calls=5) + days(29, 14, **OPUS))
    assert effect(con).verdict == "no difference to be seen"


def test_calls_of_a_model_unseen_before_are_left_out_and_counted(con):
    fill(con, days(0, 28) + days(29, 14, tokens=5_000) + days(29, 14, calls=20, **OPUS))
    seen = effect(con)
    assert seen.compared_rate == 0.5
    assert abs(seen.saved_usd - Decimal("4.2")) < Decimal("0.02")


def test_dearer_calls_are_said_to_be_dearer(con):
    fill(con, days(0, 28) + days(29, 14, tokens=20_000))
    seen = effect(con)
    assert seen.verdict == "cost more"
    assert seen.high_usd < 0


def test_a_week_on_each_side_is_the_least(con):
    fill(con, days(0, 28) + days(29, 6))
    assert effect(con).verdict == "too early"
    assert effect(con).saved_usd is None


def test_a_hundred_calls_on_each_side_are_the_least(con):
    fill(con, days(0, 28) + days(29, 14, calls=7))
    assert effect(con).verdict == "too early"


def test_the_day_of_the_change_counts_on_neither_side(con):
    fill(con, days(0, 28) + days(28, 1, calls=500, tokens=90_000) + days(29, 14))
    assert (effect(con).calls_before, effect(con).calls_after) == (560, 280)


def test_waste_that_is_gone_shows_although_good_calls_cost_the_same(con):
    refused = {"stop_reason": "refusal", "output_tokens": 1}  # without output it would have been free
    fill(con, days(0, 28) + days(0, 28, calls=20, **refused) + days(29, 14))
    seen = effect(con)
    assert seen.verdict == "saved"
    # A call that was of use cost as much again in refusals: half of what was expected is gone.
    assert abs(seen.saved_usd / seen.expected_usd - Decimal("0.5")) < Decimal("0.01")
