"""Workloads of known kind, as they lie in time: what can wait, and what must not be moved."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

MONDAY = datetime(2026, 9, 7)
DAYS = 28

# What a log shows of each kind, and whether somebody waits for its answers. "ask": only the owner can tell.
WAITS = {
    "nightly": False,
    "hourly": False,
    "weekly": False,
    "shards": False,
    "evening_report": False,
    "queue": "ask",
    "chat": True,
    "office_without_users": True,
    "dense_office_without_users": True,
    "agent": True,
    "own_tool": True,
}


def moments(kind: str, seed: int) -> list[datetime]:
    """When the calls of one workload of a kind were made, over four weeks."""
    draw = random.Random(f"{kind} {seed}")
    return sorted(MONDAY + timedelta(seconds=second) for second in _seconds(kind, draw))


def _seconds(kind: str, draw: random.Random) -> Iterator[float]:
    hour = draw.uniform(0, 6) if kind == "nightly" else draw.uniform(18, 22)
    size, gap = draw.randint(30, 90), draw.uniform(0.5, 2)
    weekday, slot = draw.randrange(7), draw.uniform(0, 3000)
    for day in range(DAYS):
        start = day * 86_400.0
        is_workday = day % 7 < 5
        match kind:
            case "nightly":  # a job at the same time every night, its calls some tens of seconds apart
                begins = start + hour * 3600 + draw.gauss(0, 600)
                yield from _in_turn(draw, begins, size, draw.uniform(20, 90))
            case "hourly":
                for each in range(24):
                    yield from _in_turn(draw, start + each * 3600 + slot + draw.gauss(0, 20), draw.randint(3, 8), 15)
            case "weekly":
                if day % 7 == weekday:
                    yield from _in_turn(draw, start + draw.uniform(0, 20) * 3600, 8 * size, gap)
            case "shards":  # several bursts a day, whenever data arrives
                for _ in range(draw.randint(1, 3)):
                    yield from _in_turn(draw, start + draw.uniform(0, 86_000), draw.randint(25, 80), gap)
            case "evening_report":
                if is_workday:
                    yield from _in_turn(draw, start + hour * 3600 + draw.gauss(0, 900), size, draw.uniform(5, 60))
            case "queue":  # whatever comes in, day and night
                yield from (start + draw.uniform(0, 86_400) for _ in range(3 * size))
            case "chat" | "own_tool" | "office_without_users" | "dense_office_without_users" | "agent":
                calls = {"dense_office_without_users": 1500, "agent": 150}.get(kind, 2 * size)
                people = calls if is_workday else calls // 12
                yield from (start + 3600 * min(max(draw.gauss(13, 2.4), 6), 21) for _ in range(people))


def _in_turn(draw: random.Random, begins: float, calls: int, gap: float) -> Iterator[float]:
    moment = begins
    for _ in range(calls):
        yield moment
        moment += draw.expovariate(1 / gap)


def attempts(kind: str, seed: int, **what: Any) -> Iterator[dict[str, Any]]:
    """The calls of one workload, as `an_attempt` takes them: the feature is named after kind and seed."""
    draw = random.Random(f"{kind} {seed} calls")
    for number, moment in enumerate(moments(kind, seed)):
        call: dict[str, Any] = {"started_at": moment, "feature": f"{kind} {seed}", **what}
        if kind == "chat":
            call["user_id"] = f"u{draw.randrange(40)}"
        elif kind == "own_tool":
            call["user_id"] = "u1"
        elif kind == "agent":
            call["session_id"] = f"{seed} {number // 40}"
        yield call
