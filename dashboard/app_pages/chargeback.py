"""Chargeback: who pays what, with what is shared handed out by rules."""

import streamlit as st

from dashboard import allocation_editor, charts, data, filter_bar, tiles
from dashboard.allocation.chargeback import USD
from dashboard.reports import chargeback

view = filter_bar.current()
if chargeback.is_narrowed(view):
    with st.container(border=True, key="empty", width=560):
        st.subheader("Chargeback looks at everybody", icon=":material/filter_list_off:", anchor=False)
        st.markdown("What is shared is divided among all who spend: of a part of the calls nobody can say who pays it.")
        st.button("Clear filters and show all time", type="primary", on_click=filter_bar.show_everything)
else:
    tiles.row(view, *chargeback.PAGE.tiles)
    allocation, rates, problems = chargeback.agreed(data)
    for problem in problems:
        st.error("A file has mistakes and is not in force until they are put right.")
        st.code(problem, language=None, wrap_lines=True)
    known = {code: code for code in (USD, *rates.currencies())}
    currency = filter_bar.choose("Currency", "currency", known) if len(known) > 1 else USD
    for number, card in enumerate(chargeback.content(data, view, currency)):
        charts.draw(card, key=f"chargeback_{number}")
    allocation_editor.draw(allocation)
