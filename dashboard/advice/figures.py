"""Tables behind the advice, for whoever wants to look further: other limits on prompts, and conversations that grow."""

from dataclasses import replace

import pyarrow as pa

from dashboard.reading import Source
from dashboard.reports import cards
from dashboard.reports.cards import Card
from dashboard.rows import sums
from dashboard.view import View


def limits(source: Source, view: View) -> Card:
    """What several limits on the length of prompts would have saved, and what they would have refused or cut."""
    rows = source.read("advice_cap_limits", view.filters).pick(
        "feature", "limit_name", "limit_tokens", "long_calls", "users", "long_calls_gone_wrong", "cut_tokens",
        "saving_usd", "long_calls_cost_usd",
    )  # fmt: skip
    note = (
        "For each feature: so many of its good answers keep to p95, p99 and p99.9; the others are round numbers. Calls "
        "beyond a limit would have been cut or refused. A lower limit includes a higher one: rows do not add up."
    )
    return _unless_empty(cards.table("Limits on prompts", note, rows, opens="feature"))


def conversations(source: Source, view: View) -> Card:
    """What was paid to send again, uncached, what the turn before had sent."""
    rows = source.read("advice_waste_by_feature", view.filters)
    growing = [row for row, calls in enumerate(rows["growing_calls"]) if calls]
    told = replace(rows, key=f"{rows.key}/growing", table=rows.table.take(pa.array(growing, pa.int64()))).pick(
        "feature", "sessions", "growing_calls", "resent_tokens", "resent_cost_usd", "cost_usd"
    )
    note = (
        "Every turn sends the conversation so far again. What of it was neither read from the cache nor written to it "
        "was paid in full: cache it, or cut what is not needed any more."
    )
    return _unless_empty(cards.table("Conversations that grow", note, told, sums(told), opens="feature"))


def _unless_empty(card: Card) -> Card:
    return card if len(card.rows) else replace(card, instead=cards.NOTHING)
