"""Reliability: errors before and after retries, and what retries hide."""

import streamlit as st

from dashboard import charts, data, error_words, signal_words, tables, tiles, units
from dashboard.filter_bar import SLICES, choose, current

view = current()
RATES = ["first_attempt_error_rate", "masked_rate", "final_error_rate"]

said = tiles.row(
    view,
    [*RATES, "amplification", "attempt_error_rate", "wasted_ms", "wasted_cost_usd", "retry_known_rate"],
    ["reliability"],
    notes={
        "first_attempt_error_rate": "Calls whose first attempt failed.",
        "masked_rate": "Calls that failed at first and succeeded on a retry: nobody saw it, but somebody waited.",
        "final_error_rate": "Calls that failed in the end.",
        "amplification": "Attempts made for each call.",
        "attempt_error_rate": "Failed attempts, of all attempts of calls whose retries are known.",
        "wasted_ms": "From the first attempt to the one that answered, over masked calls with all attempts logged.",
        "wasted_cost_usd": "What was billed for attempts that failed, such as streams that broke off.",
        "retry_known_rate": "Calls whose log tells how often they were tried. All rates but the final one need it.",
    },
)
coverage = f"Retry data known for {said['retry_known_rate']} of calls."
st.caption(f"{coverage} Failures after retries are counted over all {said['calls']} calls.")

verdicts = data.errors_pass("feature", view.filters)
for sentence in error_words.lasting(verdicts):
    st.warning(sentence, icon=":material/report:")

days = data.read("reliability_by_day", view.filters)
charts.lines(view, days, RATES, title="Over time", key="reliability", note=coverage, watched=signal_words.ERRORS)

title = "Failed attempts by error type"
errors = data.read("errors_by_day_and_type", view.filters)
charts.classes_over_time(view, errors, "error_type", "failed_attempts", title=title, key="errors", note=coverage)
note = "Every failed attempt that was logged or is known to be hidden; the rates above need retry data."
with charts.card("Error types", note):
    types = data.read("errors_by_type", view.filters)
    tables.draw(types, key="error_types", alt=title, total=tables.sums(types), zone=view.zone)

if len(verdicts):
    note = (
        "Over the 14 days to the end of the period. Systematic errors stay until somebody mends their cause, however "
        "well retries hide them; transient ones pass. Quiet is under 2 %. In simulated logs with 20 calls an hour or "
        "more, the answer was right at least 94 times in 100."
    )
    with charts.card("Do errors pass or stay?", note):
        tables.draw(verdicts, key="error_patterns", alt="Error patterns by feature", opens="feature")

headroom = data.read("headroom_by_model", view.filters)
if len(headroom):
    note = "The least that was left of a rate limit, where the log kept the response's rate-limit headers."
    with charts.card("Room under the rate limits", note):
        tables.draw(headroom, key="headroom", alt="Rate-limit headroom by model", opens="model")

unlinked = data.read("masked_estimates_by_feature", view.filters)
if len(unlinked):
    note = (
        "An estimate, not part of the rates above: nothing in these logs links a retry to the attempt before it, so an "
        "attempt within five seconds of a failed one for the same feature, model and user is taken for its retry. "
        "In simulated traffic with 20 users such links were right 97 to 99.8 % of the time; without users, far less."
    )
    with charts.card("Attempts that no log links", note):
        tables.draw(unlinked, key="unlinked", alt="Estimated masked errors by feature", opens="feature")

by = choose("Break down by", "slice", SLICES)
title = f"By {units.label(by).lower()}"
with charts.card(title, f"{coverage} Select a row to look at it alone."):
    rows = data.read(f"reliability_by_{data.view_suffix(by)}", view.filters)
    shown = rows.pick(by, "calls", "retry_known_rate", *RATES, "attempt_error_rate", "amplification")
    total = data.read("reliability", view.filters).first()
    tables.draw(shown, key="reliability_rows", alt=f"Reliability {title}", total=total, opens=by)
