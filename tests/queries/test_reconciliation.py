"""Bill against logs: every cause alone and together, each with the amount it was given, and sums that leave nothing."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attempts import a_failure, an_attempt, clear, fill
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.bill import kept
from queries import Filters, read

DAY = "2026-11-20"  # an_attempt is of this day: 1,000 x $4 / 1e6 + 100 x $20 / 1e6 = $0.006
ONE = Decimal("0.006")
LATER = datetime(2026, 11, 23, tzinfo=UTC)
USED = {"uncached_input_tokens": 1_000, "output_tokens": 100}


def a_row(day: str = DAY, **group: Any) -> dict[str, Any]:
    """A day's row of a report, broken out by model."""
    begin = datetime.fromisoformat(day)
    end = begin + timedelta(days=1)
    group = {"model": "claude-opus-5-5", **group}
    return {"starting_at": f"{begin.isoformat()}Z", "ending_at": f"{end.isoformat()}Z", "group": group}


def cost(cents: str, day: str = DAY, listed: str | None = None, **group: Any) -> dict[str, Any]:
    """A row of a cost report; the amount is in cents."""
    amounts = {"amount": cents, "currency": "USD"} | ({"list_amount": listed} if listed else {})
    return a_row(day, cost_type=group.pop("cost_type", "tokens"), **group) | {"cost": amounts}


def used(times: int = 1, day: str = DAY, **group: Any) -> dict[str, Any]:
    """A row of a usage report: so many times what an attempt uses."""
    return a_row(day, **group) | {"usage": {name: count * times for name, count in USED.items()}}


@pytest.fixture
def billed(con, tmp_path):
    """billed(rows, ...): these rows are on the bill, as of when `made_at` says."""

    def bill(*rows: dict[str, Any], made_at: datetime = LATER, home: Path = tmp_path) -> None:
        page = json.dumps({"data": list(rows), "has_more": False, "next_page": None}).encode()
        kept.keep(home, kept.read(page, "bill.json", made_at))
        kept.fold(con, home)

    return bill


@pytest.fixture
def causes(ask):
    """causes(): each cause with its amount; checks that they add up, in every answer there is."""

    def found() -> dict[str, Decimal]:
        total = ask("reconciliation")[0]
        named = {row["cause"]: row["amount_usd"] for row in ask("reconciliation_causes")}
        assert sum(named.values()) == total["difference_usd"] == total["billed_usd"] - total["logged_usd"]
        assert total["explained_usd"] + total["not_explained_usd"] == total["difference_usd"]
        for by in ("day", "model", "workspace"):
            rows = ask(f"reconciliation_by_{by}")
            assert sum(row["difference_usd"] or 0 for row in rows) == total["difference_usd"]
        return named

    return found


def test_a_bill_that_ties_out_has_no_cause(given, billed, causes):
    given(an_attempt(), an_attempt())
    billed(cost("1.2"), used(2))
    assert causes() == {}


def test_cents_are_not_dollars(given, billed, ask):
    given(an_attempt())
    billed(cost("123.45"))
    assert ask("reconciliation")[0]["billed_usd"] == Decimal("1.2345")


def test_missing_logs(given, billed, causes):
    given(an_attempt())
    billed(cost("1.8"), used(3))
    assert causes() == {"missing_logs": 2 * ONE}


def test_a_model_and_a_day_that_no_log_tells_of_are_missing_logs(given, billed, causes):
    given(an_attempt())
    billed(cost("0.6"), cost("7", model="claude-sonnet-5"), cost("5", "2026-11-19"))
    assert causes() == {"missing_logs": Decimal("0.12")}


def test_a_workspace_that_is_not_logged(given, billed, causes):
    given(an_attempt(workspace_id="w1"))
    billed(cost("0.6", workspace_id="w1"), cost("2", workspace_id="w2"))
    assert causes() == {"unlogged_workspace": Decimal("0.02")}


def test_no_name_is_the_default_workspace_where_workspaces_are_told(given, billed, ask, causes):
    given(an_attempt(workspace_id="w1"), an_attempt())
    billed(cost("0.6", workspace_id="w1"), cost("0.6", workspace_id=None))
    assert causes() == {}
    assert {row["workspace"] for row in ask("reconciliation_by_workspace")} == {"w1", "(default)"}


def test_logs_that_name_no_workspace_are_compared_with_all(given, billed, ask, causes):
    given(an_attempt())
    billed(cost("0.4", workspace_id="w1"), cost("0.2", workspace_id=None))
    assert causes() == {}
    assert [row["workspace"] for row in ask("reconciliation_by_workspace")] == ["(all)"]


def test_an_unpriced_model(given, billed, causes):
    given(an_attempt(), an_attempt(model_raw="claude-next"))
    billed(cost("0.6"), cost("9", model="claude-next"))
    assert causes() == {"unpriced_model": Decimal("0.09")}


def test_refusals_that_were_billed_after_all(given, billed, causes):
    given(an_attempt(), an_attempt(stop_reason="refusal", output_tokens=0))
    billed(cost("1.0"))  # 0.6 for the answer, 0.4 for the prompt of the refusal
    assert causes() == {"refusals": Decimal("0.004")}


def test_a_batch_that_the_log_took_for_standard_is_a_tier(given, billed, causes):
    given(an_attempt(), an_attempt())
    billed(cost("0.6"), cost("0.3", service_tier="batch"), used(1), used(1, service_tier="batch"))
    assert causes() == {"tiers": -ONE / 2}


def test_the_priority_tier_is_not_on_a_cost_report(given, billed, causes):
    given(an_attempt(), an_attempt(service_tier="priority"))
    billed(cost("0.6"))
    assert causes() == {"tiers": -ONE}


def test_rounding_is_what_the_digits_of_the_bill_cannot_show(given, billed, causes):
    given(an_attempt(uncached_input_tokens=1_001))  # 0.6004 cents
    billed(cost("0.600"))
    assert causes() == {"rounding": Decimal("-0.000004")}


def test_more_than_the_digits_hide_is_not_rounding(given, billed, causes):
    given(an_attempt(uncached_input_tokens=1_002))  # 0.6008 cents, which would be written as 0.601
    billed(cost("0.600"))
    assert causes() == {"not_explained": Decimal("-0.000008")}


def test_late_data(given, billed, causes, ask):
    given(an_attempt(), an_attempt())
    billed(cost("0.6"), made_at=datetime(2026, 11, 20, 18, tzinfo=UTC))
    assert causes() == {"late_data": -ONE}
    assert ask("reconciliation_by_day")[0]["status"] == "Bill from before its end"
    assert ask("reconciliation")[0]["open_days"] == 1


def test_credits_and_discounts(given, billed, causes):
    given(an_attempt())
    billed(cost("0.54", listed="0.6"), cost("-0.1", model=None, cost_type="credit"))
    assert causes() == {"discounts": Decimal("-0.0006"), "credits": Decimal("-0.001")}


def test_what_request_logs_cannot_price(given, billed, causes):
    given(an_attempt())
    billed(cost("0.6"), cost("5", cost_type="code_execution"), cost("2", cost_type="session_usage", model=None))
    assert causes() == {"other_charges": Decimal("0.07")}


def test_web_searches_are_told_by_no_model(given, billed, causes):
    given(an_attempt(web_search_requests=3))
    billed(cost("0.6"), cost("3", cost_type="web_search", model=None))
    assert causes() == {}


def test_calls_that_a_cloud_bills(given, billed, causes):
    given(an_attempt(), an_attempt(platform="bedrock"))
    billed(cost("0.6"))
    assert causes() == {"billed_by_a_cloud": -ONE}


def test_calls_that_are_on_another_bill(given, billed, causes):
    given(an_attempt(), an_attempt())
    billed(cost("0.6"), used(1))
    assert causes() == {"not_on_this_bill": -ONE}


def test_what_nothing_explains_is_said_so_in_both_directions(given, billed, causes, ask):
    given(an_attempt(), an_attempt(started_at=datetime(2026, 11, 19, 12)))
    billed(cost("0.7"), used(1), cost("0.5", "2026-11-19"), used(1, "2026-11-19"))
    assert causes() == {"not_explained": 0}  # a tenth of a cent each way
    assert ask("reconciliation")[0]["not_explained_either_way_usd"] == Decimal("0.002")


def test_failures_do_not_pass_for_logged_calls(given, billed, causes):
    given(an_attempt(), a_failure(started_at=datetime(2026, 11, 19, 12)))
    billed(cost("0.6"), cost("0.6", "2026-11-19"))
    assert causes() == {"missing_logs": ONE}


def test_everything_at_once(given, billed, causes):
    given(
        *(an_attempt(workspace_id="w1") for _ in range(2)),
        an_attempt(workspace_id="w1", platform="vertex"),
        an_attempt(workspace_id="w1", model_raw="claude-next"),
    )
    billed(
        # Of three calls two are logged, and one of them was a batch; 10 % off.
        cost("1.08", listed="1.2", workspace_id="w1"),
        cost("0.27", listed="0.3", workspace_id="w1", service_tier="batch"),
        used(2, workspace_id="w1"),
        used(1, workspace_id="w1", service_tier="batch"),
        cost("4", workspace_id="w1", model="claude-next"),
        cost("1", workspace_id="w2"),
        cost("-5", model=None, cost_type="credit"),
        cost("0.5", workspace_id="w1", cost_type="code_execution"),
    )
    assert causes() == {
        "missing_logs": ONE / 2,  # nothing tells which of the three is the batch: the one that is not logged
        "unlogged_workspace": Decimal("0.01"),
        "unpriced_model": Decimal("0.04"),
        "discounts": Decimal("-0.0015"),
        "credits": Decimal("-0.05"),
        "other_charges": Decimal("0.005"),
        "billed_by_a_cloud": -ONE,
    }


def test_the_newest_report_of_a_day_speaks_for_it(given, billed, causes, ask):
    given(an_attempt())
    billed(cost("0.6"), made_at=LATER)
    billed(cost("99"), cost("3", "2026-11-19"), made_at=datetime(2026, 11, 22, tzinfo=UTC))
    assert causes() == {"missing_logs": Decimal("0.03")}
    billed(cost("0.7"), made_at=LATER.replace(hour=1))
    assert ask("reconciliation")[0]["billed_usd"] == Decimal("0.037")


def test_a_day_without_a_bill_is_shown_and_not_compared(given, billed, ask):
    given(an_attempt(), an_attempt(started_at=datetime(2026, 11, 21, 12)))
    billed(cost("0.6"))
    assert [(row["status"], row["billed_usd"], row["logged_usd"]) for row in ask("reconciliation_by_day")] == [
        ("No bill", None, ONE),
        ("Compared", ONE, ONE),
    ]
    assert ask("reconciliation")[0]["logged_usd"] == ONE


_calls = st.lists(
    st.fixed_dictionaries(
        {
            "started_at": st.sampled_from([datetime(2026, 11, 19, 12), datetime(2026, 11, 20, 12)]),
            "model_raw": st.sampled_from(["claude-opus-5-5", "claude-haiku-5-5", "claude-next"]),
            "uncached_input_tokens": st.integers(0, 200_000),
            "output_tokens": st.integers(0, 5_000),
            "cache_read_tokens": st.integers(0, 9_999),
            "stop_reason": st.sampled_from(["end_turn", "refusal"]),
            "service_tier": st.sampled_from([None, "batch", "priority"]),
            "platform": st.sampled_from([None, "bedrock"]),
            "workspace_id": st.sampled_from([None, "w1"]),
        }
    ),
    max_size=6,
)
_groups = st.fixed_dictionaries(
    {
        "model": st.sampled_from([None, "claude-opus-5-5", "claude-haiku-5-5", "claude-next"]),
        "workspace_id": st.sampled_from([None, "w1", "w2"]),
        "service_tier": st.sampled_from(["standard", "batch"]),
    }
)
_days = st.sampled_from(["2026-11-19", "2026-11-20"])
_costs = st.builds(
    lambda group, day, cents, listed, kind: cost(f"{cents:f}", day, listed and f"{listed:f}", cost_type=kind, **group),
    _groups,
    _days,
    st.decimals("-999", "99999", places=7),
    st.none() | st.decimals("0", "99999", places=3),
    st.sampled_from(["tokens", "web_search", "code_execution", "credit"]),
)
_usages = st.builds(lambda group, day, times: used(times, day, **group), _groups, _days, st.integers(1, 50))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_calls, st.lists(_costs, min_size=1, max_size=5), st.lists(_usages, max_size=4), st.sampled_from([18, 40]))
def test_causes_add_up_for_any_bill_and_any_logs(con, tmp_path_factory, calls, costs, usages, hours):
    clear(con)
    fill(con, [an_attempt(**call) for call in calls])
    home = tmp_path_factory.mktemp("home")
    made_at = datetime(2026, 11, 20 + hours // 24, hours % 24, tzinfo=UTC)
    kept.keep(home, kept.read(json.dumps({"data": costs + usages}).encode(), "bill.json", made_at))
    kept.fold(con, home)

    [total] = read(con, "reconciliation", Filters()).to_pylist()
    named = read(con, "reconciliation_causes", Filters()).to_pylist()
    distinct = {json.dumps(row, sort_keys=True): Decimal(row["cost"]["amount"]) for row in costs}
    assert total["billed_usd"] == sum(distinct.values()) / 100
    assert sum(row["amount_usd"] for row in named) == total["billed_usd"] - total["logged_usd"]
