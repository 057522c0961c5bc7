"""Signals as pages show them: those that a view asks for, grouped into events, with the words around them.

One thing that happens to a slice often shows in several metrics at once; it is one event, led by what it did to cost.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dashboard import data, units
from dashboard.data import Signal
from dashboard.decisions import Decision, settled, standing
from dashboard.names import display_name
from dashboard.settings import home
from queries import Filters

# Metric of a signal: the column of metrics.watched_by_day that it is about, and its name on the page.
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
}
NAMES = {
    "cost": "Spend",
    "requests": "Requests",
    "tokens_per_request": "Tokens per request",
    "cost_per_request": "Cost per request",
    "attempts_per_request": "Retries",
    "truncation_rate": "Truncation",
    "error_rate": "Errors",
    "masked_error_rate": "Masked errors",
    "cache_hit_rate": "Cache hits",
    "latency_p95": "Latency",
}
# What the switch on the page says: what `Event.state` calls it.
STATES = {"Open": "open", "Acknowledged": "acknowledged", "Muted": "muted", "All": "all"}
COST = ("cost", "requests", "tokens_per_request", "cost_per_request")
ERRORS = ("error_rate", "masked_error_rate", "attempts_per_request")
_TOGETHER = timedelta(days=2)  # a slice's signals that begin within so long of the first are one event
_SENTENCE = 400


@dataclass(frozen=True)
class Event:
    """What happened to one slice at one time: its signals, the leading one first."""

    signals: tuple[Signal, ...]

    @property
    def lead(self) -> Signal:
        """The signal that speaks for the event: cost where it is among them, else the most unusual."""
        return self.signals[0]

    def holds(self, signal_id: str | None) -> bool:
        """Whether this signal is one of its own."""
        return any(of.signal_id == signal_id for of in self.signals)

    def decisions(self, decided: Mapping[str, Decision]) -> list[Decision]:
        """The decisions that settle its signals, by signal id, each once."""
        return list(dict.fromkeys(decided[of.signal_id] for of in self.signals if of.signal_id in decided))

    def state(self, decided: Mapping[str, Decision]) -> str:
        """Open while any of its signals is; else acknowledged, or muted (which includes what is expected)."""
        if any(of.signal_id not in decided for of in self.signals):
            return "open"
        return "acknowledged" if decided[self.lead.signal_id].kind == "acknowledged" else "muted"

    @property
    def start(self) -> datetime:
        """When its first signal begins, on the reader's clock."""
        return min(of.start for of in self.signals)

    @property
    def end(self) -> datetime:
        """When its last signal ends, on the reader's clock."""
        return max(of.end for of in self.signals)


def grouped(signals: Iterable[Signal]) -> list[Event]:
    """Signals as events, the most dollars at stake first."""
    groups: list[list[Signal]] = []
    for of in sorted(signals, key=lambda of: (of.slice_kind, of.slice, of.start)):
        first = groups[-1][0] if groups else None
        is_same = first and (first.slice_kind, first.slice) == (of.slice_kind, of.slice)
        if first and is_same and of.start - first.start < _TOGETHER:
            groups[-1].append(of)
        else:
            groups.append([of])
    led = [Event(tuple(sorted(group, key=lambda of: (of.metric != "cost", -abs(of.score))))) for group in groups]
    return sorted(led, key=lambda event: -abs(event.lead.stake_usd))


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
    said = signal.sentence
    return display_name(said[:1].upper() + said[1:], "md", _SENTENCE)


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
