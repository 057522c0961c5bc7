"""The bill of Brindle & Birch: a usage and a cost report for the sample logs, in the words of the Analytics API.

`python -m sample_logs.bill HOME OUT` makes both from a home in which the sample logs are loaded, so that they tie out
where nothing is said to the contrary below: each line of DIFFERENCES is one thing that logs and bill tell differently.
"""

import json
import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from ingest import store
from queries import create_views

FIRST, LAST = date(2026, 11, 9), date(2026, 11, 21)
MADE_AT = datetime(2026, 11, 21, 15)  # the last day was still open

# What is on the bill and not in the logs, in cents, or the other way round.
DIFFERENCES: list[tuple[date, dict[str, str], str]] = [
    (date(2026, 11, 10), {"cost_type": "code_execution"}, "320"),
    (date(2026, 11, 16), {"cost_type": "credit"}, "-2500"),
    (date(2026, 11, 18), {"cost_type": "tokens", "model": "claude-sonnet-5", "service_tier": "standard"}, "37"),
]
UNLOGGED = (date(2026, 11, 12), "claude-haiku-5-5", 20)  # a twentieth of this came from a service that logs nothing
BATCHED = (date(2026, 11, 17), "claude-sonnet-4-6")  # logged as standard, billed as a batch

_CHARGES = """
    select
        a.day, a.variant, c.token_class, c.model, sum(c.tokens) as tokens, sum(c.cost_usd) as cost_usd
    from facts.charges as c
    join focus.logged_attempts as a on a.attempt_id = c.attempt_id
    join facts.attempts as t on t.attempt_id = c.attempt_id
    where a.day between $first and $last and not a.is_elsewhere and t.started_at < $made_at
    group by all
    order by all
"""
_FIELDS = {
    "input": ("uncached_input_tokens",),
    "cache_read": ("cache_read_input_tokens",),
    "cache_write_5m": ("cache_creation", "ephemeral_5m_input_tokens"),
    "cache_write_unknown_ttl": ("cache_creation", "ephemeral_5m_input_tokens"),
    "cache_write_1h": ("cache_creation", "ephemeral_1h_input_tokens"),
    "output": ("output_tokens",),
    "web_search": ("server_tool_use", "web_search_requests"),
}

Key = tuple[date, str, int]


def main() -> None:
    """Write usage.json and cost.json into the folder named last."""
    home, out = Path(sys.argv[1]), Path(sys.argv[2])
    con = duckdb.connect()
    store.open_store(con, home, read_only=True)
    create_views(con)
    given = {"first": FIRST, "last": LAST, "made_at": MADE_AT}
    charges = con.execute(_CHARGES, given).fetchall()
    out.mkdir(parents=True, exist_ok=True)
    for name, rows in (("usage", _usage(charges)), ("cost", _costs(charges))):
        page = {
            "data": list(rows),
            "has_more": False,
            "next_page": None,
            "data_refreshed_at": f"{MADE_AT.isoformat()}Z",
        }
        (out / f"{name}.json").write_text(json.dumps(page, indent=1) + "\n", encoding="utf-8")


def _usage(charges: list[tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    piles: dict[Key, dict[str, Any]] = {}
    for day, variant, token_class, model, tokens, _ in charges:
        pile = piles.setdefault(_billed_as(day, model, variant), {})
        *path, last = _FIELDS[token_class]
        for name in path:
            pile = pile.setdefault(name, {})
        pile[last] = pile.get(last, 0) + int(tokens + _unlogged(day, model, tokens))
    for key, usage in piles.items():
        yield _row(key) | {"usage": usage}


def _costs(charges: list[tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    costs: dict[tuple[Key, str], Decimal] = {}
    for day, variant, token_class, model, tokens, cost in charges:
        key = _billed_as(day, model, variant)
        told = key, "web_search" if token_class == "web_search" else "tokens"
        price = cost / tokens
        if key != (day, model, variant):
            price /= 2
        costs[told] = costs.get(told, Decimal(0)) + price * int(tokens + _unlogged(day, model, tokens)) * 100
    for (key, cost_type), cents in costs.items():
        group = _row(key)
        group["group"]["cost_type"] = cost_type
        yield group | {"cost": {"amount": f"{cents:.4f}", "currency": "USD"}}
    for day, said, amount in DIFFERENCES:
        empty = _row((day, "", 0))
        yield empty | {"group": {**said, "workspace_id": None}, "cost": {"amount": amount, "currency": "USD"}}


def _billed_as(day: date, model: str, variant: int) -> Key:
    return (day, model, variant + 2) if (day, model) == BATCHED and not variant & 2 else (day, model, variant)


def _unlogged(day: date, model: str, tokens: int) -> int:
    return int(tokens) // UNLOGGED[2] if (day, model) == UNLOGGED[:2] else 0


def _row(key: Key) -> dict[str, Any]:
    day, model, variant = key
    group = {
        "model": model,
        "workspace_id": None,
        "service_tier": "batch" if variant & 2 else "standard",
        "speed": "fast" if variant & 1 else "standard",
        "inference_geo": "us" if variant & 4 else "global",
    }
    return {
        "starting_at": f"{day.isoformat()}T00:00:00Z",
        "ending_at": f"{(day + timedelta(days=1)).isoformat()}T00:00:00Z",
        "group": group,
    }


if __name__ == "__main__":
    main()
