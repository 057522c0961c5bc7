"""A bill for the traffic of the page tests: one model on its last full day, and a credit."""

import json
from datetime import UTC, datetime
from pathlib import Path

from ingest.bill import kept

DAY = {"starting_at": "2026-11-20T00:00:00Z", "ending_at": "2026-11-21T00:00:00Z"}
BILLED_CENTS = "250"


def cost_report() -> str:
    """A cost report as the Admin API writes it: $2.50 for tokens, less a credit of $1."""
    rows = [
        {"amount": BILLED_CENTS, "currency": "USD", "cost_type": "tokens", "model": "claude-fable-5-2"},
        {"amount": "-100", "currency": "USD", "cost_type": "credit", "model": None},
    ]
    return json.dumps({"data": [DAY | {"results": rows}], "has_more": False})


def keep(home: Path) -> None:
    """Put the bill below a home."""
    kept.keep(home, kept.read(cost_report().encode(), "cost.json", datetime(2026, 11, 23, tzinfo=UTC)))
