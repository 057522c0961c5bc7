"""What people have decided about signals: acknowledged, muted, expected from now on; who, when, and what it silences.

Nothing is ever deleted: a decision that is taken back keeps its line, with the time and the name of who took it back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dashboard.choices import choices
from dashboard.login.acting import require
from dashboard.login.users import Role

if TYPE_CHECKING:
    from dashboard.data import Signal

Kind = Literal["acknowledged", "muted", "expected"]

BEYOND = 1.25  # times the accepted level: further than that is news again
SUMS = ("cost", "requests")  # told as the sum of their days; their level is what a day brings
_SAME_EVENT = timedelta(hours=24)  # signals of one metric and slice begin further apart than this, on whatever clock
_COLUMNS = (
    "decision_id, kind, signal_id, slice_kind, slice, metric, start, is_rise, level, until, decided_at, decided_by"
)
_TABLE = """create table if not exists signal_decisions (
    decision_id integer primary key, kind text not null, signal_id text not null,
    slice_kind text not null, slice text not null, metric text not null, start text not null,
    is_rise integer not null, level real not null, until text,
    decided_at text not null, decided_by text not null, undone_at text, undone_by text
) strict"""


@dataclass(frozen=True)
class Decision:
    """One decision that stands. `start` is the signal's, on its clock; `until` (UTC) ends a mute, None never does."""

    decision_id: int
    kind: Kind
    signal_id: str
    slice_kind: str
    slice: str
    metric: str
    start: datetime
    is_rise: bool
    level: float
    until: datetime | None
    decided_at: datetime
    decided_by: str

    def settles(self, signal: Signal, now: datetime) -> bool:
        """Whether the signal needs nobody's attention any more, because of this decision.

        Acknowledged: this event alone. Muted: whatever this metric of this slice does, until the mute ends. Expected:
        what moves the same way, from this event on, and no further than a quarter beyond the level it had.
        """
        if (signal.slice_kind, signal.slice, signal.metric) != (self.slice_kind, self.slice, self.metric):
            return False
        if self.kind == "acknowledged":
            return signal.signal_id == self.signal_id or abs(signal.start - self.start) < _SAME_EVENT
        if self.kind == "muted":
            return self.until is None or now < self.until
        is_near = level(signal) <= self.level * BEYOND if self.is_rise else level(signal) >= self.level / BEYOND
        return (signal.score > 0) == self.is_rise and signal.start > self.start - _SAME_EVENT and is_near


def level(signal: Signal) -> float:
    """How high the metric stood: for sums what a day would bring at this pace, for all else the value itself."""
    if signal.metric in SUMS:
        return signal.actual / ((signal.end - signal.start) / timedelta(days=1))
    return signal.actual


def decide(
    home: Path, kind: Kind, signals: Iterable[Signal], by: str, days: int | None = None, now: datetime | None = None
) -> None:
    """Write down what somebody decided about these signals; a mute lasts `days`, or for good."""
    require(Role.OPERATOR)
    now = now or datetime.now(UTC)
    until = now + timedelta(days=days) if days else None
    with choices(home) as con:
        con.execute(_TABLE)
        con.executemany(
            f"insert into signal_decisions ({_COLUMNS}) values (null, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    kind, of.signal_id, of.slice_kind, of.slice, of.metric, of.start.isoformat(), of.score > 0,
                    level(of), until and until.isoformat(), now.isoformat(), by,
                )
                for of in signals
            ],
        )  # fmt: skip


def undo(home: Path, decisions: Iterable[Decision], by: str) -> None:
    """Take decisions back: what they had settled is open again."""
    require(Role.OPERATOR)
    with choices(home) as con:
        con.executemany(
            "update signal_decisions set undone_at = ?, undone_by = ? where decision_id = ? and undone_at is null",
            [(datetime.now(UTC).isoformat(), by, of.decision_id) for of in decisions],
        )


def standing(home: Path) -> tuple[Decision, ...]:
    """The decisions that nobody has taken back, the newest first; mutes that have ended included."""
    with choices(home, changes=False) as con:
        con.execute(_TABLE)
        rows = con.execute(
            f"select {_COLUMNS} from signal_decisions where undone_at is null order by decision_id desc"
        ).fetchall()
    return tuple(_decision(*row) for row in rows)


def settled(
    signals: Iterable[Signal], decisions: Iterable[Decision], now: datetime | None = None
) -> dict[str, Decision]:
    """For each signal that a decision settles, by its id: the newest such decision. Signals not in it are open."""
    now = now or datetime.now(UTC)
    by_what: dict[tuple[str, str, str], list[Decision]] = {}
    for decision in decisions:
        by_what.setdefault((decision.slice_kind, decision.slice, decision.metric), []).append(decision)
    found: dict[str, Decision] = {}
    for signal in signals:
        theirs = by_what.get((signal.slice_kind, signal.slice, signal.metric), ())
        for decision in theirs:
            if decision.settles(signal, now):
                found.setdefault(signal.signal_id, decision)
    return found


def _decision(
    decision_id: int, kind: Kind, signal_id: str, slice_kind: str, name: str, metric: str, start: str, is_rise: int,
    level: float, until: str | None, decided_at: str, decided_by: str,
) -> Decision:  # fmt: skip
    moment = datetime.fromisoformat
    return Decision(
        decision_id, kind, signal_id, slice_kind, name, metric, moment(start), bool(is_rise), level,
        moment(until) if until else None, moment(decided_at), decided_by,
    )  # fmt: skip
