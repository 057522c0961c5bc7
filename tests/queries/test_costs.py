"""What an attempt costs. Expectations are written as arithmetic: tokens times USD per million tokens."""

from datetime import datetime
from decimal import Decimal

import pytest
from attempts import a_failure, an_attempt, an_iteration

MTOK = Decimal(1_000_000)
OPUS_5_5 = {
    "model_raw": "claude-opus-5-5",
    "uncached_input_tokens": 1_000,
    "cache_write_5m_tokens": 2_000,
    "cache_write_1h_tokens": 3_000,
    "cache_read_tokens": 40_000,
    "output_tokens": 500,
}
OPUS_5_5_USD = (1_000 * 4 + 2_000 * 5 + 3_000 * 8 + 40_000 * Decimal("0.20") + 500 * 20) / MTOK


def usd(tokens_times_price: float | Decimal | str) -> Decimal:
    return Decimal(tokens_times_price) / MTOK


@pytest.fixture
def priced(given, rows):
    """priced(**attempt): the one attempt as facts.attempts sees it."""

    def priced(**what):
        given(an_attempt(**what))
        (attempt,) = rows("from facts.attempts")
        return attempt

    return priced


@pytest.fixture
def cost(priced):
    """cost(**attempt): what it costs."""
    return lambda **what: priced(**what)["cost_usd"]


def test_every_token_pile_has_its_own_price(cost):
    assert cost(**OPUS_5_5) == OPUS_5_5_USD == Decimal("0.056")


def test_a_batch_costs_half(cost):
    assert cost(**OPUS_5_5, service_tier="batch") == OPUS_5_5_USD / 2 == Decimal("0.028")


def test_inference_kept_in_the_us_costs_a_tenth_more(cost):
    assert cost(**OPUS_5_5, inference_geo="us") == OPUS_5_5_USD * Decimal("1.1") == Decimal("0.0616")


def test_batch_and_us_geography_multiply(cost):
    assert cost(**OPUS_5_5, inference_geo="us", service_tier="batch") == OPUS_5_5_USD * Decimal("0.55")


@pytest.mark.parametrize("geo", ["global", "not_available", "", None])
def test_other_geographies_cost_nothing_extra(cost, geo):
    assert cost(**OPUS_5_5, inference_geo=geo) == OPUS_5_5_USD


def test_us_geography_costs_nothing_extra_before_4_6(cost):
    assert cost(model_raw="claude-sonnet-4-5", inference_geo="us") == usd(1_000 * 3 + 100 * 15)


def test_fast_mode_has_its_own_prices(cost):
    assert cost(**OPUS_5_5, speed="fast") == OPUS_5_5_USD * 2 == Decimal("0.112")


def test_web_searches_come_on_top(cost):
    assert cost(**OPUS_5_5, web_search_requests=3) == OPUS_5_5_USD + 3 * Decimal("0.01") == Decimal("0.086")


def test_web_searches_are_not_discounted_in_batches(cost):
    assert cost(**OPUS_5_5, web_search_requests=3, service_tier="batch") == OPUS_5_5_USD / 2 + 3 * Decimal("0.01")


@pytest.mark.parametrize(
    ("piles", "expected"),
    [
        (
            {"uncached_input_tokens": 100_000, "output_tokens": 1_000},
            usd(100_000 * Decimal("0.1") + 1_000 * Decimal("0.5")),
        ),
        (
            {"uncached_input_tokens": 100_001, "output_tokens": 1_000},
            usd(100_001 * Decimal("0.5") + 1_000 * Decimal("2.5")),
        ),
        (
            {"uncached_input_tokens": 1, "cache_read_tokens": 100_000, "output_tokens": 0},
            usd(Decimal("0.5") + 100_000 * Decimal("0.05")),
        ),
    ],
)
def test_a_long_prompt_raises_the_price_of_the_whole_request(cost, piles, expected):
    assert cost(model_raw="claude-haiku-5-5", **piles) == expected


def test_the_golden_figures_of_the_long_prompt_tier():
    assert usd(100_000 * Decimal("0.1") + 1_000 * Decimal("0.5")) == Decimal("0.0105")
    assert usd(100_001 * Decimal("0.5") + 1_000 * Decimal("2.5")) == Decimal("0.0525005")
    assert usd(Decimal("0.5") + 100_000 * Decimal("0.05")) == Decimal("0.0050005")


@pytest.mark.parametrize(("day", "price"), [(6, "0.2"), (7, "0.1")])
def test_a_price_holds_from_its_first_day(cost, day, price):
    sonnet = {"model_raw": "claude-sonnet-5-5", "uncached_input_tokens": 0, "output_tokens": 0}
    assert cost(**sonnet, cache_read_tokens=1_000_000, started_at=datetime(2026, 10, day)) == Decimal(price)


def test_a_price_holds_until_the_last_instant_of_its_last_day(cost):
    sonnet = {"model_raw": "claude-sonnet-5-5", "uncached_input_tokens": 0, "output_tokens": 0}
    last = datetime(2026, 10, 6, 23, 59, 59, 999_999)
    assert cost(**sonnet, cache_read_tokens=1_000_000, started_at=last) == Decimal("0.2")


@pytest.mark.parametrize(
    ("day", "expected", "figure"),
    [
        (12, usd(300_000 * 10 + 1_000 * Decimal("37.5")), "3.0375"),
        (13, usd(300_000 * 5 + 1_000 * 25), "1.525"),
    ],
)
def test_the_long_context_premium_ends_on_its_day(cost, day, expected, figure):
    long = {"model_raw": "claude-opus-4-6", "uncached_input_tokens": 300_000, "output_tokens": 1_000}
    assert cost(**long, started_at=datetime(2026, 3, day)) == expected == Decimal(figure)


def test_sonnet_4_5_has_a_long_context_premium_until_april(cost):
    long = {"model_raw": "claude-sonnet-4-5", "uncached_input_tokens": 300_000, "output_tokens": 1_000}
    expected = usd(300_000 * 6 + 1_000 * Decimal("22.5"))
    assert cost(**long, started_at=datetime(2026, 4, 1)) == expected == Decimal("1.8225")


def test_the_long_context_premium_ended_in_may(cost):
    long = {"model_raw": "claude-sonnet-4-5", "uncached_input_tokens": 300_000, "output_tokens": 1_000}
    assert cost(**long, started_at=datetime(2026, 4, 30)) == usd(300_000 * 3 + 1_000 * 15)


def test_fable_reads_cost_a_fortieth(cost):
    fable = {"model_raw": "claude-fable-5-2", "uncached_input_tokens": 10_000, "cache_read_tokens": 90_000}
    expected = usd(10_000 * 8 + 90_000 * Decimal("0.2") + 2_000 * 40)
    assert cost(**fable, output_tokens=2_000) == expected == Decimal("0.178")


def test_net_saving_is_what_the_same_traffic_would_have_cost_uncached_less_what_it_cost(priced):
    attempt = priced(**OPUS_5_5)
    gross, premium = usd(40_000 * (4 - Decimal("0.2"))), usd(2_000 * (5 - 4) + 3_000 * (8 - 4))
    assert attempt["cache_gross_saving_usd"] == gross
    assert attempt["cache_write_premium_usd"] == premium
    assert gross - premium == Decimal("0.138") == usd(46_000 * 4 + 500 * 20) - OPUS_5_5_USD


def test_the_saving_of_a_batch_is_halved_too(priced):
    attempt = priced(**OPUS_5_5, service_tier="batch")
    assert attempt["cache_gross_saving_usd"] == usd(40_000 * (4 - Decimal("0.2"))) / 2


def test_a_write_of_unknown_lifetime_is_priced_as_five_minutes_and_flagged(priced):
    attempt = priced(uncached_input_tokens=0, output_tokens=0, cache_write_unknown_ttl_tokens=1_000)
    assert (attempt["cost_usd"], attempt["write_ttl_assumed"]) == (usd(1_000 * 5), True)


def test_a_write_of_known_lifetime_is_not_flagged(priced):
    assert not priced(cache_write_1h_tokens=1_000)["write_ttl_assumed"]


# What is free


def test_a_refusal_before_any_output_is_free(priced):
    attempt = priced(**OPUS_5_5 | {"output_tokens": 0}, stop_reason="refusal", web_search_requests=1)
    assert (attempt["cost_usd"], attempt["is_priced"]) == (0, True)


def test_a_refusal_before_any_output_was_billed_until_june(cost):
    refusal = {"model_raw": "claude-opus-4-8", "output_tokens": 0, "stop_reason": "refusal"}
    assert cost(**refusal, started_at=datetime(2026, 6, 1, 23)) == usd(1_000 * 5)


def test_a_refusal_on_the_first_free_day_is_free(cost):
    refusal = {"model_raw": "claude-opus-4-8", "output_tokens": 0, "stop_reason": "refusal"}
    assert cost(**refusal, started_at=datetime(2026, 6, 2)) == 0


def test_a_refusal_in_the_middle_is_billed_up_to_there(cost):
    assert cost(stop_reason="refusal") == usd(1_000 * 4 + 100 * 20)


def test_an_http_error_costs_nothing_rather_than_being_unpriced(given, rows):
    given(a_failure(), a_failure(model_raw=None), a_failure(model_raw="unheard-of"), a_failure(output_tokens=500))
    assert [(row["cost_usd"], row["is_priced"]) for row in rows("from facts.attempts")] == [(0, True)] * 4


def test_a_failure_without_status_or_tokens_costs_nothing(given, rows):
    given(a_failure(http_status=None, error_type="APIConnectionError"))
    assert rows("from facts.attempts")[0]["cost_usd"] == 0


def test_a_stream_that_broke_after_a_good_status_costs_the_tokens_it_reports(cost):
    assert cost(http_status=200, error_type="overloaded_error") == usd(1_000 * 4 + 100 * 20)


# What has no price


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ({"model_raw": "claude-opus-9"}, "model is not in the price list"),
        ({"model_raw": "gpt-4.1"}, "model is not in the price list"),
        ({"model_raw": None}, "no model was logged"),
        (
            {"model_raw": "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3"},
            "an application inference profile hides the model",
        ),
        ({"started_at": datetime(2026, 9, 21, 23)}, "before the model was launched"),
        ({"model_raw": "claude-sonnet-5", "speed": "fast"}, "no fast mode price for this model"),
        (
            {"model_raw": "claude-opus-4-7", "speed": "fast", "started_at": datetime(2026, 5, 1)},
            "before fast mode began for this model",
        ),
        ({"model_raw": "claude-opus-4-7", "speed": "fast"}, "fast mode had ended for this model"),
        (
            {"model_raw": "claude-opus-4-8", "speed": "fast", "started_at": datetime(2026, 11, 30)},
            "fast mode had ended for this model",
        ),
        ({"speed": "fast", "service_tier": "batch"}, "fast mode has no batch price"),
        ({"model_raw": "claude-2.1", "service_tier": "batch"}, "no batch price for this model"),
        ({"model_raw": "claude-2.1", "cache_read_tokens": 10}, "no cache price for this model"),
        ({"output_tokens": None}, "token counts are incomplete"),
        ({"uncached_input_tokens": None}, "token counts are incomplete"),
    ],
)
def test_what_has_no_price_is_unpriced_with_a_reason_rather_than_free(priced, what, reason):
    attempt = priced(**what)
    assert (attempt["cost_usd"], attempt["unpriced_reason"], attempt["is_priced"]) == (None, reason, False)
    assert attempt["input_cost_usd"] is None
    assert attempt["cache_gross_saving_usd"] is None


def test_a_retired_model_keeps_its_price_since_other_clouds_still_offer_it(cost):
    assert cost(model_raw="claude-opus-4-1") == usd(1_000 * 15 + 100 * 75)


def test_a_fast_request_bills_as_standard_where_fast_mode_was_taken_away(cost):
    opus = {"model_raw": "claude-opus-4-6", "speed": "fast"}
    assert cost(**opus, started_at=datetime(2026, 6, 29)) == usd(1_000 * 5 + 100 * 25)


def test_fast_mode_kept_its_price_until_then(cost):
    opus = {"model_raw": "claude-opus-4-6", "speed": "fast"}
    assert cost(**opus, started_at=datetime(2026, 6, 28, 23)) == usd(1_000 * 30 + 100 * 150)


# Endpoints of other clouds


@pytest.mark.parametrize(
    ("model", "factor"),
    [
        ("global.anthropic.claude-opus-5-5", "1"),
        ("us.anthropic.claude-opus-5-5", "1.1"),
        ("eu.anthropic.claude-opus-5-5", "1.1"),
        ("anthropic.claude-opus-5-5", "1.1"),
        ("us-gov.anthropic.claude-opus-5-5", "1.2"),
        ("arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/anthropic.claude-opus-5-5", "1.2"),
        ("bedrock/us-gov-west-1/anthropic.claude-opus-5-5", "1.2"),
        ("arn:aws:bedrock:us-east-1:123456789012:inference-profile/global.anthropic.claude-opus-5-5", "1"),
        ("claude-opus-5-5@default", "1"),
    ],
)
def test_a_regional_endpoint_costs_a_tenth_more_than_the_global_one(cost, model, factor):
    assert cost(**OPUS_5_5 | {"model_raw": model}) == OPUS_5_5_USD * Decimal(factor)


def test_a_regional_endpoint_costs_nothing_extra_before_4_5(cost):
    assert cost(model_raw="us.anthropic.claude-opus-4-1-20250805-v1:0") == usd(1_000 * 15 + 100 * 75)


def test_region_and_geography_are_not_charged_twice(cost):
    regional = OPUS_5_5 | {"model_raw": "us.anthropic.claude-opus-5-5"}
    assert cost(**regional, inference_geo="us") == OPUS_5_5_USD * Decimal("1.1")


# Answers made in several iterations


def test_each_iteration_is_priced_by_its_own_model(priced):
    attempt = priced(
        iterations=[an_iteration(), an_iteration(model_raw="claude-sonnet-5-5", cache_read_tokens=10_000)],
        uncached_input_tokens=7,
        output_tokens=7,
    )
    assert attempt["cost_usd"] == usd(1_000 * 4 + 100 * 20) + usd(1_000 * 2 + 10_000 * Decimal("0.1") + 100 * 10)
    assert (attempt["uncached_input_tokens"], attempt["input_tokens"], attempt["output_tokens"]) == (2_000, 12_000, 200)
    assert attempt["model"] == "claude-opus-5-5"


def test_an_iteration_is_long_or_short_by_itself(cost):
    part = an_iteration(uncached_input_tokens=60_000, output_tokens=0)
    last = an_iteration(uncached_input_tokens=60_000, output_tokens=1)
    expected = usd(2 * 60_000 * Decimal("0.1") + Decimal("0.5"))
    assert cost(model_raw="claude-haiku-5-5", iterations=[part | {"output_tokens": 0}, last]) == expected - usd(6_000)
    assert usd(6_000) == usd(60_000 * Decimal("0.1"))  # the first one declined, and is free


def test_batch_and_geography_hold_for_every_iteration(cost):
    expected = 2 * usd(1_000 * 4 + 100 * 20) * Decimal("0.55")
    assert cost(iterations=[an_iteration(), an_iteration()], service_tier="batch", inference_geo="us") == expected


def test_searches_are_billed_once_for_all_iterations(cost):
    expected = 2 * usd(1_000 * 4 + 100 * 20) + Decimal("0.02")
    assert cost(iterations=[an_iteration(), an_iteration()], web_search_requests=2) == expected


def test_an_iteration_that_declined_before_output_is_free(cost):
    declined = an_iteration(model_raw="claude-fable-5-2", output_tokens=0)
    assert cost(iterations=[declined, an_iteration()]) == usd(1_000 * 4 + 100 * 20)


def test_an_answer_whose_every_iteration_declined_is_free(cost):
    declined = an_iteration(output_tokens=0)
    assert cost(iterations=[declined, declined], stop_reason="refusal", output_tokens=0) == 0


def test_one_iteration_without_a_price_leaves_the_whole_without(priced):
    attempt = priced(iterations=[an_iteration(), an_iteration(model_raw="unheard-of")])
    assert (attempt["cost_usd"], attempt["unpriced_reason"]) == (None, "model is not in the price list")


def test_an_http_error_with_iterations_is_free(cost):
    assert cost(iterations=[an_iteration()], http_status=500, error_type="api_error") == 0


# Exactness


def test_the_smallest_amount_is_not_lost(cost):
    haiku = {"model_raw": "claude-haiku-5-5", "uncached_input_tokens": 0, "output_tokens": 0, "cache_read_tokens": 1}
    assert cost(**haiku, service_tier="batch", inference_geo="us") == Decimal("0.0000000055")


def test_the_largest_counts_do_not_overflow(cost):
    hundred_million = 100_000_000
    piles = {"uncached_input_tokens": hundred_million, "output_tokens": hundred_million} | dict.fromkeys(
        ["cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"], hundred_million
    )
    day = datetime(2026, 2, 10)
    assert cost(model_raw="claude-opus-4-6", speed="fast", inference_geo="us", started_at=day, **piles) == (
        100 * (60 + 225 + 6 + 75 + 120) * Decimal("1.1")
    )


def test_the_parts_add_up_to_the_whole(priced):
    attempt = priced(**OPUS_5_5, cache_write_unknown_ttl_tokens=77, web_search_requests=2, inference_geo="us")
    writes = ["cache_write_5m", "cache_write_1h", "cache_write_unknown_ttl"]
    parts = ["input", "cache_read", *writes, "output", "web_search"]
    assert sum(attempt[f"{part}_cost_usd"] for part in parts) == attempt["cost_usd"]
    assert sum(attempt[f"{part}_cost_usd"] for part in writes) == attempt["cache_write_cost_usd"]


@pytest.mark.parametrize(
    ("location", "factor"), [("locations/us-east5/", "1.1"), ("locations/global/", "1"), ("", "1")]
)
def test_a_location_of_vertex_ai_costs_a_tenth_more(cost, location, factor):
    piles = {"uncached_input_tokens": 1_000, "output_tokens": 500}
    assert cost(model_raw=f"{location}claude-opus-5-5", **piles) == usd(1_000 * 4 + 500 * 20) * Decimal(factor)
