"""Truncation: answers cut off at max_tokens, and the ceilings they hit."""

from dashboard import charts, data, tables, tiles
from dashboard.filter_bar import current

view = current()
RATE = ["truncation_rate", "truncation_rate_low", "truncation_rate_high"]

tiles.row(
    view,
    ["truncation_rate", "truncated_calls", "responses", "truncated_cost_usd"],
    ["truncation"],
    notes={
        "truncation_rate": "Share of answers that stopped because max_tokens was reached.",
        "truncated_cost_usd": "Spend on the answers that were cut off.",
    },
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

with charts.card("The ceilings", "Which max_tokens setting cuts which answers, and how long those answers are."):
    ceilings = data.read("truncation_ceilings", view.filters)
    lengths = ["output_p50_tokens", "output_p95_tokens", "cost_usd"]
    counts = ["responses", "truncated_calls"]
    advice = ["ceiling_hit_rate", "ceiling_for_1_percent"]
    shown = ceilings.pick("feature", "model", "max_tokens", *counts, *RATE, *advice, *lengths)
    sums = tables.sums(shown) | {column: total[column] for column in RATE}
    tables.draw(shown, key="ceilings", alt="Truncation by feature, model and max_tokens", total=sums, opens="feature")

again = data.read("truncation_asked_again_by_feature", view.filters)
if len(again):
    note = (
        "An estimate: a cut answer counts as asked again when the same user sent a prompt of the same size (2 %) for "
        "the same feature within three minutes. What nobody asked for again may have been of no use."
    )
    with charts.card("Cut answers that were asked for again", note):
        tables.draw(again, key="asked_again", alt="Truncated answers asked again by feature", total=tables.sums(again))
