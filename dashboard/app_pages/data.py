"""Data: what was loaded, what was refused and why, and what has no price."""

import streamlit as st

from dashboard import charts, data, tables, units
from dashboard.login import acting
from dashboard.login.users import Role
from dashboard.names import display_name

ARITHMETIC = ["read_records", "new_attempts", "known_records", "folded_records", "refused_records"]
SPAN = ["first_started_at", "last_started_at"]

set_aside = data.read("set_aside")
if len(set_aside):
    with charts.card(
        "Loads set aside",
        "They are safe in the archive, but could not be read from it, and nothing of them is counted. They are tried "
        "again every ten minutes; a damaged one has to be loaded again from its log.",
    ):
        tables.draw(set_aside.pick("load_id", "reason", "tried_at"), key="set_aside", alt="Loads set aside")

fresh = data.read("freshness").first()
if not fresh.get("loads"):
    st.markdown("Nothing has been loaded yet.")
    if acting.may(Role.OPERATOR):
        st.page_link("app_pages/upload.py", label="Upload logs", icon=":material/upload_file:")
    st.stop()

said = units.words(fresh)
st.caption(
    f"{said['loads']} loads hold {said['attempts']} attempts, the last of them from {said['last_started_at']}. "
    f"Last loaded {said['last_load_at']}."
)

loads = data.read("loads")
with charts.card("Loads", "Every record read is new, already known, folded into a fuller copy, or refused."):
    shown = loads.pick("source_name", "landed_at", *ARITHMETIC, "bytes", *SPAN)
    tables.draw(shown, key="loads", alt="Loads and their arithmetic", total=tables.sums(shown))

superseded = data.read("superseded_loads")
if len(superseded):
    with charts.card("Superseded loads", "All their lines were refused, and taken when they were read in another way."):
        tables.draw(superseded.pick("source_name", "landed_at", "refused_records"), key="superseded",
                    alt="Superseded loads")  # fmt: skip

refusals = data.read("refusals")
with charts.card("Refused lines", "Lines that are not counted anywhere, and why."):
    if len(refusals):
        reasons = data.read("refusal_reasons").pick("reason", "source_name", "records")
        tables.draw(reasons, key="reasons", alt="Refused lines by reason", total=tables.sums(reasons))
        shown = refusals.pick("source_name", "source_line", "reason", "preview")
        tables.draw(shown, key="refusals", alt="Every refused line")
    else:
        st.caption("Every line that holds a request was taken.")

unpriced = data.read("unpriced_models")
with charts.card(
    "Models without a price", "Their calls are counted everywhere; their cost is missing from all totals."
):
    if len(unpriced):
        tables.draw(unpriced, key="unpriced", alt="Models without a price", total=tables.sums(unpriced))
    else:
        st.caption("Every logged model has a price on its day.")

contract = data.read("contract_prices")
if len(contract):
    with charts.card("Contract prices", "From contract_prices.csv. Any mistake in it puts list prices in force."):
        tables.draw(contract, key="contract", alt="Contract prices")

notes = [note for notes in loads["notes"] for note in notes or []]
with charts.card("Assumptions", "What the loads could not know and took for granted."):
    for note in dict.fromkeys(notes):
        st.caption(f"{display_name(note, 'md', 300)} ({notes.count(note)} of {len(loads)} loads)")
    if not notes:
        st.caption("Nothing was assumed.")
