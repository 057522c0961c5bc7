"""Measures one after another: the parts add up, nothing counts twice, and the worked examples come out to the cent."""

from decimal import Decimal
from itertools import combinations, permutations

import duckdb
import hypothesis
import pytest
from attempts import an_attempt, clear, empty_store, fill
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from queries import Filters, create_views, read
from queries.advice import STEPS, Advised, Measure
from queries.advice.measure import changes
from queries.advice.plan import LIMITS, ground

SONNET = {"model_raw": "claude-sonnet-4-6"}  # 3 in, 15 out, read 0.30, written 3.75 and 6 dollars a million; batch half


def a_measure(step, feature, kind="", saving=Decimal(1)) -> Measure:
    nothing = Decimal(0)
    return Measure(kind or step, step, feature, None, "A", nothing, nothing, saving, saving)


def advised(*found) -> Advised:
    """(measure, attempt ids, what it changes on each)."""
    return Advised.of(
        Advised((measure,), changes(ids, [measure.measure_id] * len(ids), **columns)) for measure, ids, columns in found
    )


def plan_of(con, *found):
    return ground(lambda view, filters: read(con, view, filters), Filters(), advised(*found))


def test_fixture_a_is_reproduced_to_the_cent(con):
    # 27 calls of 14,000 input tokens: 2,000 are surplus, the first 5,000 a warm prefix. 2 of the 27 run at night.
    calls = [an_attempt(**SONNET, uncached_input_tokens=14_000, output_tokens=1_200, feature="f") for _ in range(27)]
    fill(con, calls)
    ids = [call["attempt_id"] for call in calls]
    cap, cache, batch = (a_measure(step, "f") for step in ("cap", "cache", "batch"))
    of = plan_of(
        con, (cap, ids, {"cut_tokens": 2_000}), (cache, ids, {"read_tokens": 5_000}),
        (batch, ids[:2], {"is_batched": True}),
    )  # fmt: skip
    everything = of.plan([cap.measure_id, cache.measure_id, batch.measure_id])
    # 27 x (14,000 x $3 + 1,200 x $15) / 1M = $1.62; 27 x 2,000 x $3 = $0.162; 27 x 5,000 x ($3 - $0.30) = $0.3645;
    # what is left of each call, $1.0935 / 27 = $0.0405, halves for two of them: $0.0405.
    assert everything.spend_usd == Decimal("1.62")
    assert everything.steps_usd == {
        "waste": 0, "cap": Decimal("0.162"), "cache": Decimal("0.3645"), "batch": Decimal("0.0405"),
    }  # fmt: skip
    assert everything.left_usd == Decimal("1.053")
    assert everything.saving_usd / everything.spend_usd == Decimal("0.35")
    alone = [of.plan([measure.measure_id]).saving_usd for measure in (cap, cache, batch)]
    assert alone == [Decimal("0.162"), Decimal("0.3645"), Decimal("0.06")]  # their sum would be 36.2 %, not 35 %
    assert [round(worth / Decimal("1.62") * 100, 2) for worth in (
        everything.worth_usd[measure.measure_id] for measure in (cap, cache, batch)
    )] == [Decimal("9.81"), Decimal("22.08"), Decimal("3.10")]  # fmt: skip
    assert sum(everything.worth_usd.values()) == everything.saving_usd
    # A cold start: one call writes the prefix instead, 5,000 x ($3.75 - $0.30) / 1M more.
    one_write = {"read_tokens": [0] + [5_000] * 26, "write_5m_tokens": [5_000] + [0] * 26}
    cold = plan_of(con, (cap, ids, {"cut_tokens": 2_000}), (cache, ids, one_write))
    assert cold.plan([cap.measure_id, cache.measure_id]).left_usd == Decimal("1.0935") + Decimal("0.01725")


def test_fixture_b_of_separate_workloads_adds_up_plainly(con):
    # $280 of which a warm prefix saves a quarter, $520 of jobs that can wait, $200 of which a tenth is surplus.
    def tokens(usd, usd_mtok="3"):
        return round(Decimal(usd) / Decimal(usd_mtok) * 1_000_000)

    chat, jobs, mail = (
        an_attempt(**SONNET, uncached_input_tokens=tokens(usd), output_tokens=0, feature=feature)
        for feature, usd in (("chat", 280), ("jobs", 520), ("mail", 200))
    )
    fill(con, [chat, jobs, mail])
    cache, batch, cap = a_measure("cache", "chat"), a_measure("batch", "jobs"), a_measure("cap", "mail")
    of = plan_of(
        con, (cache, [chat["attempt_id"]], {"read_tokens": tokens(70, "2.7")}),
        (batch, [jobs["attempt_id"]], {"is_batched": True}), (cap, [mail["attempt_id"]], {"cut_tokens": tokens(20)}),
    )  # fmt: skip
    everything = of.plan([measure.measure_id for measure in of.measures])
    assert round(everything.spend_usd, 2) == 1_000
    assert {step: round(saved, 2) for step, saved in everything.steps_usd.items()} == {
        "waste": 0, "cap": 20, "cache": 70, "batch": 260,
    }  # fmt: skip
    assert round(everything.left_usd, 2) == 650  # 35 % less
    alone = [of.plan([measure.measure_id]).saving_usd for measure in of.measures]
    assert sum(alone) == everything.saving_usd  # they never meet, so here the plain sum is right
    assert list(everything.worth_usd.values()) == alone


def test_the_slider_sets_every_chosen_cap_to_its_limit(con):
    calls = [an_attempt(**SONNET, uncached_input_tokens=n * 1_000, feature="f") for n in (1, 10, 100)]
    fill(con, calls)
    cap = a_measure("cap", "f")
    of = plan_of(con, (cap, [calls[2]["attempt_id"]], {"cut_tokens": 1_000}))
    usd_a_token = Decimal("0.000003")
    assert of.plan([cap.measure_id]).saving_usd == 1_000 * usd_a_token
    assert of.plan([cap.measure_id], 8_000).saving_usd == (2_000 + 92_000) * usd_a_token
    assert of.plan([cap.measure_id], 64_000).saving_usd == 36_000 * usd_a_token
    assert of.plan([], 8_000).saving_usd == 0


def test_a_discount_comes_off_what_the_measures_left(con):
    call = an_attempt(**SONNET, uncached_input_tokens=1_000_000, output_tokens=0, feature="f")  # $3
    fill(con, [call])
    batch = a_measure("batch", "f")
    of = plan_of(con, (batch, [call["attempt_id"]], {"is_batched": True}))
    plan = of.plan([batch.measure_id], discount_rate=Decimal("0.1"))
    assert (plan.saving_usd, plan.discount_usd, plan.left_usd) == (Decimal("1.5"), Decimal("0.15"), Decimal("1.35"))


def test_spend_that_no_measure_can_change_stays(con):
    iterations = [{"model_raw": None, "uncached_input_tokens": 1_000_000, "output_tokens": 0}]
    whole = an_attempt(**SONNET, uncached_input_tokens=0, output_tokens=0, iterations=iterations)
    fill(con, [whole, an_attempt(**SONNET, uncached_input_tokens=1_000_000, output_tokens=0, feature="f")])
    assert plan_of(con).plan([]).left_usd == plan_of(con).spend_usd == 6


def test_the_rows_behind_a_measure_are_those_that_save_most(con):
    calls = [an_attempt(**SONNET, uncached_input_tokens=n, output_tokens=0, feature="f") for n in range(1, 31)]
    fill(con, calls)
    waste = a_measure("waste", "f")
    of = plan_of(con, (waste, [call["attempt_id"] for call in calls], {"is_dropped": True}))
    shown = of.examples.to_pylist()
    assert [row["input_tokens"] for row in shown] == list(range(30, 10, -1))
    assert shown[0]["saving_usd"] == shown[0]["cost_usd"] == Decimal("0.00009")


# --- What holds for any attempts and any measures ---

CALLS = st.lists(
    st.fixed_dictionaries(
        {
            "uncached_input_tokens": st.integers(0, 200_000),
            "cache_read_tokens": st.integers(0, 50_000),
            "cache_write_unknown_ttl_tokens": st.integers(0, 5_000),
            "output_tokens": st.integers(0, 9_000),
            "model_raw": st.sampled_from(["claude-sonnet-4-6", "claude-haiku-4-5", "claude-opus-5-5"]),
            "feature": st.sampled_from(["f", "g"]),
            "changes": st.fixed_dictionaries(
                {},
                optional={
                    "waste": st.just(()),
                    "cap": st.tuples(st.integers(1, 100_000)),
                    "cache": st.tuples(st.integers(0, 99_999), st.integers(0, 9_999), st.integers(0, 9_999)),
                    "cache again": st.tuples(st.integers(0, 9_999), st.integers(0, 9_999), st.just(0)),
                    "batch": st.just(()),
                },
            ),
        }
    ),
    min_size=1,
    max_size=6,
)
COLUMNS = {
    "waste": ("is_dropped",),
    "cap": ("cut_tokens",),
    "cache": ("read_tokens", "write_5m_tokens", "write_1h_tokens"),
    "batch": ("is_batched",),
}


@pytest.fixture(scope="module")
def own():
    con = empty_store()
    create_views(con)
    return con


def laid_out(con: duckdb.DuckDBPyConnection, calls):
    clear(con)
    attempts = [an_attempt(**{name: value for name, value in call.items() if name != "changes"}) for call in calls]
    fill(con, attempts)
    found: dict = {}
    for attempt, call in zip(attempts, calls, strict=True):
        for kind, values in call["changes"].items():
            found.setdefault((kind, call["feature"]), []).append((attempt["attempt_id"], *(values or (True,))))
    parts = []
    for (kind, feature), rows in found.items():
        step = kind.split()[0]
        ids, *columns = map(list, zip(*rows, strict=True))
        measure = a_measure(step, feature, kind, Decimal(1 if kind == step else 2))
        parts.append((measure, ids, dict(zip(COLUMNS[step], columns, strict=True))))
    return attempts, plan_of(con, *parts)


def by_hand(con, attempts, calls, kinds, limit):
    """What the calls cost with these kinds of measures, call by call: waste, cap, cache, batch."""
    rates = {row["attempt_id"]: row for row in read(con, "advice_attempts").to_pylist()}
    total = 0
    for attempt, call in zip(attempts, calls, strict=True):
        rate, changed = rates[attempt["attempt_id"]], {k: v for k, v in call["changes"].items() if k in kinds}
        if "waste" in changed:
            continue
        way = "batch_" if "batch" in changed else ""
        price = {
            name: rate[f"{way}{name}_pico"] for name in ("input", "cache_read", "cache_write_5m", "cache_write_1h")
        }
        left = attempt["uncached_input_tokens"]
        cut = 0
        is_capped = any("cap" in other["changes"] for other in calls if other["feature"] == call["feature"])
        if "cap" in kinds and is_capped:
            prompt = left + attempt["cache_read_tokens"] + attempt["cache_write_unknown_ttl_tokens"]
            cut = max(0, min(left, prompt - limit)) if limit else min(changed.get("cap", (0,))[0], left)
        left -= cut
        cached = changed.get("cache again") or changed.get("cache") or (0, 0, 0)
        reads = min(cached[0], left)
        short = min(cached[1], left - reads)
        long = min(cached[2], left - reads - short)
        total += (
            rate[f"{way}cost_pico"]
            - (cut + reads + short + long) * price["input"]
            + reads * price["cache_read"] + short * price["cache_write_5m"] + long * price["cache_write_1h"]
        )  # fmt: skip
    return Decimal(total).scaleb(-12)


RARE = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])


@RARE
@hypothesis.given(CALLS, st.data())
def test_any_choice_costs_what_it_costs_by_hand_and_its_parts_add_up(own, calls, data):
    attempts, of = laid_out(own, calls)
    measures = data.draw(st.lists(st.sampled_from(of.measures), unique_by=id) if of.measures else st.just([]))
    # A choice by hand is by kind: both workloads or none.
    kinds = {measure.kind for measure in measures}
    limit = data.draw(st.sampled_from((0, *LIMITS)))
    discount = data.draw(st.decimals(0, 1, places=3))
    plan = of.plan([measure.measure_id for measure in of.measures if measure.kind in kinds], limit, discount)
    left = by_hand(own, attempts, calls, kinds, limit)
    assert plan.spend_usd - plan.saving_usd == left >= 0
    assert plan.left_usd == plan.spend_usd - sum(plan.steps_usd.values()) - plan.discount_usd
    assert 0 <= plan.left_usd <= left
    assert sum(plan.worth_usd.values()) == plan.saving_usd
    assert plan.steps_usd.keys() == set(STEPS)
    alone = [of.plan([measure.measure_id]).saving_usd for measure in of.measures if measure.kind in {"waste", "batch"}]
    assert all(saving >= 0 for saving in alone)


@RARE
@hypothesis.given(CALLS, st.data())
def test_the_order_in_which_measures_are_named_changes_nothing(own, calls, data):
    _, of = laid_out(own, calls)
    ids = [measure.measure_id for measure in of.measures]
    assert of.plan(data.draw(st.permutations(ids))) == of.plan(ids)


@RARE
@hypothesis.given(CALLS)
def test_worth_is_the_mean_of_what_a_measure_adds_over_all_orders(own, calls):
    _, of = laid_out(own, calls[:3])
    ids = [measure.measure_id for measure in of.measures][:4]
    costs = {
        frozenset(some): of.plan(some).left_usd for size in range(len(ids) + 1) for some in combinations(ids, size)
    }
    orders = list(permutations(ids))
    for measure_id in ids:
        added = sum(
            costs[frozenset(order[: order.index(measure_id)])] - costs[frozenset(order[: order.index(measure_id) + 1])]
            for order in orders
        )
        assert abs(of.plan(ids).worth_usd[measure_id] - added / len(orders)) <= Decimal("1e-12")
