"""When an alert speaks: the one place that decides, from what was and what is seen, without a clock of its own."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Status = Literal["ok", "pending", "firing", "no data"]
Event = Literal["fired", "again", "resolved"]


@dataclass(frozen=True)
class State:
    """Where one subject of one rule stands. `since`: this status began.

    told_level: how bad it was when somebody was last told; 0 while nothing is open. told_at: when that was.
    """

    status: Status
    since: datetime
    told_level: int = 0
    told_at: datetime | None = None


def step(
    before: State | None,
    seen: Literal["ok", "firing", "no data"],
    level: int,
    now: datetime,
    hold: timedelta = timedelta(),
    again_after: timedelta | None = None,
) -> tuple[State, Event | None]:
    """The state after one more look, and what has to be told, if anything.

    It fires once for each level it climbs to, after it has lasted for `hold`; resolves once; tells again every
    `again_after`. Missing data neither fires nor resolves anything.
    """
    since = before.since if before and before.status == seen else now
    told_level, told_at = (before.told_level, before.told_at) if before else (0, None)
    if seen == "no data":
        return State("no data", since, told_level, told_at), None
    if seen == "ok":
        return State("ok", since), "resolved" if told_level else None
    if before and before.status == "pending":
        since = before.since
    if not told_level and now - since < hold:
        return State("pending", since), None
    if level > told_level:
        return State("firing", since, level, now), "fired"
    if again_after and told_at and now - told_at >= again_after:
        return State("firing", since, level, now), "again"
    return State("firing", since, level, told_at), None
