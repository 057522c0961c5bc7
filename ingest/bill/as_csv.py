"""The CSV files that the Console exports: claude_api_tokens_*.csv and claude_api_cost_*.csv. Their amounts are dollars.

The columns differ by the date of the export: they are found by their names.
"""

import csv
import io
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from ingest.bill import amounts
from ingest.bill.report import Kind, NoBill, Report, Row

_TOKENS = {
    "usage_input_tokens_no_cache": "input",
    "usage_input_tokens_cache_read": "cache_read",
    "usage_input_tokens_cache_write_5m": "cache_write_5m",
    "usage_input_tokens_cache_write_1h": "cache_write_1h",
    "usage_output_tokens": "output",
    "web_search_count": "web_search",
}
_CLASSES = {
    "input_no_cache": "input",
    "input_cache_read": "cache_read",
    "input_cache_write_5m": "cache_write_5m",
    "input_cache_write_1h": "cache_write_1h",
    "output": "output",
}
# The Console calls the workspace that has no id by this name.
_DEFAULT_WORKSPACE = {"", "default", "default workspace"}


def is_one(text: str) -> bool:
    """Does this look like such an export? A glance at its first line."""
    return _kind(_names(text.lstrip().split("\n", 1)[0])) is not None


def read(text: str, source_name: str, made_at: datetime) -> list[Report]:
    """The report in a text: its rows, and as covered every day from the first to the last. Raises NoBill."""
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[Row] = []
    found: list[Decimal] = []
    names: list[str] = []
    kind: Kind | None = None
    try:
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            if (header := _kind(_names_of(cells))) is not None:  # once more where exports were put one after another
                if kind not in (None, header):
                    raise NoBill(f"{source_name}:{lines.line_num}: usage and cost in one file; keep them in two")
                names, kind = _names_of(cells), header
                continue
            where = f"{source_name}:{lines.line_num}"
            if len(cells) != len(names):
                raise NoBill(f"{where}: {len(cells)} columns, not {len(names)}; export it from the Console again")
            rows += _rows(dict(zip(names, cells, strict=True)), kind or "cost", where, found)
    except csv.Error as error:
        raise NoBill(f"{source_name}:{lines.line_num}: no CSV ({error}); export it from the Console again") from error
    if kind is None or not rows:
        raise NoBill(f"{source_name}: an export without any row; choose a period in which something was used")
    first, last = (date.fromisoformat(edge(row.day for row in rows)) for edge in (min, max))
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    covered = {day.isoformat(): f"{(day + timedelta(days=1)).isoformat()}T00:00:00" for day in days}
    as_of = made_at.replace(tzinfo=None).isoformat()
    return [Report(kind, source_name, as_of, covered, rows, amounts.kept(amounts.step(found)))]


def _names(line: str) -> list[str]:
    try:
        return _names_of(next(csv.reader([line]), []))
    except csv.Error:  # a log whose lines end otherwise
        return []


def _names_of(cells: list[str]) -> list[str]:
    return [cell.strip().lower() for cell in cells]


def _kind(names: list[str]) -> Kind | None:
    if "usage_date_utc" not in names:
        return None
    return "cost" if "cost_usd" in names else "usage" if "usage_output_tokens" in names else None


def _rows(cells: dict[str, str], kind: Kind, where: str, found: list[Decimal]) -> list[Row]:
    said = {name: value.strip() for name, value in cells.items()}
    try:
        day = date.fromisoformat(said["usage_date_utc"][:10]).isoformat()
    except ValueError:
        raise NoBill(f"{where}: {said['usage_date_utc'][:40]!r} is no day") from None
    workspace = said.get("workspace_id") or said.get("workspace", "")
    common: dict[str, Any] = {
        "day": day,
        "model_raw": said.get("model_version") or said.get("model") or None,
        "workspace_id": None if workspace.lower() in _DEFAULT_WORKSPACE else workspace,
        "service_tier": "batch" if "batch" in said.get("usage_type", "").lower() else "standard",
        "speed": said.get("speed", "").lower() or None,
        "inference_geo": said.get("inference_geo", "").lower() or None,
    }
    if kind == "usage":
        return [
            Row(**common, token_class=token_class, tokens=count)
            for name, token_class in _TOKENS.items()
            if (count := amounts.tokens(said.get(name), where))
        ]
    amount = amounts.dollars(said["cost_usd"], where, cents=False)
    listed = said.get("list_price_usd")
    list_usd = amounts.dollars(listed, where, cents=False) if listed else None
    found += [amount, *([] if list_usd is None else [list_usd])]
    cost_type = said.get("cost_type", "").lower().replace(" ", "_") or None
    return [
        Row(
            **common,
            cost_type=cost_type,
            token_class="web_search" if cost_type == "web_search" else _CLASSES.get(said.get("token_type", "").lower()),
            amount_usd=amounts.kept(amount),
            list_usd=None if list_usd is None else amounts.kept(list_usd),
        )
    ]
