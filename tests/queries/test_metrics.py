"""What each metric means, told by a few attempts."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from math import erf

import numpy as np
import pytest
from attempts import a_failure, an_attempt

USD_EACH = Decimal(1_000 * 4 + 100 * 20) / 1_000_000  # of an_attempt()
NOON = datetime(2026, 11, 20, 12)


def only(rows):
    (row,) = rows
    return row


# Totals and spend


def test_totals_count_calls_attempts_and_users(given, ask):
    given(
        a_failure(call_id="c", attempt_no=1, user_id="u1"),
        an_attempt(call_id="c", attempt_no=2, user_id="u1", started_at=NOON + timedelta(seconds=1)),
        an_attempt(user_id="u2", feature="search", cost_reported_usd=Decimal("0.5")),
        an_attempt(model_raw="unheard-of", feature="search"),
    )
    totals = only(ask("totals"))
    assert (totals["calls"], totals["attempts"], totals["users"]) == (3, 4, 2)
    assert (totals["priced_attempts"], totals["unpriced_attempts"]) == (3, 1)
    assert totals["cost_usd"] == 2 * USD_EACH
    assert totals["cost_per_call_usd"] == 2 * USD_EACH / 3
    assert totals["cost_reported_usd"] == Decimal("0.5")
    assert (totals["unattributed_cost_usd"], totals["unattributed_calls"]) == (USD_EACH, 1)
    assert (totals["first_started_at"], totals["last_started_at"]) == (NOON, NOON + timedelta(seconds=1))


def test_totals_of_nothing_are_zero_and_averages_unknown(ask):
    totals = only(ask("totals"))
    assert (totals["cost_usd"], totals["calls"], totals["users"], totals["input_tokens"]) == (0, 0, 0, 0)
    assert (totals["cost_per_call_usd"], totals["cost_reported_usd"], totals["last_started_at"]) == (None, None, None)


def test_spend_comes_with_the_dearest_first(given, ask):
    given(an_attempt(feature="chat"), an_attempt(feature="search"), an_attempt(feature="search"))
    assert [(row["feature"], row["cost_usd"], row["calls"]) for row in ask("spend_by_feature")] == [
        ("search", 2 * USD_EACH, 2),
        ("chat", USD_EACH, 1),
    ]
    assert [row["cost_share_rate"] for row in ask("spend_by_feature")] == pytest.approx([2 / 3, 1 / 3])


def test_spend_without_a_price_is_counted_not_costed(given, ask):
    given(an_attempt(model_raw="unheard-of"))
    row = only(ask("spend_by_model"))
    assert (row["model"], row["cost_usd"], row["unpriced_attempts"], row["cost_share_rate"]) == ("unheard-of", 0, 1, 0)


def test_spend_by_token_class_shows_every_class(given, ask):
    given(an_attempt(cache_write_1h_tokens=1_000, web_search_requests=2))
    classes = {row["token_class"]: (row["tokens"], row["cost_usd"]) for row in ask("spend_by_token_class")}
    assert classes == {
        "input": (1_000, Decimal("0.004")),
        "cache_read": (0, 0),
        "cache_write_5m": (0, 0),
        "cache_write_1h": (1_000, Decimal("0.008")),
        "cache_write_unknown_ttl": (0, 0),
        "output": (100, Decimal("0.002")),
        "web_search": (2, Decimal("0.02")),
    }


# Latency


def test_latency_is_read_from_real_calls_not_between_them(given, ask):
    given(*(an_attempt(latency_ms=float(ms), ttft_ms=ms / 10, retry_count=0) for ms in range(1, 101)))
    row = only(ask("latency"))
    assert [row[f"p{p}_ms"] for p in (50, 90, 95, 99)] == [50, 90, 95, 99]
    assert [row[f"attempt_p{p}_ms"] for p in (50, 99)] == [50, 99]
    assert [row[f"ttft_p{p}_ms"] for p in (50, 99)] == [5.0, 9.9]
    assert (row["total"], row["calls"], row["timed_calls"], row["timed_attempts"], row["retry_known_rate"]) == (
        "total",
        100,
        100,
        100,
        1,
    )


def test_latency_leaves_out_batches_and_failures(given, ask):
    given(
        an_attempt(latency_ms=100.0),
        an_attempt(latency_ms=9_000_000.0, service_tier="batch"),
        a_failure(latency_ms=5.0),
    )
    row = only(ask("latency"))
    assert (row["calls"], row["timed_calls"], row["p50_ms"], row["p99_ms"]) == (2, 1, 100, 100)


def test_latency_of_attempts_needs_known_retries(given, ask):
    given(
        an_attempt(latency_ms=100.0),
        an_attempt(latency_ms=900.0, retry_count=2),
        an_attempt(latency_ms=200.0, retry_count=0),
    )
    row = only(ask("latency"))
    assert (row["timed_calls"], row["timed_attempts"], row["attempt_p50_ms"], row["p99_ms"]) == (3, 1, 200, 900)
    assert row["retry_known_rate"] == pytest.approx(2 / 3)


# Truncation


def test_truncation_is_counted_over_answers(given, ask):
    given(
        an_attempt(stop_reason="max_tokens"),
        an_attempt(),
        an_attempt(stop_reason="tool_use"),
        an_attempt(stop_reason="max_tokens", max_tokens=0, output_tokens=0),
        an_attempt(stop_reason=None),
        a_failure(),
    )
    row = only(ask("truncation"))
    assert (row["responses"], row["truncated_calls"], row["truncation_rate"]) == (4, 1, 0.25)
    assert (row["truncated_output_tokens"], row["truncated_cost_usd"]) == (100, USD_EACH)


def test_ceilings_show_who_hits_them(given, ask):
    given(
        an_attempt(max_tokens=100, stop_reason="max_tokens"),
        an_attempt(max_tokens=100, output_tokens=60),
        an_attempt(max_tokens=4_000, output_tokens=900),
        an_attempt(max_tokens=0, output_tokens=0, stop_reason="max_tokens"),
    )
    hit, free = ask("truncation_ceilings")
    assert (hit["max_tokens"], hit["responses"], hit["truncated_calls"], hit["ceiling_hit_rate"]) == (100, 2, 1, 0.5)
    assert (hit["output_p50_tokens"], hit["output_p95_tokens"]) == (60, 100)
    assert (free["max_tokens"], free["truncation_rate"]) == (4_000, 0)


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(0, 10, 0, 0.2775), (1, 4, 0.0456, 0.6994), (5, 50, 0.0435, 0.2136), (10, 10, 0.7225, 1)],
)
def test_intervals_are_wilsons(given, ask, hits, of, low, high):
    """Against the values of the usual tables, which round to four digits."""
    given(*(an_attempt(stop_reason="max_tokens" if number < hits else "end_turn") for number in range(of)))
    row = only(ask("truncation"))
    assert (row["truncation_rate_low"], row["truncation_rate_high"]) == pytest.approx((low, high), abs=6e-5)


# Reliability


def test_reliability_keeps_the_three_rates_apart(given, ask):
    given(
        a_failure(call_id="c", attempt_no=1, retry_count=0),
        an_attempt(call_id="c", attempt_no=2, retry_count=0, started_at=NOON + timedelta(seconds=4)),
        an_attempt(retry_count=1),
        an_attempt(retry_count=0),
        a_failure(retry_count=2),
        a_failure(),
        an_attempt(),
    )
    row = only(ask("reliability"))
    assert (row["calls"], row["retry_known_calls"], row["attempts"], row["retry_known_attempts"]) == (6, 4, 10, 8)
    assert (row["first_attempt_errors"], row["first_attempt_error_rate"]) == (3, 3 / 4)
    assert (row["failed_attempts"], row["attempt_error_rate"]) == (1 + 1 + 3, 5 / 8)
    assert (row["masked_calls"], row["masked_rate"]) == (2, 2 / 4)
    assert (row["failed_calls"], row["final_error_rate"]) == (2, 2 / 6)
    assert (row["amplification"], row["wasted_ms"]) == (8 / 4, 4_000)


def test_rates_of_unknown_retries_are_unknown(given, ask):
    given(an_attempt(), a_failure())
    row = only(ask("reliability"))
    assert (row["retry_known_rate"], row["final_error_rate"]) == (0, 0.5)
    assert (row["masked_rate"], row["masked_rate_low"], row["amplification"], row["attempt_error_rate"]) == (None,) * 4


def test_errors_are_told_by_type_hidden_ones_too(given, ask):
    given(
        a_failure(call_id="c", attempt_no=1, retry_count=0),
        an_attempt(call_id="c", attempt_no=2, retry_count=0),
        a_failure(http_status=400, error_type="invalid_request_error"),
        an_attempt(retry_count=2),
    )
    errors = {
        (row["error_type"], row["http_status"]): (row["failed_attempts"], row["failed_calls"], row["masked_calls"])
        for row in ask("errors_by_type")
    }
    assert errors == {
        ("overloaded_error", 529): (1, 0, 1),
        ("invalid_request_error", 400): (1, 1, 0),
        ("(hidden by a retry)", None): (2, 0, 1),
    }


# Cache


def test_cache_compares_with_the_same_traffic_uncached(given, ask):
    given(
        an_attempt(cache_read_tokens=8_000, cache_write_5m_tokens=1_000),
        an_attempt(cache_write_unknown_ttl_tokens=1_000, uncached_input_tokens=0),
    )
    row = only(ask("cache"))
    mtok = Decimal(1_000_000)
    assert row["gross_saving_usd"] == 8_000 * (4 - Decimal("0.2")) / mtok
    assert row["write_premium_usd"] == 2_000 * Decimal(5 - 4) / mtok
    assert row["uncached_cost_usd"] == (11_000 * 4 + 200 * 20) / mtok
    assert (row["cache_hit_rate"], row["read_per_write"]) == (8_000 / 11_000, 4)
    assert row["write_ttl_assumed_attempts"] == 1


def test_a_cache_written_and_never_read_loses_money(given, ask):
    given(an_attempt(cache_write_1h_tokens=1_000))
    assert only(ask("cache"))["net_saving_usd"] == Decimal(-1_000 * (8 - 4)) / 1_000_000


# What not to trust


def test_models_without_a_price_are_named_with_the_reason(given, ask):
    given(an_attempt(model_raw="openai/gpt-4.1"), an_attempt(model_raw="openai/gpt-4.1"), an_attempt(model_raw=None))
    assert [(row["model_raw"], row["model"], row["reason"], row["attempts"]) for row in ask("unpriced_models")] == [
        ("openai/gpt-4.1", "gpt-4.1", "model is not in the price list", 2),
        (None, "(no model)", "no model was logged", 1),
    ]


def test_loads_and_refusals_are_shown_whatever_the_filters(con, ask):
    con.execute(
        "insert into store.loads by name select 'l' as load_id, 'a.jsonl' as source_name, 3 as refused_records, "
        "timestamp '2026-11-20' as landed_at, timestamp '2026-11-21' as folded_at"
    )
    con.execute(
        "insert into store.refusals values "
        "('l', 1, 'no model', 'x'), ('l', 5, 'no model', 'x'), ('l', 3, 'bad time', 'x')"
    )
    filters = {"since": date(2030, 1, 1)}
    assert [row["source_name"] for row in ask("loads", **filters)] == ["a.jsonl"]
    assert [row["source_line"] for row in ask("refusals", **filters)] == [1, 3, 5]
    assert [(row["reason"], row["records"]) for row in ask("refusal_reasons")] == [("no model", 2), ("bad time", 1)]
    freshness = only(ask("freshness", **filters))
    assert (freshness["loads"], freshness["refused_records"], freshness["last_load_at"]) == (
        1,
        3,
        datetime(2026, 11, 21),
    )


def test_the_price_list_shows_every_row_with_its_days(ask):
    prices = ask("price_list")
    reads = [
        (row["effective_from"], row["effective_until"], row["cache_read_usd_mtok"])
        for row in prices
        if row["model"] == "claude-sonnet-5-5"
    ]
    assert reads == [
        (date(2026, 9, 28), date(2026, 10, 7), Decimal("0.2")),
        (date(2026, 10, 7), None, Decimal("0.1")),
    ]


# Errors that no log links, headroom, answers asked for again


def test_an_unlinked_attempt_soon_after_a_failure_is_taken_for_its_retry(given, ask):
    """Failed for a second; two seconds later the same user asks again: one call, masked. Another user's is none."""
    alone = {"feature": "chat", "user_id": "u1", "retry_count": None}
    given(
        a_failure(**alone, started_at=NOON, latency_ms=1_000.0),
        an_attempt(**alone, started_at=NOON + timedelta(seconds=3), latency_ms=500.0),
        an_attempt(**alone | {"user_id": "u2"}, started_at=NOON + timedelta(seconds=2), latency_ms=500.0),
        a_failure(**alone, started_at=NOON + timedelta(minutes=5), latency_ms=1_000.0),
        an_attempt(**alone, started_at=NOON + timedelta(minutes=6), latency_ms=500.0),
    )
    row = only(ask("masked_estimates_by_feature"))
    assert (row["unlinked_attempts"], row["unlinked_errors"]) == (5, 2)
    assert (row["estimated_calls"], row["estimated_masked_calls"]) == (4, 1)
    assert row["estimated_masked_rate"] == row["estimated_masked_rate_low"] == 1 / 4
    assert row["estimated_masked_rate_high"] == 2 / 3


def test_failures_whose_retries_are_known_are_not_estimated(given, ask):
    given(a_failure(call_id="c", attempt_no=1), an_attempt(call_id="c", attempt_no=2), a_failure(retry_count=2))
    assert ask("masked_estimates") == []


def test_failed_attempts_that_were_billed_are_wasted_money(given, ask):
    """A stream that broke off after 100 tokens is billed, an overloaded answer is not."""
    given(
        a_failure(http_status=None, error_type="incomplete_stream", uncached_input_tokens=1_000, output_tokens=100),
        a_failure(http_status=529),
        an_attempt(),
    )
    assert only(ask("reliability"))["wasted_cost_usd"] == USD_EACH


def test_headroom_is_the_least_that_was_left(given, ask):
    given(
        an_attempt(requests_headroom=0.8, input_tokens_headroom=0.05),
        an_attempt(requests_headroom=0.3),
        an_attempt(),
        a_failure(http_status=429, requests_headroom=0.0),
    )
    row = only(ask("headroom"))
    assert (row["attempts"], row["headroom_known_attempts"], row["tight_attempts"]) == (4, 3, 2)
    assert (row["requests_headroom_rate"], row["input_tokens_headroom_rate"]) == (0, 0.05)
    assert (row["output_tokens_headroom_rate"], row["rate_limited_attempts"]) == (None, 1)


def test_a_cut_answer_is_asked_again_by_the_same_user_on_the_same_prompt(given, ask):
    cut = {"stop_reason": "max_tokens", "max_tokens": 100, "feature": "chat", "user_id": "u1", "started_at": NOON}
    soon = NOON + timedelta(seconds=60)
    given(
        an_attempt(**cut),
        an_attempt(feature="chat", user_id="u1", max_tokens=200, started_at=soon, uncached_input_tokens=1_015),
        an_attempt(**cut | {"user_id": "u2"}),
        an_attempt(feature="chat", user_id="u2", max_tokens=200, started_at=soon, uncached_input_tokens=1_500),
        an_attempt(**cut | {"user_id": None}),
    )
    row = only(ask("truncation_asked_again"))
    assert (row["truncated_calls"], row["asked_again_calls"], row["asked_again_cost_usd"]) == (3, 1, USD_EACH)
    assert (row["not_asked_again_calls"], row["not_asked_again_cost_usd"]) == (1, USD_EACH)
    assert row["unpaired_calls"] == 1


def test_the_ceiling_that_would_cut_one_percent_lies_on_the_log_normal_curve(given, ask):
    """Half of 100 answers take 400 tokens, ten stop at 1,000: spread ln(2.5) / 1.2816, so 400 exp(2.3263 x 0.715)."""
    given(
        *(an_attempt(output_tokens=400, max_tokens=1_000) for _ in range(51)),
        *(an_attempt(output_tokens=800, max_tokens=1_000) for _ in range(39)),
        *(an_attempt(output_tokens=1_000, max_tokens=1_000, stop_reason="max_tokens") for _ in range(10)),
    )
    assert only(ask("truncation_ceilings"))["ceiling_for_1_percent"] == 33 * 64  # 2,110.7 rounded up


def test_the_ceiling_for_a_target_cuts_about_so_many(given, ask):
    """500 log-normal answers each of 40 features, a tenth of them cut: four in five of the ceilings are near."""
    random = np.random.default_rng(7)
    given(*(
        an_attempt(feature=f"f{feature}", max_tokens=1_316, output_tokens=min(1 + int(length), 1_316),
                   stop_reason="max_tokens" if length >= 1_315 else "end_turn")
        for feature in range(40) for length in random.lognormal(np.log(500), np.log(1_315 / 500) / 1.2816, 500)
    ))  # fmt: skip
    spread = np.log(1_315 / 500) / 1.2816
    for column, target in (("half", 0.005), ("1", 0.01), ("2", 0.02), ("5", 0.05)):
        advised = [row[f"ceiling_for_{column}_percent"] for row in ask("truncation_ceilings")]
        cut = [(1 - erf(np.log(ceiling / 500) / spread / 2**0.5)) / 2 for ceiling in advised]
        low, middle, high = np.quantile(cut, [0.1, 0.5, 0.9])
        assert 0.4 * target < low < middle < 1.15 * target
        assert high < 1.75 * target


def test_answers_at_the_ceiling_are_counted_where_it_is_known(given, ask):
    given(
        an_attempt(max_tokens=100, output_tokens=100), an_attempt(max_tokens=100, output_tokens=99),
        an_attempt(max_tokens=None, output_tokens=100),
    )  # fmt: skip
    row = only(ask("truncation"))
    assert (row["responses"], row["ceiling_known_calls"], row["ceiling_hit_rate"]) == (3, 2, 0.5)


def test_what_signals_watch_is_told_day_by_day(given, ask):
    given(
        an_attempt(uncached_input_tokens=900, output_tokens=100, retry_count=1, latency_ms=2_000.0,
                   cache_read_tokens=0, cache_write_5m_tokens=0, stop_reason="max_tokens"),
        an_attempt(uncached_input_tokens=0, output_tokens=100, retry_count=0, latency_ms=1_000.0,
                   cache_read_tokens=7_425, cache_write_5m_tokens=2_475),
        a_failure(),
    )  # fmt: skip
    row = only(ask("watched_by_day"))
    assert row["calls"] == 3
    assert row["typical_tokens"] == 3_162, "the square root of 1,000 times 10,000"
    assert row["cost_per_call_usd"] * 3 == pytest.approx(row["cost_usd"])
    assert (row["amplification"], row["masked_rate"]) == (1.5, 0.5)
    assert row["truncation_rate"] == 0.5
    assert row["attempt_error_rate"] == pytest.approx(1 / 3)
    assert row["cache_hit_rate"] == 0.75
    assert row["p95_ms"] == 2_000
    assert row["typical_ms"] == pytest.approx(1_414.2, abs=0.1), "the square root of 1,000 times 2,000"


def test_too_few_answers_suggest_no_ceiling(given, ask):
    given(*(an_attempt(output_tokens=10 * i, max_tokens=100, stop_reason="max_tokens") for i in range(1, 11)))
    assert only(ask("truncation_ceilings"))["ceiling_for_1_percent"] is None
