"""Truncation: answers cut off at max_tokens, and the ceilings they hit."""

import streamlit as st

from dashboard import charts, data, tables, tiles
from dashboard.filter_bar import choose, current

view = current()
RATE = ["truncation_rate", "truncation_rate_low", "truncation_rate_high"]

said = tiles.row(
    view,
    ["truncation_rate", "truncated_calls", "ceiling_hit_rate", "truncated_cost_usd"],
    ["truncation"],
    notes={
        "truncation_rate": "Share of answers that stopped because max_tokens was reached.",
        "ceiling_hit_rate": "Answers exactly as long as max_tokens, of those whose max_tokens was logged.",
        "truncated_cost_usd": "Spend on the answers that were cut off.",
    },
)
st.caption(
    f"Of {said['responses']} answers that say why they ended, {said['truncation_rate_low']} to "
    f"{said['truncation_rate_high']} are cut off in the long run (95 % interval). max_tokens is known for "
    f"{said['ceiling_known_calls']}."
)

days = data.read("truncation_by_day", view.filters)
note = "The band is the 95 % interval: wide where there are few answers."
charts.lines(
    view,
    days,
    RATE[:1],
    title="Cut off over time",
    key="truncation",
    interval=True,
    note=note,
    watched=["truncation_rate"],
)

features = data.read("truncation_by_feature", view.filters)
total = data.read("truncation", view.filters).first()
note = "With the 95 % interval. A bar opens its feature."
charts.ranking(features, "feature", RATE[0], title="By feature", key="cut_features", total=total, note=note)

TARGETS = {
    "0.5 %": "ceiling_for_half_percent",
    "1 %": "ceiling_for_1_percent",
    "2 %": "ceiling_for_2_percent",
    "5 %": "ceiling_for_5_percent",
}
note = (
    "Which max_tokens setting cuts which answers, and the setting that would have cut no more than the target: an "
    "estimate. In simulated traffic of 500 answers the one for 1 % would have cut 0.5 to 1.5 %, four times out of five."
)
with charts.card("The ceilings", note):
    target = choose("Cut at most", "target", TARGETS, "1 %")
    ceilings = data.read("truncation_ceilings", view.filters)
    lengths = ["output_p50_tokens", "output_p95_tokens", "cost_usd"]
    counts = ["responses", "truncated_calls"]
    shown = ceilings.pick("feature", "model", "max_tokens", target, *counts, *RATE, "ceiling_hit_rate", *lengths)
    sums = tables.sums(shown) | {column: total[column] for column in [*RATE, "ceiling_hit_rate"]}
    tables.draw(shown, key="ceilings", alt="Truncation by feature, model and max_tokens", total=sums, opens="feature")

again = data.read("truncation_asked_again_by_feature", view.filters)
if len(again):
    note = (
        "An estimate: a cut answer counts as asked again when the same user sent a prompt of the same size (2 %) for "
        "the same feature within three minutes. In simulated traffic of 40 users 97 % of such pairs were right and "
        "98 % of them found; of five users, 86 and 94 %. What nobody asked for again may have been of no use."
    )
    with charts.card("Cut answers that were asked for again", note):
        tables.draw(again, key="asked_again", alt="Truncated answers asked again by feature", total=tables.sums(again))
