"""What is remembered of alerts, in SQLite: where each stands, what was told, and what has still to be delivered.

One transaction decides and writes down what is to be told; sending comes after it. So of two evaluators one decides,
and a crash loses nothing: what was not recorded as sent is sent again, under the same id (at least once).
"""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from dashboard.alerts.messages import Message
from dashboard.alerts.readings import Look, Reading, Seen
from dashboard.alerts.rules import Alert, Rules
from dashboard.alerts.states import Event, State, step
from dashboard.choices import choices

# Minutes from one failed try to the next; after the last it has failed for good.
BACKOFF = (1, 5, 15, 60, 240, 720)
CLAIM = timedelta(minutes=2)  # for so long a sender may be busy with one message before another takes it over
KEPT = timedelta(days=90)

_TABLES = (
    """create table if not exists alert_states (
        rule text not null, subject text not null, status text not null, since text not null,
        told_level integer not null, told_at text, value text not null, sentence text not null, link text not null,
        primary key (rule, subject)) strict""",
    """create table if not exists alert_looks (
        rule text primary key, looked_at text not null, value text not null, problem text) strict""",
    """create table if not exists alert_events (
        event_id text primary key, rule text not null, subject text not null, event text not null, at text not null,
        sentence text not null, link text not null) strict""",
    """create table if not exists alert_deliveries (
        delivery_id integer primary key, event_id text not null, channel text not null, status text not null,
        due_at text not null, tries integer not null, claimed_until text, tried_at text, error text) strict""",
)


@dataclass(frozen=True)
class Standing:
    """Where a subject of a rule stands, as last seen."""

    rule: str
    subject: str
    state: State
    value: str
    sentence: str
    link: str


@dataclass(frozen=True)
class Delivery:
    """A message that one sender has taken upon itself to deliver over one channel."""

    delivery_id: int
    channel: str
    tries: int
    message: Message


@contextmanager
def _open(home: Path, changes: bool = True) -> Iterator[sqlite3.Connection]:
    with choices(home, changes) as con:
        for table in _TABLES:
            con.execute(table)
        yield con


def apply(home: Path, alert: Alert, rules: Rules, look: Look, now: datetime) -> None:
    """Enter what a rule saw at a (UTC) moment, and queue what has to be told. A look older than the last is dropped."""
    with _open(home) as con:
        if not _is_newer(con, alert.name, now):
            return
        known = {of.subject: of for of in _standings(con, alert.name)}
        seen = {reading.subject: reading for reading in look.readings}
        for subject in known.keys() - seen.keys():
            of = known[subject]
            said = f"{of.sentence.removesuffix(look.why_absent).strip()} {look.why_absent}"
            seen[subject] = Reading(subject, look.absent, of.value, said, of.link)
        for subject, reading in seen.items():
            before = known[subject].state if subject in known else None
            state, event = step(before, _meant(alert, reading.seen), reading.level, now, alert.hold, alert.again_after)
            if event:
                _tell(con, alert, rules, reading, event, now)
            _keep(con, alert.name, reading, state)
        _looked(con, alert.name, now, _summary(look), None)


def fail(home: Path, rule: str, problem: str, now: datetime) -> None:
    """Enter that a rule could not be evaluated; its states stay as they are."""
    with _open(home) as con:
        if _is_newer(con, rule, now):
            _looked(con, rule, now, "", problem)


def settle(home: Path, rules: Rules, now: datetime) -> None:
    """Close what belongs to rules that are switched off or gone, and forget what is old."""
    with _open(home) as con:
        active = {name for name, alert in rules.alerts.items() if alert.is_enabled}
        for of in _standings(con):
            if of.rule in active:
                continue
            if of.state.told_level and of.rule in rules.alerts:
                said = Reading(of.subject, "ok", of.value, f"{of.sentence} The rule was switched off.", of.link)
                _tell(con, rules.alerts[of.rule], rules, said, "resolved", now)
            con.execute("delete from alert_states where rule = ? and subject = ?", (of.rule, of.subject))
        con.execute(f"delete from alert_looks where rule not in ({', '.join('?' * len(active))})", tuple(active))
        old = (now - KEPT).isoformat()
        con.execute("delete from alert_deliveries where status <> 'waiting' and due_at < ?", (old,))
        con.execute(
            "delete from alert_events where at < ? and event_id not in (select event_id from alert_deliveries)", (old,)
        )


def queue_test(home: Path, channel: str, link: str, now: datetime) -> None:
    """Queue a test message for one channel, whatever the hour."""
    with _open(home) as con:
        event_id = _event(con, channel, "", "test", now, "If you can read this, the channel works.", link)
        _deliver(con, event_id, channel, "waiting", now)


def claim(home: Path, now: datetime, channel: str | None = None) -> Delivery | None:
    """Take over the next message that is due, for this sender alone; None when there is none."""
    with _open(home) as con:
        row = con.execute(
            """select delivery_id, channel, tries, event_id, event, rule, at, sentence, link
            from alert_deliveries join alert_events using (event_id)
            where status = 'waiting' and due_at <= ?1 and (claimed_until is null or claimed_until <= ?1)
                and (?2 is null or channel = ?2)
            order by due_at, delivery_id limit 1""",
            (now.isoformat(), channel),
        ).fetchone()
        if row is None:
            return None
        delivery_id, to, tries, event_id, event, rule, at, sentence, link = row
        con.execute(
            "update alert_deliveries set claimed_until = ?, tries = tries + 1 where delivery_id = ?",
            ((now + CLAIM).isoformat(), delivery_id),
        )
    return Delivery(delivery_id, to, tries + 1, Message(event_id, event, rule, _moment(at), sentence, link))


def record(home: Path, delivery: Delivery, error: str | None, now: datetime) -> None:
    """Enter what became of a try; a failed one is due again later, and at last has failed for good."""
    with _open(home) as con:
        if error is None:
            status, due_at = "sent", now
        elif delivery.tries > len(BACKOFF) or delivery.message.event == "test":
            status, due_at = "failed", now
        else:
            status, due_at = "waiting", now + timedelta(minutes=BACKOFF[delivery.tries - 1])
        con.execute(
            """update alert_deliveries set status = ?, due_at = ?, claimed_until = null, tried_at = ?, error = ?
            where delivery_id = ?""",
            (status, due_at.isoformat(), now.isoformat(), error, delivery.delivery_id),
        )


def standings(home: Path) -> list[Standing]:
    """Where every subject stands that is not simply fine, and the only subject of a rule that has one."""
    with _open(home, changes=False) as con:
        return _standings(con)


def looks(home: Path) -> dict[str, dict[str, Any]]:
    """For each rule: when it was last looked at (`looked_at`), what it saw (`value`), and what is wrong (`problem`)."""
    with _open(home, changes=False) as con:
        rows = con.execute("select rule, looked_at, value, problem from alert_looks").fetchall()
    return {rule: {"looked_at": _moment(at), "value": value, "problem": problem} for rule, at, value, problem in rows}


def history(home: Path, limit: int = 200) -> list[dict[str, Any]]:
    """What was told, the newest first: one row per event."""
    return _rows(
        home, "select at, rule, event, sentence from alert_events order by at desc, rowid desc limit ?", limit, "at"
    )


def deliveries(home: Path, limit: int = 200) -> list[dict[str, Any]]:
    """The delivery log, the newest first: one row per event and channel."""
    select = """select at, rule, event, channel, status, tries, tried_at, due_at, error
        from alert_deliveries join alert_events using (event_id) order by delivery_id desc limit ?"""
    return _rows(home, select, limit, "at", "tried_at", "due_at")


def _rows(home: Path, select: str, limit: int, *moments: str) -> list[dict[str, Any]]:
    with _open(home, changes=False) as con:
        found = con.execute(select, (limit,))
        names = [name for name, *_ in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return [row | {name: row[name] and _moment(row[name]) for name in moments} for row in rows]


def _is_newer(con: sqlite3.Connection, rule: str, now: datetime) -> bool:
    last = con.execute("select looked_at from alert_looks where rule = ?", (rule,)).fetchone()
    return last is None or _moment(last[0]) < now


def _looked(con: sqlite3.Connection, rule: str, now: datetime, value: str, problem: str | None) -> None:
    con.execute("replace into alert_looks values (?, ?, ?, ?)", (rule, now.isoformat(), value, problem))


def _standings(con: sqlite3.Connection, rule: str | None = None) -> list[Standing]:
    rows = con.execute(
        """select rule, subject, status, since, told_level, told_at, value, sentence, link from alert_states
        where ?1 is null or rule = ?1 order by rule, subject""",
        (rule,),
    ).fetchall()
    return [
        Standing(name, subject, State(status, _moment(since), level, at and _moment(at)), value, sentence, link)
        for name, subject, status, since, level, at, value, sentence, link in rows
    ]


def _meant(alert: Alert, seen: Seen) -> Seen:
    """What a rule makes of what was seen: it may take missing data for good or bad news."""
    if seen != "no data" or alert.no_data == "wait":
        return seen
    return "firing" if alert.no_data == "fire" else "ok"


def _keep(con: sqlite3.Connection, rule: str, reading: Reading, state: State) -> None:
    """Remember a state; that one of many subjects is fine needs no remembering."""
    if state.status == "ok" and reading.subject:
        con.execute("delete from alert_states where rule = ? and subject = ?", (rule, reading.subject))
        return
    con.execute(
        "replace into alert_states values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            rule, reading.subject, state.status, state.since.isoformat(), state.told_level,
            state.told_at and state.told_at.isoformat(), reading.value, reading.sentence, reading.link,
        ),
    )  # fmt: skip


def _tell(con: sqlite3.Connection, alert: Alert, rules: Rules, reading: Reading, event: Event, now: datetime) -> None:
    said = f"{reading.sentence} {alert.note}".strip()
    event_id = _event(con, alert.name, reading.subject, event, now, said, rules.base_url + reading.link)
    due_at = alert.quiet.over_at(now, alert.filters.zone) if alert.quiet else now
    is_kept = due_at > now and alert.in_quiet == "keep"
    for channel in alert.channels:
        _deliver(con, event_id, channel, "kept" if is_kept else "waiting", due_at)


def _event(con: sqlite3.Connection, rule: str, subject: str, event: str, now: datetime, said: str, link: str) -> str:
    event_id = f"evt_{secrets.token_hex(12)}"
    con.execute(
        "insert into alert_events values (?, ?, ?, ?, ?, ?, ?)",
        (event_id, rule, subject, event, now.isoformat(), said, link),
    )
    return event_id


def _deliver(con: sqlite3.Connection, event_id: str, channel: str, status: str, due_at: datetime) -> None:
    con.execute(
        "insert into alert_deliveries values (null, ?, ?, ?, ?, 0, null, null, null)",
        (event_id, channel, status, due_at.isoformat()),
    )


def _summary(look: Look) -> str:
    """One reading in its own words; of several, how many fire."""
    if len(look.readings) == 1:
        return look.readings[0].value
    firing = sum(reading.seen == "firing" for reading in look.readings)
    return f"{firing:,} of {len(look.readings):,} firing" if look.readings else "nothing out of line"


def _moment(said: str) -> datetime:
    return datetime.fromisoformat(said)


def summary(is_enabled: bool, standings: list[Standing], look: dict[str, Any] | None) -> str:
    """A rule's state in one word or two: the worst of its subjects'."""
    if not is_enabled:
        return "off"
    if not look:
        return "not looked at yet"
    if look["problem"]:
        return "fault"
    found = {of.state.status for of in standings}
    return next((status for status in ("firing", "pending", "no data") if status in found), "ok")
