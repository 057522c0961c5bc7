"""The form in which a budget is set up, changed or taken away; it writes the rules file."""

from decimal import Decimal
from functools import partial
from typing import Any

import streamlit as st

from dashboard import data, units
from dashboard.alerts import rules_file, values
from dashboard.alerts.rules import MARKS, Budget
from dashboard.names import display_name, labels
from dashboard.rules_state import RulesState, zones

PERIODS = {"Month": "month", "Week": "week", "Quarter": "quarter", "Day": "day", "So many days up to today": ""}
NARROWING = {"feature": "feature", "team": "team", "user": "user_id", "model": "model", "environment": "environment"}
MOST_OPTIONS = 1000
LONGEST_NAME = 60


@st.dialog("Budget", width="medium")
def edit(state: RulesState, budget: Budget | None) -> None:
    """Ask for everything a budget is; None sets up a new one."""
    name = st.text_input(
        "Name",
        budget.name if budget else "",
        max_chars=LONGEST_NAME,
        disabled=budget is not None,
        key=state.key("Name"),
    )
    left, right = st.columns(2)
    amount = left.text_input(
        "Amount in US dollars",
        f"{budget.amount_usd:f}" if budget else "",
        placeholder="5000",
        help="At list price.",
        key=state.key("Amount in US dollars"),
    )
    word = budget.period.word if budget else "month"
    shown = next((label for label, known in PERIODS.items() if known == word), list(PERIODS)[-1])
    period = PERIODS[right.selectbox("For each", list(PERIODS), list(PERIODS).index(shown), key=state.key("For each"))]
    if not period:
        rolling = budget.period.rolling if budget and budget.period.rolling else 30
        period = f"{right.number_input('Days', 2, 400, rolling, key=state.key('Days'))} days"
    chosen = narrow(state, budget.filters if budget else None)
    left, right = st.columns(2)
    marks = left.multiselect(
        "Marks, % of the amount",
        sorted({*MARKS, 25, 75, 90, 95, 110, 120, *(budget.marks if budget else ())}),
        budget.marks if budget else MARKS,
        help="An alert on budgets tells when each is passed.",
        key=state.key("Marks, % of the amount"),
    )
    zone = zone_of(state, right, budget.filters.zone if budget else state.rules.zone)
    with st.container(horizontal=True):
        if st.button("Save", type="primary", key=state.key("Save")):
            table = {
                "amount_usd": _told(amount),
                "period": period,
                "marks": None if tuple(marks) == MARKS else sorted(marks),
                "zone": None if zone == state.rules.zone else zone,
                **chosen,
            }
            _save(state, name.strip(), table, is_new=budget is None)
        st.space("stretch")
        if budget and st.button("Delete", icon=":material/delete:", type="tertiary", key=state.key("Delete")):
            done(state.change(partial(rules_file.remove, section="budgets", name=budget.name)))


def narrow(state: RulesState, filters: Any) -> dict[str, list[str] | None]:
    """Whose spend or calls are meant: one list for each dimension; None for all."""
    chosen: dict[str, list[str] | None] = {}
    with st.expander(
        "Narrow it down", expanded=bool(filters and any(getattr(filters, f"{key}s") for key in NARROWING))
    ):
        for key, column in NARROWING.items():
            before = list(getattr(filters, f"{key}s")) if filters else []
            options = list(dict.fromkeys([*before, *data.options().get(key, [])[:MOST_OPTIONS]]))
            shown = labels(options)
            picked = st.multiselect(
                units.label(column),
                options,
                before,
                placeholder="All",
                format_func=partial(_shown, shown),
                accept_new_options=True,
                key=state.key(units.label(column)),
            )
            chosen[f"{key}s"] = picked or None
    return chosen


def _shown(labelled: dict[str, str], value: str) -> str:
    return labelled.get(value) or display_name(value)


def zone_of(state: RulesState, place: Any, zone: str) -> str:
    """The time zone in which days and hours are meant."""
    known = list(dict.fromkeys([zone, *zones()]))
    return str(place.selectbox("Time zone", known, help="Days begin at midnight there.", key=state.key("Time zone")))


def done(problem: str | None) -> None:
    """Close the form after saving, or say what is wrong and leave it open."""
    if problem is None:
        st.rerun()
    st.error(display_name(problem, "md", 600))


def _told(amount: str) -> int | str:
    """An amount as the rules file keeps it: whole dollars plainly, cents as text so that no digit is lost."""
    plain = amount.strip().removeprefix("$").replace(",", "")
    return int(plain) if plain.isdigit() else plain


def _save(state: RulesState, name: str, table: dict[str, Any], is_new: bool) -> None:
    if not name:
        st.error("Give the budget a name.")
    elif is_new and name in state.rules.budgets:
        st.error("There is a budget with this name already.")
    elif (problem := _amount_problem(table["amount_usd"])) is not None:
        st.error(problem)
    else:
        done(state.change(partial(rules_file.put, section="budgets", name=name, values=table)))


def _amount_problem(amount: int | str) -> str | None:
    try:
        values.amount(amount if isinstance(amount, int) else Decimal(amount or "0"))
    except (ValueError, ArithmeticError):
        return "Write the amount as a number above zero, like 5000 or 99.50."
    return None
