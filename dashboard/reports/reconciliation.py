"""What the Reconciliation page shows: the bill against the logs, and what the difference is made of."""

from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa

from dashboard.reading import Source
from dashboard.reconciling import CAUSES, of_the_bill
from dashboard.reports import cards
from dashboard.reports.cards import Card, Page, Tiles
from dashboard.rows import Rows, sums
from dashboard.view import View

TILES = Tiles(
    ("billed_usd", "logged_usd", "difference_usd", "not_explained_either_way_usd"),
    ("reconciliation",),
    {
        "billed_usd": "What Anthropic's newest reports say of these days, discounts and credits taken off.",
        "logged_usd": "List price of what was logged on the days that a bill covers.",
        "difference_usd": "Billed less logged.",
        "not_explained_either_way_usd": "What no named cause explains; over and under are not set off.",
    },
)
_AMOUNTS = ("billed_usd", "logged_usd", "difference_usd")


def against(view: View) -> View:
    """The same days of UTC, of everything: a bill knows no features, users or teams. Bills are not compared."""
    return replace(view, filters=of_the_bill(view.filters), before=None, before_period="")


def content(source: Source, view: View) -> Iterator[Card]:
    """The way from logged to billed, its causes, and both by day, model and workspace; nothing without a bill."""
    if not len(source.read("reconciliation", view.filters)):
        return
    yield waterfall(source, view)
    yield causes(source, view)
    yield by_day(source, view)
    yield by(source, view, "model")
    yield by(source, view, "workspace")


def waterfall(source: Source, view: View) -> Card:
    """The steps from what was logged to what was billed."""
    total = source.read("reconciliation", view.filters).first()
    found = source.read("reconciliation_causes", view.filters)
    names = [CAUSES[cause][0] for cause in found["cause"]]
    steps = {
        "what": ["Logged", *names, "Billed"],
        "amount_usd": [total["logged_usd"], *found["amount_usd"], total["billed_usd"]],
        "is_sum": [True, *(False for _ in names), True],
    }
    return cards.waterfall(
        Rows(f"{found.key}/steps", pa.table(steps)),
        title="From logged to billed",
        note="What each cause adds or takes away. The steps add up to the last digit.",
        alt=f"From logged to billed, {view.period} (UTC)",
    )


def causes(source: Source, view: View) -> Card:
    """Every cause with its amount and what it means."""
    read = source.read("reconciliation_causes", view.filters)
    table = pa.table(
        {
            "cause": pa.array([CAUSES[cause][0] for cause in read["cause"]], pa.string()),
            "amount_usd": read.table["amount_usd"],
            "days": read.table["days"],
            "reason": pa.array([CAUSES[cause][1] for cause in read["cause"]], pa.string()),
        }
    )
    rows = Rows(f"{read.key}/worded", table, read.notes)
    return cards.table("Causes of the difference", "", rows, {"amount_usd": rows.total("amount_usd")})


def by_day(source: Source, view: View) -> Card:
    """Both by UTC day, and how far bill and logs reach."""
    rows = source.read("reconciliation_by_day", view.filters)
    shown = rows.pick("day", *_AMOUNTS, "not_explained_usd", "status", "source_name", "made_at")
    note = (
        "Days of UTC, as on the bill. The newest report of a day speaks for it; days without a bill are not compared."
    )
    compared = source.read("reconciliation", view.filters).first()
    total = {name: compared[name] for name in (*_AMOUNTS, "not_explained_usd") if name in compared}
    return cards.table("By day", note, shown, total or None)


def by(source: Source, view: View, dimension: str) -> Card:
    """Both by model or workspace, with the causes that occur."""
    read = source.read(f"reconciliation_by_{dimension}", view.filters)
    occurring = [name for name in read.columns if name.endswith("_usd") and name not in _AMOUNTS and any(read[name])]
    rows = read.pick(dimension, *_AMOUNTS, *occurring)
    return cards.table(f"By {dimension}", "", rows, sums(rows))


PAGE = Page("Reconciliation", TILES, {}, content, against)
