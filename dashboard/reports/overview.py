"""What the Overview page shows: what was spent, what changed, and what the month will come to."""

from collections.abc import Iterator

import pyarrow as pa

from dashboard import change_figures, units
from dashboard.reading import Forecast, Source
from dashboard.reports import cards
from dashboard.reports.cards import Card, Page, Tiles
from dashboard.rows import Rows
from dashboard.view import View

TILES = Tiles(
    (
        "cost_usd",
        "calls",
        "cost_per_call_usd",
        "net_saving_usd",
        "final_error_rate",
        "masked_rate",
        "truncation_rate",
        "p95_ms",
    ),
    ("totals", "reliability", "truncation", "latency", "cache"),
    {
        "cost_usd": "At the prices of the day of each call.",
        "net_saving_usd": "Saved by prompt caching, less what the writes cost extra.",
        "final_error_rate": "Calls that failed although they were tried again.",
        "masked_rate": "Calls that failed at first and succeeded on a retry.",
        "truncation_rate": "Answers that stopped at max_tokens.",
        "p95_ms": "95 of 100 callers waited at most this long, retries included.",
    },
)


def content(source: Source, view: View) -> Iterator[Card]:
    """Spend over time, what changed, the month's end."""
    yield spend(source, view)
    yield changed(source, view)
    if seen := source.forecast(view.filters):
        yield month_end(seen)


def spend(source: Source, view: View) -> Card:
    """Spend over time by feature."""
    return cards.spend_over_time(source, view, "feature", view.grain)


def changed(source: Source, view: View) -> Card:
    """The features whose spend moved most."""
    return cards.movers(source, view, "feature", title="What changed")


def month_end(seen: Forecast) -> Card:
    """What the month of the last whole day will come to, for what the filters name."""
    month = f"{seen.month:%B %Y}"
    spent, expected, low, high = (
        units.money(units.dollars(amount))
        for amount in (seen.spent_usd, seen.expected_usd, seen.low_usd, seen.high_usd)
    )
    said = [f"{month} is expected to come to {expected}: {low} to {high} four times out of five."]
    said.append(f"{spent} was spent by the end of {units.day(seen.as_of)}.")
    if seen.is_early:
        said.append("This is early: there are less than two weeks of history.")
    if seen.backtest_error is None:
        said.append("No whole month has passed that the forecast could be tested on.")
    else:
        off = units.percent(seen.backtest_error)
        said.append(f"In the months before, forecasts made this way were off by {off} on average.")
    figures = {
        "month": [seen.month],
        "as_of": [seen.as_of],
        "spent_usd": [seen.spent_usd],
        "expected_usd": [seen.expected_usd],
        "low_usd": [seen.low_usd],
        "high_usd": [seen.high_usd],
        "backtest_error_rate": [seen.backtest_error],
    }
    alt = f"{month}: {spent} spent, {expected} expected"
    rows = Rows(f"{seen}", pa.table(figures))
    return Card("Month end", " ".join(said), rows, None, change_figures.month_end(seen), alt)


PAGE = Page("Overview", TILES, {}, content)
