"""Signals as events: one thing that happens to a slice often shows in several metrics at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dashboard.data import Signal
    from dashboard.decisions import Decision

# Metric of a signal: its name on the page.
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
    "typical_latency": "Typical latency",
}
# What the switch on the page says: what `Event.state` calls it.
STATES = {"Open": "open", "Acknowledged": "acknowledged", "Muted": "muted", "All": "all"}
_TOGETHER = timedelta(days=2)  # a slice's signals that begin within so long of the first are one event


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
    def event_id(self) -> str:
        """The id of the signal that began it: it stays when further metrics follow."""
        return min(self.signals, key=lambda of: (of.start, of.signal_id)).signal_id

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
