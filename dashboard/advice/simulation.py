"""The simulator: switches for measures, sliders for limits and a discount, and the plan that they make."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa
import streamlit as st

from dashboard import cents, charts, data, units
from dashboard.advice import words
from dashboard.advice.finding import AS_ADVISED, LIMITS, Found
from dashboard.data import Rows
from dashboard.filter_bar import View
from dashboard.names import display_name
from dashboard.reports.cards import table, waterfall
from dashboard.rows import sums

AS_GIVEN = "As advised"
UNCHANGED = "None"
SAME = "The same models, at their newest list price"


def simulate(view: View, found: Found) -> None:
    """The switches and sliders, and the plan that they make."""
    ground = found.ground
    with st.container(border=True, gap="small"):
        st.subheader("Measures", anchor=False)
        st.caption("What the logs cannot tell (up to …) is off until you switch it on.")
        chosen = []
        for step, name in words.STEPS.items():
            theirs = [measure for measure in ground.measures if measure.step == step]
            if theirs:
                st.caption(f"**{name}**")
            for measure in theirs:
                alone = units.money(found.monthly(measure.saving_usd)).replace("$", "\\$")
                bound = "up to " if measure.level == "C" else ""
                said = words.title(measure.kind, measure.step, measure.feature, measure.model)
                key = f"use_{measure.measure_id}"
                if st.toggle(
                    f"{said} ({bound}{alone} a month alone)", measure.level != "C", key=key, bind="query-params"
                ):
                    chosen.append(measure.measure_id)
        if not ground.measures:
            st.caption("No measure was found in this period.")
        with st.container(horizontal=True, gap="large"):
            limits = {AS_GIVEN: AS_ADVISED} | {f"{limit:,} tokens": limit for limit in LIMITS}
            limit = st.select_slider(
                "Prompt limit", list(limits), AS_GIVEN, key="limit", bind="query-params", width=320,
                help="Moves every limit on prompts that is switched on.",
            )  # fmt: skip
            percent = st.slider(
                "Discount on list prices, %", 0, 50, 0, key="discount", bind="query-params", width=320,
                help="What a contract takes off. It comes last, off what the measures leave.",
            )  # fmt: skip
    draw(view, found, chosen, limits[limit], Decimal(percent) / 100)


def draw(view: View, found: Found, chosen: Collection[str], limit: int, discount: Decimal) -> None:
    """What these measures leave of the spend, step by step, and what each is worth."""
    ground = found.ground
    plan = ground.plan(chosen, limit, discount)
    with st.grid(4, min_column_width=150, gap="small"):
        saved = plan.spend_usd - plan.left_usd
        share = saved / plan.spend_usd if plan.spend_usd else Decimal(0)
        st.metric("Spend in the period", units.money(plan.spend_usd), border=True)
        st.metric("Left", units.money(plan.left_usd), border=True)
        st.metric("Saved", units.money(saved), border=True)
        st.metric("Saved, share", units.percent(float(share)), border=True)
    st.caption(f"{units.money(found.monthly(saved))} in a month of 30 days.".replace("$", "\\$"))

    # In cents that add up: what is left is the spend less every step, on the screen as well.
    every_part = {words.STEPS[step]: -amount for step, amount in plan.steps_usd.items()} | {
        "Discount": -plan.discount_usd
    }
    parts = {name: amount for name, amount in every_part.items() if amount}
    spend, left = cents.rounded(plan.spend_usd), cents.rounded(plan.left_usd)
    amounts = [spend, *cents.adding_up(list(parts.values()), left - spend), left]
    steps = pa.table(
        {
            "what": ["Spend", *parts, "Left"],
            "amount_usd": pa.array(amounts, pa.decimal128(38, 2)),
            "is_sum": [True, *[False] * len(parts), True],
        }
    )
    asked = f"{data.generation()}/{view.filters}/{sorted(chosen)}/{limit}/{discount}"
    note = "Each step is priced on what the one before it left."
    shown = waterfall(
        Rows(f"plan/{asked}", steps), title="From spend to what is left", note=note, alt="Spend, step by step"
    )
    charts.draw(shown, key="plan_steps")

    if chosen:
        taken = [measure for measure in ground.measures if measure.measure_id in chosen]
        worths = cents.adding_up([plan.worth_usd[of.measure_id] for of in taken], cents.rounded(plan.saving_usd))
        order = sorted(range(len(taken)), key=lambda place: -worths[place])
        rows = pa.table(
            {
                "what": [
                    words.title(of.kind, of.step, of.feature, of.model, "text") for of in (taken[n] for n in order)
                ],
                "saving_usd": pa.array([worths[n] for n in order], pa.decimal128(38, 2)),
                "alone_usd": pa.array(
                    [cents.rounded(ground.plan([taken[n].measure_id], limit).saving_usd) for n in order],
                    pa.decimal128(38, 2),
                ),
            }
        )
        worth = Rows(f"worth/{asked}", rows)
        total = {"saving_usd": sums(worth)["saving_usd"]}
        note = "A measure's part of what all save together. Alone it may save more: measures take from one another."
        charts.draw(table("What each is worth in this plan", note, worth, total), key="plan_worth")


def another_model(view: View) -> None:
    """The same calls at the price of another model."""
    with st.container(border=True, gap="small"):
        st.subheader("Another model, price only", anchor=False)
        st.caption(
            "The same calls at another model's newest list price, with its own way to count tokens; a price that is to "
            "come counts as soon as it is on the list. It says nothing about whether the answers would be as good, and "
            "is not part of the plan."
        )
        every = data.read("advice_models_by_feature", view.filters).table.to_pylist()
        models = sorted({row["other_model"] for row in every})
        other = st.selectbox(
            "Price on",
            [UNCHANGED, SAME, *models],
            key="priced_on",
            bind="query-params",
            width=320,
            format_func=display_name,
        )
        if other != UNCHANGED:
            priced = [row for row in every if _is_asked(row, other)]
            columns = {
                name: pa.array([row[name] for row in priced])
                for name in ("feature", "model", "calls", "cost_usd", "other_cost_usd")
            }
            difference = [row["other_cost_usd"] - row["cost_usd"] for row in priced]
            told = Rows(
                f"models/{data.generation()}/{view.filters}/{other}",
                pa.table(columns | {"cost_change_usd": pa.array(difference, pa.decimal128(38, 12))}),
            )
            charts.draw(table("Price on another model", "", told, sums(told) if priced else None), key="plan_models")


def _is_asked(row: Mapping[str, Any], other: str) -> bool:
    if other == SAME:
        return bool(row["other_model"] == row["model"])
    return bool(row["other_model"] == other != row["model"])
