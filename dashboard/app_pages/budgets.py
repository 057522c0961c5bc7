"""Budgets: what is spent of each, and how long the rest will last."""

import streamlit as st

from dashboard import budget_cards, budget_form, data, rules_state
from dashboard.alerts.evaluation import utc_now
from dashboard.budgets import standing

state = rules_state.current()
budgets = list(state.rules.budgets.values())

if state.problem:
    rules_state.complain(state)
    st.page_link("app_pages/alerts.py", label="Open the editor on the Alerts page", icon=":material/edit_document:")
elif not budgets:
    with st.container(border=True, key="empty", width=560):
        st.subheader("No budgets yet", icon=":material/savings:", anchor=False)
        st.markdown(
            "A budget is an amount for a day, a week, a month or a quarter: for everything, or for a feature, a team "
            "or a user. Outlay shows what is spent of it, when the rest will be gone as things are going, and tells "
            "you when a mark is passed. It never blocks a call."
        )
        if st.button("Set up a budget", type="primary", icon=":material/add:"):
            budget_form.edit(state, None)
        st.caption("Budgets are kept in a text file that can lie under version control:")
        st.code(str(state.path), language=None, wrap_lines=True)
else:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            "At the prices of each day, each in its own time zone. A budget warns; it never blocks a call.",
            width="stretch",
        )
        if st.button("New budget", icon=":material/add:"):
            budget_form.edit(state, None)
    now = utc_now()
    with st.grid(2, min_column_width=420, gap="small"):
        for number, budget in enumerate(budgets):
            how = standing(lambda metric, filters: data.read(metric, filters).table, budget, now)
            if budget_cards.draw(how, f"budget_{number}"):
                budget_form.edit(state, budget)
