"""What a rule sees when it looks: for each of its subjects whether it fires, and a sentence that says so."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

from dashboard import units
from dashboard.alerts import links, times
from dashboard.alerts.messages import plain_name
from dashboard.alerts.parsing import count_column
from dashboard.alerts.rules import SLICES, Alert, Budget, BudgetWatch, MetricWatch, MissingWatch, Rules, SignalsWatch
from dashboard.budgets import Read, Standing, standing
from dashboard.events import NAMES, grouped
from queries import Filters

Seen = Literal["ok", "firing", "no data"]
PAGE_OF = {"headroom": "reliability", "asked again": "truncation", "masked estimates": "reliability"}
BOUND = {"above": "above", "below": "below", "rises_by_percent": "up by", "falls_by_percent": "down by"}


@dataclass(frozen=True)
class Reading:
    """One subject of a rule: a feature, a budget's period, a signal, or (named "") all there is.

    value and sentence are for people and name no user unless the rule allows it; link begins with the page's path.
    """

    subject: str
    seen: Seen
    value: str
    sentence: str
    link: str
    level: int = 1


@dataclass(frozen=True)
class Look:
    """Everything a rule saw. `absent`: what it means for a subject it knew that it does not see any more, and why."""

    readings: tuple[Reading, ...]
    absent: Seen = "ok"
    why_absent: str = "It is over."


@dataclass(frozen=True)
class Sight:
    """Where rules look.

    read: a metric view under filters. signals: those known on the clock of a time zone; None before the first
    judgement. settled: the ids of those that people have decided about.
    """

    read: Read
    signals: Callable[[str], Sequence[Any] | None]
    settled: Callable[[Sequence[Any]], Collection[str]]


def look(alert: Alert, rules: Rules, sight: Sight, now: datetime) -> Look:
    """What one rule sees at a (UTC) moment."""
    watch = alert.watch
    if isinstance(watch, BudgetWatch):
        watched = [rules.budgets[name] for name in watch.budgets or rules.budgets]
        found = [reading for budget in watched for reading in _budget(budget, watch, sight, now)]
        return Look(tuple(found), why_absent="Its period is over.")
    if isinstance(watch, SignalsWatch):
        return _signals(alert, watch, sight, now)
    last_at = sight.read("freshness", Filters()).column("last_started_at")[0].as_py()
    if isinstance(watch, MissingWatch):
        return Look((_missing(alert, watch, sight, last_at, now),))
    end = now.replace(second=0, microsecond=0)
    asked = replace(alert.filters, since=end - watch.window, until=end)
    if last_at is None or last_at.replace(tzinfo=end.tzinfo) < end - watch.window:
        said = f"Nothing was logged in the last {times.said(watch.window)}."
        return Look((Reading("", "no data", "no logs", said, links.link("data")),), "no data", said)
    return Look(tuple(_metric(alert, watch, sight.read, asked)), why_absent="Nothing of it was logged any more.")


def _metric(alert: Alert, watch: MetricWatch, read: Read, asked: Filters) -> Iterator[Reading]:
    by = SLICES[watch.each] if watch.each else None
    before: dict[Any, Any] = {}
    is_change = watch.comparison.endswith("_percent")
    if is_change:
        rows = read(watch.view, asked.previous()).to_pylist()
        before = {row[by] if by else "": row[watch.column] for row in rows}
    count = count_column(watch.view)
    for row in read(watch.view, asked).to_pylist():
        subject = row[by] if by else ""
        value = _exact(row[watch.column])
        compared = _change(value, _exact(before.get(subject))) if is_change else value
        few = count is not None and (row[count] or 0) < watch.least
        whom = _whom(alert, watch.each, subject)
        short = units.text(watch.column, value)
        said = f"{units.label(watch.column)}{whom}: {short} in the last {times.said(watch.window)}"
        bound = f"{watch.limit:f}%" if is_change else units.text(watch.column, watch.limit)
        line = f"(the line is {BOUND[watch.comparison]} {bound})"
        if is_change and compared is not None:
            said += f", {compared:+.1f}% against the {times.said(watch.window)} before"
            short += f" ({compared:+.1f}%)"
        only: dict[str, Any] = {f"{watch.each}s": (subject,)} if watch.each else {}
        narrowed = replace(asked, **only)
        place = links.to_view(PAGE_OF.get(watch.metric, watch.metric), narrowed, alert.names_users)
        if compared is None or few:
            why = f"only {row[count] or 0:,} {count.replace('_', ' ')}" if few and count else "not known"
            yield Reading(subject, "no data", short, f"{said}: {why}, too little to tell.", place)
        else:
            yield Reading(subject, "firing" if _crosses(watch, compared) else "ok", short, f"{said} {line}.", place)


def _crosses(watch: MetricWatch, value: Decimal) -> bool:
    match watch.comparison:
        case "above" | "rises_by_percent":
            return value > watch.limit
        case "below":
            return value < watch.limit
    return value < -watch.limit


def _change(value: Decimal | None, before: Decimal | None) -> Decimal | None:
    return (value - before) / abs(before) * 100 if value is not None and before else None


def _exact(value: Any) -> Decimal | None:
    """A figure as the decimal it reads as: a rate of 0.05 is not above 0.05."""
    return None if value is None else Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def _whom(alert: Alert, each: str | None, subject: str) -> str:
    if each:
        name = plain_name(subject) if each != "user" or alert.names_users else "(not named)"
        return f" of {each} {name}"
    told = [
        f"{key.removesuffix('s')} {plain_name(name) if key != 'users' or alert.names_users else '(not named)'}"
        for key in ("features", "models", "teams", "users", "environments")
        for name in getattr(alert.filters, key)
    ]
    return f" of {', '.join(told)}" if told else ""


def _missing(alert: Alert, watch: MissingWatch, sight: Sight, last_at: datetime | None, now: datetime) -> Reading:
    whom, after = _whom(alert, None, ""), times.said(watch.after)
    place = links.link("data")
    if last_at is None:
        return Reading("", "no data", "no logs yet", "Nothing was ever logged.", place)
    end = now.replace(second=0, microsecond=0)
    asked = replace(alert.filters, since=end - watch.after, until=end + timedelta(days=1))
    tries = sight.read("totals", asked).column("attempts")[0].as_py()
    if tries:
        return Reading("", "ok", f"{tries:,} tries in {after}", f"Calls{whom} are being logged again.", place)
    last = f" The last of all was at {units.moment(last_at, alert.filters.zone)}."
    return Reading("", "firing", f"none in {after}", f"No call{whom} was logged for {after}.{last}", place)


def _budget(budget: Budget, watch: BudgetWatch, sight: Sight, now: datetime) -> Iterator[Reading]:
    how = standing(sight.read, budget, now)
    subject = budget.name if budget.period.rolling else f"{budget.name}/{how.since}"
    place = links.link("budgets")
    days = units.period(how.since, how.until)
    spent = f"{units.money(how.spent_usd)} of {units.money(budget.amount_usd)} ({how.percent}%)"
    said = f"Budget {plain_name(budget.name)}: {spent} is spent, for {days}."
    if how.mark:
        said += f" The mark of {how.mark}% is passed."
    yield Reading(
        subject, "firing" if how.mark else "ok", spent, said if watch.projected else said + _ahead(how), place, how.mark
    )
    if not watch.projected:
        return
    subject += "/ahead"
    if how.breached_on:  # the marks tell it; what was foretold stays open until the period ends
        yield Reading(subject, "no data", spent, f"Budget {plain_name(budget.name)} is used up.", place)
    elif how.expected_on:
        yield Reading(subject, "firing", spent, f"Budget {plain_name(budget.name)}: {spent}.{_ahead(how)}", place)
    elif how.path is None:
        yield Reading(subject, "no data", spent, "There is too little history to see ahead.", place)
    else:
        yield Reading(subject, "ok", spent, f"Budget {plain_name(budget.name)}: it is expected to last.", place)


def _ahead(how: Standing) -> str:
    if how.breached_on:
        return f" It was used up on {units.day(how.breached_on)}."
    if how.expected_on and how.path:
        first, last = how.path.earliest_on, how.path.latest_on
        latest = f"{units.day(last)}" if last else "after the period"
        return (
            f" It is expected to be used up on {units.day(how.expected_on)}"
            f" (four times out of five between {units.day(first or how.expected_on)} and {latest})."
        )
    return ""


def _signals(alert: Alert, watch: SignalsWatch, sight: Sight, now: datetime) -> Look:
    signals = sight.signals(alert.filters.zone)
    if signals is None:
        return Look((), "no data", "The data has not been judged yet.")
    begins = now.astimezone(ZoneInfo(alert.filters.zone)).replace(tzinfo=None) - watch.recent
    settled = sight.settled(signals)
    at = {"zone": alert.filters.zone} if alert.filters.zone != "UTC" else {}
    found = []
    for event in grouped(signals):
        told = [
            of
            for of in event.signals
            if of.metric in watch.metrics
            and of.slice_kind in watch.slices
            and abs(Decimal(repr(float(of.stake_usd)))) >= watch.least_usd
            and of.end >= begins
            and _is_asked(alert.filters, of.slice_kind, of.slice)
            and of.signal_id not in settled
        ]
        if told:
            value = f"{units.signed_money(Decimal(repr(float(told[0].stake_usd))))} at stake"
            place = links.link("signals", **at, signal=told[0].signal_id)
            found.append(Reading(event.event_id, "firing", value, _said(alert, told), place))
    return Look(tuple(found), why_absent="It is over, or was settled on the Signals page.")


def _said(alert: Alert, event: Sequence[Any]) -> str:
    """The sentence of an event's leading signal, and which other metrics tell of it."""
    lead, others = event[0], list(dict.fromkeys(NAMES[of.metric].lower() for of in event[1:]))
    is_user = lead.slice_kind == "user"
    name = "(not named)" if is_user and not alert.names_users else plain_name(lead.slice)
    driver = lead.driver_user and alert.names_users and plain_name(lead.driver_user)
    sentence: str = replace(lead, slice=name, driver_user=driver or None).sentence
    return f"{sentence} It shows in {' and '.join(others)} too." if others else sentence


def _is_asked(filters: Filters, kind: str, name: str) -> bool:
    """Whether a rule that names features, models or the like means this slice."""
    told = {key: names for key in ("feature", "model", "team", "user") if (names := getattr(filters, f"{key}s"))}
    return not told or name in told.get(kind, ())
