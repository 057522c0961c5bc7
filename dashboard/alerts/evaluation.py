"""Looking at everything once, and telling whom it concerns: the server does it every minute, `outlay check` once."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dashboard import decisions
from dashboard.alerts import channels, ledger
from dashboard.alerts.readings import Look, Sight, look
from dashboard.alerts.rules import Rules
from dashboard.budgets import Read
from dashboard.login.acting import require
from dashboard.login.users import Role
from dashboard.names import display_name

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Sent:
    """What became of the messages that were due."""

    delivered: int = 0
    faults: tuple[str, ...] = ()


def sight(home: Path, read: Read, signals: Callable[[str], Sequence[Any] | None]) -> Sight:
    """Where the rules of a home look; signals that people have settled on the pages stay silent."""
    return Sight(read, signals, lambda found: decisions.settled(found, decisions.standing(home)))


def see(rules: Rules, sight: Sight, now: datetime) -> tuple[dict[str, Look], dict[str, str]]:
    """What every rule that is switched on sees, and a sentence for each that could not look."""
    seen: dict[str, Look] = {}
    problems: dict[str, str] = {}
    for name, alert in rules.alerts.items():
        if not alert.is_enabled:
            continue
        try:
            seen[name] = look(alert, rules, sight, now)
        except Exception as error:  # one rule that cannot look keeps no other from it
            problems[name] = display_name(f"it could not be evaluated ({type(error).__name__}: {error})", limit=300)
    return seen, problems


def evaluate(home: Path, rules: Rules, sight: Sight, now: datetime) -> dict[str, str]:
    """Look, decide, and queue what has to be told; a sentence for each rule that could not look."""
    seen, problems = see(rules, sight, now)
    for name, found in seen.items():
        ledger.apply(home, rules.alerts[name], rules, found, now)
    for name, problem in problems.items():
        ledger.fail(home, name, problem, now)
    ledger.settle(home, rules, now)
    return problems


def deliver(
    home: Path,
    rules: Rules,
    clock: Clock = utc_now,
    environment: Mapping[str, str] = os.environ,
    channel: str | None = None,
) -> Sent:
    """Send every message that is due, each by one sender only; `channel` sends that one's alone."""
    delivered, faults = 0, []
    while delivery := ledger.claim(home, clock(), channel):
        error = None
        try:
            if delivery.channel not in rules.channels:
                raise channels.Undelivered("this channel is not in the rules file any more")
            channels.send(rules.channels[delivery.channel], delivery.message, clock(), environment)
            delivered += 1
        except channels.Undelivered as undelivered:
            error = str(undelivered)
            faults.append(f"{delivery.channel}: {error}")
        ledger.record(home, delivery, error, clock())
    return Sent(delivered, tuple(faults))


def try_channel(
    home: Path, rules: Rules, channel: str, clock: Clock = utc_now, environment: Mapping[str, str] = os.environ
) -> str | None:
    """Send a test message over one channel now; a sentence if it does not arrive."""
    require(Role.OPERATOR)
    ledger.queue_test(home, channel, f"{rules.base_url}/alerts", clock())
    faults = deliver(home, rules, clock, environment, channel).faults
    return faults[-1].removeprefix(f"{channel}: ") if faults else None
