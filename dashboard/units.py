"""What a column's name says about its numbers: the suffix decides label, unit and rounding on every page.

`_usd` money · `_rate` share · `_ms` duration · `_tokens` tokens · `_at` moment · `day`, `hour` · the rest are counts.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

from dashboard.names import UNKNOWN, display_name

Kind = Literal["usd", "currency", "rate", "ms", "tokens", "at", "day", "hour", "ratio", "bytes", "count", "name"]

NO_CHANGE = "no change"
RATIOS = {"amplification", "read_per_write"}
_WHOLE: dict[str, Kind] = {
    **dict.fromkeys(("day", "first_day", "last_day", "month", "as_of", "effective_from", "effective_until"), "day"),
    "hour": "hour",
    "bytes": "bytes",
}
_OTHER_CURRENCY = re.compile(r"(\w+)_in_([a-z]{3})")
_SUFFIXES: dict[str, Kind] = {"usd": "usd", "rate": "rate", "ms": "ms", "tokens": "tokens", "at": "at"}
NAMES = {
    "feature",
    "model",
    "user_id",
    "team",
    "environment",
    "slice",
    "slice_kind",
    "token_class",
    "error_type",
    "error_pattern",
    "reason",
    "model_raw",
    "source_name",
    "formats",
    "notes",
    "status",
    "preview",
    "problem",
    "version",
    "quoted",
    "in_words",
    "currency",
    "platform",
    "source",
    "mode",
    "url",
    "what",
    "rule",
    "event",
    "channel",
    "lifetime",
    "limit_name",
    "cause",
    "workspace",
}

# Labels that the rule in `label` would not put into plain words.
LABELS = {
    "cost_usd": "Spend",
    "cost_reported_usd": "Cost the logs report",
    "cost_share_rate": "Share of spend",
    "cost_before_usd": "Period before",
    "cost_after_usd": "This period",
    "cost_change_usd": "Change",
    "cost_change_rate": "Change, %",
    "requests_part_usd": "Requests",
    "attempts_per_request_part_usd": "Retries",
    "input_part_usd": "Input per request",
    "output_part_usd": "Output per request",
    "cache_hit_rate_part_usd": "Cache hits",
    "truncation_part_usd": "Truncation",
    "model_mix_part_usd": "Model mix",
    "low_usd": "At least",
    "high_usd": "At most",
    "as_of": "Spent until",
    "backtest_error_rate": "Off by, in the months before",
    "input_usd_mtok": "input",
    "output_usd_mtok": "output",
    "cache_read_usd_mtok": "cache reads",
    "cache_write_5m_usd_mtok": "5-minute cache writes",
    "cache_write_1h_usd_mtok": "1-hour cache writes",
    "list_price_part_usd": "Price per token",
    "price_part_usd": "Price per token",
    "web_search_part_usd": "Web searches",
    "new_slices_part_usd": "New",
    "ended_slices_part_usd": "Ended",
    "user_id": "User",
    "spent_usd": "Direct",
    "shared_usd": "Shared out",
    "allocated_usd": "Allocated",
    "charged_usd": "Total",
    "unconverted_usd": "Without a rate",
    "handed_out_usd": "Handed out",
    "quoted": "Rate",
    "effective_from": "From",
    "effective_until": "Until",
    "discount_percent": "Discount, %",
    "contract_line": "Line",
    "slice": "What",
    "slice_kind": "Kind",
    "token_class": "Token class",
    "unattributed_cost_usd": "Unattributed spend",
    "write_ttl_assumed_attempts": "Writes with an assumed lifetime",
    "input_tokens": "Input tokens",
    "http_status": "HTTP status",
    "max_tokens": "max_tokens",
    "p50_ms": "p50 latency",
    "p90_ms": "p90 latency",
    "p95_ms": "p95 latency",
    "p99_ms": "p99 latency",
    "typical_ms": "Typical latency",
    "attempt_p50_ms": "p50 of attempts",
    "attempt_p90_ms": "p90 of attempts",
    "attempt_p95_ms": "p95 of attempts",
    "attempt_p99_ms": "p99 of attempts",
    "ttft_p50_ms": "p50 to first token",
    "ttft_p90_ms": "p90 to first token",
    "ttft_p95_ms": "p95 to first token",
    "ttft_p99_ms": "p99 to first token",
    "output_p50_tokens": "Output, median",
    "output_p95_tokens": "Output, p95",
    "retry_known_rate": "Retry data known",
    "masked_rate": "Masked by retries",
    "masked_calls": "Masked calls",
    "final_error_rate": "Failed after retries",
    "first_attempt_error_rate": "First attempt failed",
    "attempt_error_rate": "Attempts failed",
    "amplification": "Attempts per call",
    "wasted_ms": "Time lost to failed attempts",
    "wasted_cost_usd": "Billed for failed attempts",
    "error_pattern": "Pattern",
    "second_attempt_error_rate": "Second attempt failed too",
    "unlinked_attempts": "Attempts without a link",
    "unlinked_errors": "Failed ones",
    "estimated_masked_rate": "Masked, estimate",
    "estimated_masked_rate_low": "At least",
    "estimated_masked_rate_high": "At most",
    "crowded_rate": "Too busy to tell",
    "requests_headroom_rate": "Requests left",
    "input_tokens_headroom_rate": "Input tokens left",
    "output_tokens_headroom_rate": "Output tokens left",
    "tight_attempts": "Under 10 % left",
    "rate_limited_attempts": "Turned away",
    "headroom_known_attempts": "Headroom known",
    "asked_again_calls": "Asked again",
    "asked_again_cost_usd": "Spent on the first try",
    "not_asked_again_calls": "Not asked again",
    "not_asked_again_cost_usd": "Spent on them",
    "unpaired_calls": "No user logged",
    "ceiling_for_half_percent": "max_tokens for 0.5 %",
    "ceiling_for_1_percent": "max_tokens for 1 %",
    "ceiling_for_2_percent": "max_tokens for 2 %",
    "ceiling_for_5_percent": "max_tokens for 5 %",
    "ceiling_hit_rate": "At the ceiling",
    "truncated_cost_usd": "Spend on cut answers",
    "truncated_output_tokens": "Output tokens in cut answers",
    "truncation_rate": "Cut off",
    "truncated_calls": "Cut answers",
    "cache_hit_rate": "Cache hit rate",
    "cache_hit_before_rate": "Hit rate before",
    "cached_hit_rate": "Read, of what was cached",
    "break_even_rate": "Pays from",
    "limit_name": "Limit",
    "limit_tokens": "Tokens",
    "long_calls": "Calls beyond it",
    "long_calls_gone_wrong": "Of these gone wrong",
    "cut_tokens": "Tokens cut",
    "long_calls_cost_usd": "Spend on these calls",
    "sessions": "Conversations",
    "growing_calls": "Turns on a longer prompt",
    "resent_tokens": "Sent again, uncached",
    "resent_cost_usd": "Spent on that",
    "unread_write_tokens": "Written, never read",
    "unread_premium_usd": "Extra paid for these",
    "lifetime": "Kept for",
    "other_lifetime_saving_usd": "Saved by the other lifetime",
    "lost_usd": "Lost that day",
    "p50_prompt_tokens": "Median prompt",
    "p50_prompt_before_tokens": "Median prompt before",
    "p50_pause_ms": "Median pause",
    "p50_pause_before_ms": "Median pause before",
    "read_per_write": "Reads per write",
    "saving_usd": "Saved",
    "alone_usd": "Saved alone",
    "other_cost_usd": "Cost there",
    "gross_saving_usd": "Saved by reads",
    "write_premium_usd": "Extra paid for writes",
    "net_saving_usd": "Net cache saving",
    "uncached_cost_usd": "Same traffic uncached",
    "cache_write_5m_tokens": "5-minute writes",
    "cache_write_1h_tokens": "1-hour writes",
    "cache_write_unknown_ttl_tokens": "Writes, lifetime unknown",
    "cache_read_tokens": "Cache reads",
    "cache_write_tokens": "Cache writes",
    "uncached_input_tokens": "Uncached input",
    "model_raw": "Model as logged",
    "source_name": "File",
    "source_line": "Line",
    "first_seen_at": "First seen",
    "last_seen_at": "Last seen",
    "first_started_at": "First call",
    "last_started_at": "Last call",
    "landed_at": "Loaded",
    "ttft_known_calls": "First token known",
    "read_records": "Read",
    "new_attempts": "New",
    "known_records": "Already known",
    "folded_records": "Folded",
    "refused_records": "Refused",
    "other_lines": "Lines with no request",
    "bytes": "Size",
    "not_explained_either_way_usd": "Not explained",
    "unlogged_workspace_usd": "Workspace without logs",
    "cloud_usd": "Billed by a cloud",
    "made_at": "Bill as of",
}


def kind(column: str) -> Kind:
    """How the values of a column read: money, share, duration …"""
    name = column.removesuffix("_low").removesuffix("_high")
    if column in NAMES:
        return "name"
    if _OTHER_CURRENCY.fullmatch(column):
        return "currency"
    if column in RATIOS:
        return "ratio"
    return _WHOLE.get(column) or _SUFFIXES.get(name.rpartition("_")[2], "count")


def label(column: str) -> str:
    """The words above a column or beside a number."""
    if column in LABELS:
        return LABELS[column]
    if other := _OTHER_CURRENCY.fullmatch(column):
        return f"{label(f'{other[1]}_usd')} ({other[2].upper()})"
    for side, words in (("_low", "at least"), ("_high", "at most")):
        if column.endswith(f"_rate{side}"):
            return f"{label(column.removesuffix(side))}, {words}"
    name = column
    for suffix in ("_usd", "_rate", "_ms", "_at"):
        name = name.removesuffix(suffix)
    return (name[:1].upper() + name[1:]).replace("_", " ")


def is_unit_price(column: str) -> bool:
    """Is it dollars for one of something? Such are never added up."""
    return kind(column) == "usd" and "_per_" in column and not column.endswith("_part_usd")


def token_class(name: str) -> str:
    """A class of tokens in words."""
    words = {"input": "Uncached input", "output": "Output", "web_search": "Web searches"}
    return words.get(name) or label(f"{name}_tokens")


def text(column: str, value: Any, zone: str = "UTC") -> str:
    """One value as a person reads it, unit included."""
    if value is None:
        return UNKNOWN
    match kind(column):
        case "usd":
            return money(Decimal(value), unit_price=is_unit_price(column))
        case "currency":
            return f"{Decimal(value).quantize(Decimal('0.01'), ROUND_HALF_UP):,f}"
        case "rate":
            return percent(float(value))
        case "ms":
            return duration(float(value))
        case "tokens":
            return f"{int(value):,}" if column == "max_tokens" else compact(int(value))
        case "ratio":
            return f"{float(value):,.2f}×"
        case "bytes":
            return size(int(value))
        case "day":
            return day(value)
        case "hour" | "at":
            return moment(value, zone if column != "hour" else None)
        case "name":
            return token_class(value) if column == "token_class" else display_name(value)
    if isinstance(value, Decimal) and value != int(value):
        return f"{value.normalize():,f}"
    return display_name(value) if isinstance(value, str) else f"{int(value):,}"


def words(row: Mapping[str, Any], zone: str = "UTC") -> dict[str, str]:
    """Every value of a row as a person reads it, ready for a sentence in Markdown."""
    return {
        column: display_name(value, "md") if isinstance(value, str) else text(column, value, zone).replace("$", "\\$")
        for column, value in row.items()
    }


def money(amount: Decimal, unit_price: bool = False) -> str:
    """Dollars to the cent; under a cent (a unit price: under a dollar) to four significant digits."""
    cents, whole = Decimal("0.01"), 1 if unit_price else Decimal("0.01")
    sign, digits = "-" if amount < 0 else "", abs(amount)
    if 0 < digits < whole:
        digits = digits.quantize(Decimal(1).scaleb(digits.adjusted() - 3), ROUND_HALF_UP)
    if digits == 0 or digits >= whole:
        digits = digits.quantize(cents, ROUND_HALF_UP)
    return f"{sign}${digits:,f}"


def dollars(amount: float) -> Decimal:
    """A judged or forecast amount, which is no sum of prices, to a hundredth of a cent."""
    return Decimal(repr(float(amount))).quantize(Decimal("0.0001"))


def change(column: str, value: Any, before: Any) -> str | None:
    """The change, in points for shares, in percent for all else; None where there is nothing to compare."""
    if value is None or before is None:
        return None
    if kind(column) == "rate":
        change, unit = f"{(float(value) - float(before)) * 100:+,.2f}", " pp"
    elif before:
        change, unit = f"{float((value - before) / abs(before)) * 100:+,.1f}", "%"
    else:
        return None
    return f"{change}{unit}" if change.strip("+-0.") else NO_CHANGE


def signed_money(amount: Decimal) -> str:
    """A change in dollars, with its sign."""
    return money(amount) if amount < 0 else f"+{money(amount)}"


def percent(rate: float) -> str:
    """A share in percent: one decimal, two under one percent."""
    points = rate * 100
    if points and abs(points) < 0.01:
        return "< 0.01%" if points > 0 else "> -0.01%"
    return f"{points:.2f}%" if 0 < abs(points) < 1 else f"{points:.1f}%"


def duration(milliseconds: float) -> str:
    """Milliseconds, seconds or minutes, whichever reads best."""
    if abs(milliseconds) < 1000:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min {int(seconds % 60):02d} s"
    return f"{int(seconds // 3600):,} h {int(seconds % 3600 // 60):02d} min"


def compact(count: int) -> str:
    """Three significant digits with K, M, B or T."""
    for unit, step in (("T", 10**12), ("B", 10**9), ("M", 10**6), ("K", 10**3)):
        if abs(count) >= step:
            number = count / step
            return f"{number:.{2 if abs(number) < 10 else 1 if abs(number) < 100 else 0}f}{unit}"
    return f"{count:,}"


def size(count: int) -> str:
    """Bytes in the decimal units that file managers show."""
    for unit, step in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= step:
            return f"{count / step:.1f} {unit}"
    return f"{count:,} B"


def day(value: date | datetime) -> str:
    """A calendar day: 12 Nov 2026."""
    return f"{value.day} {value:%b %Y}"


def moment(value: datetime, zone: str | None = "UTC") -> str:
    """A stored UTC moment in the reader's zone, with the zone named; None shows the wall clock as it is."""
    if zone is None:
        return f"{day(value)}, {value:%H:%M}"
    local = value.replace(tzinfo=value.tzinfo or UTC).astimezone(ZoneInfo(zone))
    return f"{day(local)}, {local:%H:%M} {zone}"


def period(since: date, until: date, beside: int | None = None) -> str:
    """Inclusive days: 24 Oct – 22 Nov 2026; the year is left out where it is the one of the period beside it."""
    end = f"{until.day} {until:%b}" if until.year == beside else day(until)
    if since == until:
        return end
    if since.year != until.year:
        return f"{day(since)} – {day(until)}"
    start = f"{since.day}" if since.month == until.month else f"{since.day} {since:%b}"
    return f"{start} – {end}"
