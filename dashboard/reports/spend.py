"""What the Spend page shows: who and what the money went to."""

from collections.abc import Iterator

from dashboard import units
from dashboard.reading import Source
from dashboard.reports import cards
from dashboard.reports.cards import Card, Page, Tiles
from dashboard.rows import sums, view_suffix
from dashboard.view import GRAINS, SLICES, View

TILES = Tiles(
    ("cost_usd", "calls", "cost_per_call_usd", "unattributed_cost_usd"),
    ("totals",),
    {"unattributed_cost_usd": "Spend of calls that name no feature."},
)
BY = SLICES | {"Token class": "token_class"}


def content(source: Source, view: View, by: str = "feature", grain: str = "day") -> Iterator[Card]:
    """Spend over time, and its breakdown."""
    yield over_time(source, view, by, grain)
    yield breakdown(source, view, by)


def over_time(source: Source, view: View, by: str, grain: str) -> Card:
    """Spend over time by a dimension or by token class."""
    return cards.spend_over_time(source, view, by, grain)


def breakdown(source: Source, view: View, by: str) -> Card:
    """What each value cost, with its share."""
    title = f"Spend by {units.label(by).lower()}"
    rows = source.read(f"spend_by_{view_suffix(by)}", view.filters)
    if by == "token_class":
        note = "Tokens by how they are billed; web searches are counted one by one."
        return cards.table(title, note, rows, sums(rows))
    per_call = source.read("totals", view.filters).first()["cost_per_call_usd"]
    return cards.table(title, "", rows, sums(rows, cost_share_rate=1, cost_per_call_usd=per_call), opens=by)


PAGE = Page("Spend", TILES, {"by": BY, "grain": GRAINS}, content)
