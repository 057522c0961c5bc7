"""Whatever the log holds, every page shows the same total, to the last digit."""

from datetime import datetime, timedelta
from decimal import Decimal

from attempts import clear, fill
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from queries import Filters, read

MODELS = ["claude-opus-5-5", "claude-haiku-5-5", "us.anthropic.claude-sonnet-5-5", "claude-2.1", "unheard-of", None]
tokens = st.none() | st.integers(0, 250_000)
names = st.none() | st.sampled_from(["a", "b", "o'c"])
iterations = st.none() | st.lists(
    st.fixed_dictionaries(
        {
            "model_raw": st.sampled_from(MODELS),
            "uncached_input_tokens": tokens,
            "cache_read_tokens": tokens,
            "cache_write_1h_tokens": tokens,
            "output_tokens": tokens,
        }
    ),
    min_size=1,
    max_size=3,
)
attempts = st.lists(
    st.fixed_dictionaries(
        {
            "started_at": st.integers(0, 5 * 24 * 60).map(lambda m: datetime(2026, 10, 5) + timedelta(minutes=m)),
            "model_raw": st.sampled_from(MODELS),
            "uncached_input_tokens": tokens,
            "cache_read_tokens": tokens,
            "cache_write_5m_tokens": tokens,
            "cache_write_1h_tokens": tokens,
            "cache_write_unknown_ttl_tokens": tokens,
            "output_tokens": tokens,
            "web_search_requests": st.none() | st.integers(0, 5),
            "iterations": iterations,
            "service_tier": st.sampled_from([None, "standard", "batch"]),
            "speed": st.sampled_from([None, "standard", "fast"]),
            "inference_geo": st.sampled_from([None, "global", "us"]),
            "stop_reason": st.sampled_from([None, "end_turn", "max_tokens", "refusal"]),
            "http_status": st.sampled_from([None, None, 200, 429, 529]),
            "error_type": st.sampled_from([None, None, None, "overloaded_error"]),
            "feature": names,
            "user_id": names,
            "team": names,
            "environment": names,
            "retry_count": st.none() | st.integers(0, 3),
            "call_id": st.none() | st.sampled_from(["c1", "c2", "c3", "c4"]),
            "latency_ms": st.none() | st.floats(1, 1e6),
        }
    ),
    max_size=60,
)
filters = st.builds(
    Filters,
    since=st.none() | st.sampled_from([datetime(2026, 10, 6).date()]),
    zone=st.sampled_from(["UTC", "Asia/Kolkata"]),
    models=st.sampled_from([(), ("claude-opus-5-5", "claude-sonnet-5-5")]),
)


def numbered(log: list[dict]) -> list[dict]:
    """Attempts with an id each, and a place in their call."""
    places: dict[str | None, int] = {}
    for number, attempt in enumerate(log):
        attempt["attempt_id"] = f"attempt-{number}"
        if attempt["call_id"]:
            places[attempt["call_id"]] = attempt["attempt_no"] = places.get(attempt["call_id"], 0) + 1
    return log


property_test = settings(
    max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@property_test
@given(log=attempts, asked=filters)
def test_money_agrees_however_it_is_cut(con, log, asked):
    clear(con)
    fill(con, numbered(log))
    (totals,) = read(con, "totals", asked).to_pylist()
    for cut in ("feature", "model", "user", "team", "environment", "day", "hour", "day_and_model"):
        parts = read(con, f"spend_by_{cut}", asked).to_pylist()
        for figure in ("cost_usd", "calls"):
            assert sum(part[figure] for part in parts) == totals[figure], (cut, figure)
    by_class = read(con, "spend_by_token_class", asked).to_pylist()
    assert sum(part["cost_usd"] for part in by_class) == totals["cost_usd"]
    by_day_and_class = read(con, "spend_by_day_and_token_class", asked).to_pylist()
    assert sum(part["cost_usd"] for part in by_day_and_class) == totals["cost_usd"]
    tokens = {part["token_class"]: part["tokens"] for part in by_class}
    assert tokens["input"] == totals["uncached_input_tokens"]
    assert tokens["cache_read"] == totals["cache_read_tokens"]
    assert tokens["output"] == totals["output_tokens"]
    writes = tokens["cache_write_5m"] + tokens["cache_write_1h"] + tokens["cache_write_unknown_ttl"]
    assert writes == totals["cache_write_tokens"]
    assert totals["input_tokens"] == tokens["input"] + tokens["cache_read"] + writes
    unpriced = read(con, "unpriced_models", asked).to_pylist()
    assert sum(row["attempts"] for row in unpriced) == totals["unpriced_attempts"]
    assert totals["attempts"] == totals["priced_attempts"] + totals["unpriced_attempts"]


@property_test
@given(log=attempts)
def test_what_signals_are_judged_by_is_the_sum_of_attempts_and_of_calls(con, log):
    """By the hour, from sums that the store keeps as from each row."""
    clear(con)
    fill(con, numbered(log))
    of_tries = con.execute(
        """
        select date_trunc('hour', started_at), count(*), count(*) filter (where is_error),
            coalesce(sum(cost_usd), 0), count(*) filter (where cost_usd > 0), coalesce(sum(output_tokens), 0),
            coalesce(sum(cache_read_tokens), 0), count(*) filter (where stop_group is not null)
        from facts.attempts group by all order by all
        """
    ).fetchall()
    of_calls = con.execute(
        """
        select date_trunc('hour', started_at), count(*), count(*) filter (where is_masked),
            coalesce(sum(attempts * attempts) filter (where is_retry_known), 0)
        from facts.calls group by all order by all
        """
    ).fetchall()
    judged = [row for row in read(con, "signal_hours", Filters()).to_pylist() if row["slice_kind"] == "total"]
    names = (
        "attempts",
        "failed_attempts",
        "cost_usd",
        "billed_attempts",
        "output_tokens",
        "cache_read_tokens",
        "responses",
    )
    assert [(row["hour"], *(row[name] for name in names)) for row in judged if row["attempts"]] == of_tries
    names = ("calls", "masked_calls", "retry_known_squares")
    assert [(row["hour"], *(row[name] for name in names)) for row in judged if row["calls"]] == of_calls


@property_test
@given(log=attempts)
def test_cost_by_slice_is_the_sum_of_calls_and_of_attempts(con, log):
    clear(con)
    fill(con, numbered(log))
    (sums,) = con.execute(
        "select (select sum(cost_usd) from facts.attempts), (select sum(cost_usd) from facts.calls), "
        "(select count(*) from facts.attempts), (select sum(logged_attempts) from facts.calls)"
    ).fetchall()
    assert sums[0] == sums[1]
    assert sums[2] == (sums[3] or 0)


@property_test
@given(log=attempts)
def test_caching_adds_up(con, log):
    clear(con)
    fill(con, numbered(log))
    for row in read(con, "cache_by_model").to_pylist():
        assert row["net_saving_usd"] == row["gross_saving_usd"] - row["write_premium_usd"]
        assert row["uncached_cost_usd"] == row["cost_usd"] + row["net_saving_usd"]


@property_test
@given(log=attempts)
def test_first_attempt_errors_are_masked_or_final(con, log):
    """What failed at first either succeeded later, and is masked, or failed for good."""
    clear(con)
    fill(con, numbered(log))
    ((first, masked, final),) = con.execute(
        "select count(*) filter (is_first_attempt_failed), count(*) filter (is_masked), "
        "count(*) filter (is_first_attempt_failed and is_failed) from facts.calls where is_retry_known"
    ).fetchall()
    assert first == masked + final
    for slices in ("", "_by_model", "_by_feature", "_by_day"):
        parts = read(con, f"reliability{slices}").to_pylist()
        assert sum(part["masked_calls"] for part in parts) == masked
        assert sum(part["first_attempt_errors"] for part in parts) == first


@property_test
@given(log=attempts)
def test_the_parts_of_every_cost_add_up(con, log):
    clear(con)
    fill(con, numbered(log))
    parts = ["input", "cache_read", "cache_write", "output", "web_search"]
    for row in con.sql("from facts.attempts").to_arrow_table().to_pylist():
        if row["is_priced"]:
            assert sum((row[f"{part}_cost_usd"] for part in parts), Decimal(0)) == row["cost_usd"]
        else:
            assert (row["cost_usd"], bool(row["unpriced_reason"])) == (None, True)
