"""What people have decided about measures, and what they have told that no log can tell.

Nothing is ever deleted: a decision that is taken back keeps its line, with the time and the name of who took it back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dashboard.choices import choices
from dashboard.login.acting import require
from dashboard.login.users import Role

if TYPE_CHECKING:
    from dashboard.advice.finding import Measure

Kind = Literal["dismissed", "done"]
Name = Literal["limit", "prefix"]

_COLUMNS = "decision_id, kind, measure_id, measure_kind, step, feature, model, since, decided_at, decided_by"
_DECISIONS = """create table if not exists advice_decisions (
    decision_id integer primary key, kind text not null, measure_id text not null, measure_kind text not null,
    step text not null, feature text, model text, since text,
    decided_at text not null, decided_by text not null, undone_at text, undone_by text
) strict"""
_TOLD = """create table if not exists advice_told (
    told_id integer primary key, name text not null, feature text not null, tokens integer,
    told_at text not null, told_by text not null
) strict"""


@dataclass(frozen=True)
class Decision:
    """One decision that stands. `since` is the day from which a measure was done, on the clock of who said so."""

    decision_id: int
    kind: Kind
    measure_id: str
    measure_kind: str
    step: str
    feature: str | None
    model: str | None
    since: date | None
    decided_at: datetime
    decided_by: str


def decide(home: Path, kind: Kind, measure: Measure, by: str, since: date | None = None) -> None:
    """Write down that a measure is dismissed, or done since a day; what was decided about it before is taken back."""
    now = datetime.now(UTC).isoformat()
    require(Role.OPERATOR)
    with choices(home) as con:
        con.execute(_DECISIONS)
        con.execute(
            "update advice_decisions set undone_at = ?, undone_by = ? where measure_id = ? and undone_at is null",
            (now, by, measure.measure_id),
        )
        con.execute(
            f"insert into advice_decisions ({_COLUMNS}) values (null, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                kind, measure.measure_id, measure.kind, measure.step, measure.feature, measure.model,
                since and since.isoformat(), now, by,
            ),
        )  # fmt: skip


def undo(home: Path, measure_id: str, by: str) -> None:
    """Take back what was decided about a measure."""
    require(Role.OPERATOR)
    with choices(home) as con:
        con.execute(_DECISIONS)
        con.execute(
            "update advice_decisions set undone_at = ?, undone_by = ? where measure_id = ? and undone_at is null",
            (datetime.now(UTC).isoformat(), by, measure_id),
        )


def standing(home: Path) -> dict[str, Decision]:
    """The decisions that nobody has taken back, by measure, the newest first."""
    with choices(home, changes=False) as con:
        con.execute(_DECISIONS)
        rows = con.execute(
            f"select {_COLUMNS} from advice_decisions where undone_at is null order by decision_id desc"
        ).fetchall()
    return {row[2]: _decision(*row) for row in rows}


def tell(home: Path, name: Name, feature: str, tokens: int | None, by: str) -> None:
    """Keep a number of tokens that somebody knows about a feature; None takes it back."""
    require(Role.OPERATOR)
    with choices(home) as con:
        con.execute(_TOLD)
        con.execute(
            "insert into advice_told values (null, ?, ?, ?, ?, ?)",
            (name, feature, tokens, datetime.now(UTC).isoformat(), by),
        )


def told(home: Path, name: Name) -> dict[str, int]:
    """Tokens by feature, as told last."""
    with choices(home, changes=False) as con:
        con.execute(_TOLD)
        rows = con.execute(
            "select feature, tokens from advice_told where name = ? order by told_id", (name,)
        ).fetchall()
    return {feature: tokens for feature, tokens in dict(rows).items() if tokens is not None}


def _decision(
    decision_id: int, kind: Kind, measure_id: str, measure_kind: str, step: str, feature: str | None,
    model: str | None, since: str | None, decided_at: str, decided_by: str,
) -> Decision:  # fmt: skip
    return Decision(
        decision_id, kind, measure_id, measure_kind, step, feature, model,
        date.fromisoformat(since) if since else None, datetime.fromisoformat(decided_at), decided_by,
    )  # fmt: skip
