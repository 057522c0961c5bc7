"""What the Truncation page shows: answers cut off at max_tokens, and the ceilings they hit."""

from collections.abc import Iterator

from dashboard.reading import Source
from dashboard.reports import cards
from dashboard.reports.cards import Card, Page, Tiles
from dashboard.rows import sums
from dashboard.view import View

TILES = Tiles(
    ("truncation_rate", "truncated_calls", "ceiling_hit_rate", "truncated_cost_usd"),
    ("truncation",),
    {
        "truncation_rate": "Share of answers that stopped because max_tokens was reached.",
        "ceiling_hit_rate": "Answers exactly as long as max_tokens, of those whose max_tokens was logged.",
        "truncated_cost_usd": "Spend on the answers that were cut off.",
    },
)
TARGETS = {
    "0.5 %": "ceiling_for_half_percent",
    "1 %": "ceiling_for_1_percent",
    "2 %": "ceiling_for_2_percent",
    "5 %": "ceiling_for_5_percent",
}
_RATE = ("truncation_rate", "truncation_rate_low", "truncation_rate_high")


def content(source: Source, view: View, target: str = "ceiling_for_1_percent") -> Iterator[Card]:
    """The rate over time and by feature, the ceilings, and what was asked again."""
    yield over_time(source, view)
    yield by_feature(source, view)
    yield ceilings(source, view, target)
    yield asked_again(source, view)


def over_time(source: Source, view: View) -> Card:
    """The share of answers cut off, with its interval."""
    rows = source.read("truncation_by_day", view.filters)
    note = "The band is the 95 % interval: wide where there are few answers."
    return cards.lines(view, rows, _RATE[:1], title="Cut off over time", note=note, interval=True)


def by_feature(source: Source, view: View) -> Card:
    """The features by their share of answers cut off."""
    rows = source.read("truncation_by_feature", view.filters)
    total = source.read("truncation", view.filters).first()
    note = "With the 95 % interval. A bar opens its feature."
    return cards.ranking(rows, "feature", _RATE[0], title="By feature", note=note, total=total)


def ceilings(source: Source, view: View, target: str) -> Card:
    """Each max_tokens setting in use, and the one that would have cut no more than the target."""
    counts, lengths = ("responses", "truncated_calls"), ("output_p50_tokens", "output_p95_tokens", "cost_usd")
    read = source.read("truncation_ceilings", view.filters)
    rows = read.pick("feature", "model", "max_tokens", target, *counts, *_RATE, "ceiling_hit_rate", *lengths)
    whole = source.read("truncation", view.filters).first()
    total = sums(rows) | {column: whole[column] for column in (*_RATE, "ceiling_hit_rate")}
    note = (
        "Which max_tokens setting cuts which answers, and the setting that would have cut no more than the target: an "
        "estimate. In simulated traffic of 500 answers the one for 1 % would have cut 0.5 to 1.5 %, four times out of "
        "five."
    )
    alt = "Truncation by feature, model and max_tokens"
    return cards.table("The ceilings", note, rows, total, opens="feature", alt=alt)


def asked_again(source: Source, view: View) -> Card:
    """Answers that were cut off and asked for again; no rows where there is nothing to say."""
    rows = source.read("truncation_asked_again_by_feature", view.filters)
    note = (
        "An estimate: a cut answer counts as asked again when the same user sent a prompt of the same size (2 %) for "
        "the same feature within three minutes. In simulated traffic of 40 users 97 % of such pairs were right and "
        "98 % of them found; of five users, 86 and 94 %. What nobody asked for again may have been of no use."
    )
    alt = "Truncated answers asked again by feature"
    return cards.table("Cut answers that were asked for again", note, rows, sums(rows), alt=alt)


PAGE = Page("Truncation", TILES, {"target": TARGETS}, content)
