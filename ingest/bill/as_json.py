"""Usage and cost reports of Anthropic's APIs, as JSON: one page or several, in a list, in an envelope, in lines.

Three families say the same: the Usage and Cost Analytics API (flat rows with `group` and `usage` or `cost`), the Admin
reports and the older Analytics reports (buckets of `results`). Their amounts are decimal strings in cents.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from ingest.bill import amounts
from ingest.bill.report import Kind, NoBill, Report, Row

_CLASSES = {
    "uncached_input_tokens": "input",
    "cache_read_input_tokens": "cache_read",
    "cache_creation.ephemeral_5m_input_tokens": "cache_write_5m",
    "cache_creation.ephemeral_1h_input_tokens": "cache_write_1h",
    "output_tokens": "output",
    "server_tool_use.web_search_requests": "web_search",
}


def is_one(text: str) -> bool:
    """Does this look like such a report? A glance at its beginning."""
    head = text[:20_000].lstrip()
    is_bucketed = '"starting_at"' in head and ('"results"' in head or '"group"' in head)
    told = ('"uncached_input_tokens"', '"amount"', '"has_more"')
    return head[:1] in ("{", "[") and is_bucketed and any(word in head for word in told)


def read(text: str, source_name: str, made_at: datetime) -> list[Report]:
    """The reports in a text, one of each kind that it holds.

    made_at: as of when they hold, UTC, where they do not say so themselves. Raises NoBill.
    """
    return of_pages(
        [page for document in _documents(text, source_name) for page in _pages(document)], source_name, made_at
    )


def of_pages(pages: list[dict[str, Any]], source_name: str, made_at: datetime) -> list[Report]:
    """The reports in these pages, as `read` finds them in a text."""
    ends = [page["has_more"] for page in pages if isinstance(page.get("has_more"), bool)]
    if ends and all(ends):
        raise NoBill(
            f"{source_name}: its last page says that there are more. Fetch them too (`page` is the `next_page` of the "
            "one before) and put all pages into one file"
        )
    refreshed = [_moment(page["data_refreshed_at"], source_name) for page in pages if page.get("data_refreshed_at")]
    found: dict[Kind, _Found] = {}
    empty: list[tuple[datetime, datetime]] = []
    seen: set[str] = set()
    repeated = 0
    number = 0
    for page in pages:
        for bucket in page["data"]:
            begin, end = _bounds(bucket, f"{source_name}: row {number + 1}")
            results = bucket.get("results", [bucket])
            if not results:
                empty.append((begin, end))
            for result in results:
                number += 1
                said = json.dumps([str(begin), str(end), result], sort_keys=True, default=str)
                if said in seen:  # a row is unique in what it is broken out by: the page is there twice
                    repeated += 1
                    continue
                seen.add(said)
                _take(result, begin, end, f"{source_name}: row {number}", found)
    if not found:
        raise NoBill(f"{source_name}: a report without any row; ask for a period in which something was used")
    notes = [f"{repeated:,} rows were there twice and count once"] if repeated else []
    as_of = min(refreshed, default=made_at).replace(tzinfo=None).isoformat()
    return [it.report(kind, source_name, as_of, empty, notes) for kind, it in found.items()]


class _Found:
    """What one kind of report said so far."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.amounts: list[Decimal] = []
        self.spans: list[tuple[datetime, datetime]] = []

    def report(
        self, kind: Kind, name: str, as_of: str, empty: list[tuple[datetime, datetime]], notes: list[str]
    ) -> Report:
        days: dict[str, str] = {}
        for begin, end in self.spans + empty:
            day = begin.date().isoformat()
            days[day] = max(days.get(day, ""), end.replace(tzinfo=None).isoformat())
        return Report(kind, name, as_of, days, self.rows, amounts.kept(amounts.step(self.amounts)), notes)


def _documents(text: str, source_name: str) -> Iterator[Any]:
    """Every JSON value in a text, one after another. Numbers keep their digits."""
    decoder, at = json.JSONDecoder(parse_float=Decimal), 0
    while at < len(text):
        if text[at] in " \t\r\n,\x1e":
            at += 1
            continue
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            line = text.count("\n", 0, at) + 1
            raise NoBill(f"{source_name}:{line}: no JSON from here on; save the API's answer as it is") from error
        yield value


def _pages(node: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """The pages in a value, however it wraps them; rows that stand alone are a page."""
    if depth > 6:
        return
    if isinstance(node, list):
        for item in node:
            yield from _pages(item, depth + 1)
    elif isinstance(node, dict):
        if _is_bucket(node):
            yield {"data": [node]}
        elif isinstance(node.get("data"), list) and all(_is_bucket(item) for item in node["data"]):
            yield node
        else:
            for value in node.values():
                yield from _pages(value, depth + 1)


def _is_bucket(node: Any) -> bool:
    return (
        isinstance(node, dict)
        and "starting_at" in node
        and (isinstance(node.get("results"), list) or isinstance(node.get("group"), dict))
    )


def _bounds(bucket: dict[str, Any], where: str) -> tuple[datetime, datetime]:
    begin = _moment(bucket["starting_at"], where)
    midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    end = _moment(bucket["ending_at"], where) if bucket.get("ending_at") else midnight
    if not begin < end <= midnight:
        raise NoBill(f"{where} is not about one UTC day; ask for buckets of a day (time_bucket_width=1d)")
    return begin, end


def _moment(said: Any, where: str) -> datetime:
    try:
        moment = datetime.fromisoformat(str(said))
    except ValueError:
        raise NoBill(f"{where}: {str(said)[:40]!r} is no time") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _take(result: Any, begin: datetime, end: datetime, where: str, found: dict[Kind, _Found]) -> None:
    """Put a row where it belongs."""
    if not isinstance(result, dict):
        raise NoBill(f"{where} is no row of a report")
    kind: Kind
    cost, usage = result.get("cost"), result.get("usage")
    said = {**result, **(result.get("group") or {})}
    if isinstance(cost, dict) or "amount" in result:
        kind, measured = "cost", cost if isinstance(cost, dict) else result
    elif isinstance(usage, dict) or "uncached_input_tokens" in result:
        kind, measured = "usage", usage if isinstance(usage, dict) else result
    else:
        raise NoBill(
            f"{where} has neither an amount nor tokens; the usage report for messages and the cost report are read, "
            "each with buckets of a day"
        )
    it = found.setdefault(kind, _Found())
    it.spans.append((begin, end))
    common: dict[str, Any] = {
        name: str(said[name]) if said.get(name) is not None else None
        for name in ("workspace_id", "service_tier", "speed", "inference_geo", "cost_type")
    } | {"day": begin.date().isoformat(), "model_raw": said.get("model")}
    if kind == "usage":
        for path, token_class in _CLASSES.items():
            count = amounts.tokens(_at(measured, path), where)
            if count:
                it.rows.append(Row(**common, token_class=token_class, tokens=count))
        return
    if str(measured.get("currency") or "USD").upper() != "USD":
        raise NoBill(f"{where} is in {str(measured['currency'])[:10]}; only US dollars can be set against the logs")
    amount = amounts.dollars(measured.get("amount"), where, cents=True)
    listed = measured.get("list_amount")
    list_usd = amounts.dollars(listed, where, cents=True) if listed is not None else None
    it.amounts += [amount, *([] if list_usd is None else [list_usd])]
    it.rows.append(
        Row(
            **common,
            token_class="web_search"
            if said.get("cost_type") == "web_search"
            else _CLASSES.get(str(said.get("token_type"))),
            amount_usd=amounts.kept(amount),
            list_usd=None if list_usd is None else amounts.kept(list_usd),
        )
    )


def _at(node: Any, path: str) -> Any:
    for name in path.split("."):
        node = node.get(name) if isinstance(node, dict) else None
    return node
