"""The bill against the logs, in words."""

from collections.abc import Mapping
from typing import Any

from dashboard import units
from queries import Filters

CAUSES = {
    "missing_logs": ("Missing logs", "More was used than the logs tell of."),
    "unlogged_workspace": ("Workspace without logs", "Billed in a workspace that no log names."),
    "unpriced_model": ("Unpriced model", "Logged calls whose cost is not known; see Data."),
    "refusals": ("Refusals", "Answers refused before any output, counted as free, were billed."),
    "tiers": ("Tiers", "Billed in another way than logged (batch, fast, US), or a tier that the bill leaves out."),
    "discounts": ("Discounts", "Billed below list price."),
    "credits": ("Credits", "Taken off the bill."),
    "other_charges": ("Other charges", "Code execution, sessions: nothing that logs of requests price."),
    "billed_by_a_cloud": ("Billed by a cloud", "Calls through Amazon, Google or Microsoft are on their bills."),
    "not_on_this_bill": ("Not on this bill", "Logged, and not billed to this organisation."),
    "late_data": ("Late data", "Logged, and not yet on a bill that was made before the day was closed."),
    "rounding": ("Rounding", "Less than the digits of the bill can show."),
    "not_explained": ("Not explained", "No named cause applies."),
}


def of_the_bill(filters: Filters) -> Filters:
    """What a bill can be asked for: days of UTC. It knows no features, users or teams."""
    return Filters(since=filters.since, until=filters.until)


def sentence(total: Mapping[str, Any]) -> str:
    """The whole comparison, in a sentence or two."""
    billed, logged = units.money(total["billed_usd"]), units.money(total["logged_usd"])
    difference, rest = total["difference_usd"], total["not_explained_either_way_usd"]
    days = f"{total['days']:,} UTC day{'s' if total['days'] != 1 else ''}"
    if not difference and not rest:
        return f"Billed {billed} and logged {logged} on {days}: they tie out."
    said = f"Billed {billed}, logged {logged} on {days}: a difference of {units.signed_money(difference)}"
    if not rest:
        return f"{said}, all of it explained by named causes."
    return f"{said}; {units.money(rest)} of it, over and under taken together, no named cause explains."
