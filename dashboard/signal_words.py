"""Signals in words, as pages and charts show them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from dashboard import data, units
from dashboard.data import Signal
from dashboard.decisions import settled, standing
from dashboard.events import NAMES, Event, grouped
from dashboard.names import display_name
from dashboard.settings import home
from queries import Filters

# Metric of a signal: the column of metrics.watched_by_day that it is about.
WATCHED = {
    "cost": "cost_usd",
    "requests": "calls",
    "tokens_per_request": "typical_tokens",
    "cost_per_request": "cost_per_call_usd",
    "attempts_per_request": "amplification",
    "truncation_rate": "truncation_rate",
    "error_rate": "attempt_error_rate",
    "masked_error_rate": "masked_rate",
    "cache_hit_rate": "cache_hit_rate",
    "latency_p95": "p95_ms",
    "typical_latency": "typical_ms",
}
COST = ("cost", "requests", "tokens_per_request", "cost_per_request")
ERRORS = ("error_rate", "masked_error_rate", "attempts_per_request")
_SENTENCE = 400


def marks(filters: Filters, metrics: Sequence[str]) -> list[Event]:
    """The events to mark on a chart of these metrics: what nobody has muted or come to expect."""
    judged = data.signals(filters)
    told = [of for of in judged.findings.signals if of.metric in metrics] if judged else []
    decided = settled(told, standing(home()))
    return grouped(of for of in told if of.signal_id not in decided or decided[of.signal_id].kind == "acknowledged")


def about(signal: Signal, filters: Filters) -> Filters:
    """Filters that let the signal's slice pass and nothing else."""
    alone = replace(filters, features=(), models=(), teams=(), users=(), environments=())
    if signal.slice_kind == "total":
        return alone
    return data.narrowed(alone, "user_id" if signal.slice_kind == "user" else signal.slice_kind, [signal.slice])


def in_words(signal: Signal) -> str:
    """The signal's sentence, safe in Markdown."""
    return display_name(signal.sentence, "md", _SENTENCE)


def headline(event: Event) -> str:
    """The event in a line, in Markdown: whose, what, how much and when."""
    lead = event.lead
    who = "All spend" if lead.slice_kind == "total" else display_name(lead.slice, "md")
    days = units.period(lead.start.date(), (lead.end - timedelta(microseconds=1)).date())
    return f"**{who}**: {briefly(lead)}, {days}"


def briefly(signal: Signal) -> str:
    """Metric, value and expected range, in Markdown."""
    actual, low, high = (amount(signal.metric, value) for value in (signal.actual, signal.low, signal.high))
    return f"{NAMES[signal.metric].lower()} {actual}, expected {low} to {high}".replace("$", "\\$")


def amount(metric: str, value: float) -> str:
    """A value of a signal's metric, unit included."""
    column = WATCHED[metric]
    return units.text(column, str(round(value, 6)) if column.endswith("_usd") else value)


def mark_lines(events: Sequence[Event], most: int = 4) -> str:
    """What a mark on a chart says when it is pointed at: one sentence per event."""
    said = [_wrapped(display_name(event.lead.sentence, "text", _SENTENCE)) for event in events[:most]]
    more = [f"and {len(events) - most} more"] if len(events) > most else []
    return "<br><br>".join(said + more)


def _wrapped(sentence: str, width: int = 64) -> str:
    """A sentence in lines short enough for a phone, for Plotly."""
    lines, line = [], ""
    for word in sentence.split():
        if line and len(line) + len(word) >= width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return "<br>".join(display_name(line, "plot", _SENTENCE) for line in [*lines, line])
