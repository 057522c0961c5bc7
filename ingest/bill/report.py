"""What a report of the bill says, whichever form it came in: one kind, the days it covers, its rows."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Literal

Kind = Literal["cost", "usage"]


class NoBill(Exception):
    """A file that is no report of the bill, or not a whole one. The message says what, where, and what to do."""


@dataclass(frozen=True)
class Row:
    """One amount or one pile of tokens, on one UTC day.

    token_class as in facts.charges, None where a cost is not told by class; tokens counts searches for web_search.
    Amounts are dollars, as text with every digit: amount_usd before credits, list_usd before discounts.
    """

    day: str
    model_raw: str | None = None
    workspace_id: str | None = None
    service_tier: str | None = None
    speed: str | None = None
    inference_geo: str | None = None
    cost_type: str | None = None
    token_class: str | None = None
    tokens: int | None = None
    amount_usd: str | None = None
    list_usd: str | None = None


@dataclass(frozen=True)
class Report:
    """One kind of figures from one source. `made_at`: as of when they hold, UTC.

    days: each UTC day that it covers, with or without rows, and until when that day is covered, UTC. step_usd: one of
    the last digit that its amounts are written with, in dollars.
    """

    kind: Kind
    source_name: str
    made_at: str
    days: dict[str, str]
    rows: list[Row]
    step_usd: str = "0"
    notes: list[str] = field(default_factory=list)

    @property
    def report_id(self) -> str:
        """Names what it says and when that was so: the same report has the same name wherever it came from."""
        said = asdict(self) | {"source_name": "", "notes": []}
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:32]
