"""Shares: their state, who was let in, and everything that was done to them.

A link is known by the digest of its token alone, and so is a browser that was let in. Events are only ever added.
"""

import contextlib
import hashlib
import json
import secrets
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from dashboard.choices import choices
from dashboard.login.acting import require
from dashboard.login.users import Role
from dashboard.owner import filters_from, plain
from queries import Filters

State = Literal["open", "paused", "expired", "revoked"]
Event = Literal["made", "let in", "opened", "exported", "denied", "refreshed", "paused", "resumed", "revoked"]

DEFAULT_DAYS, MOST_DAYS = 30, 365
_TABLES = (
    """create table if not exists shares (
    share_id text primary key, token_digest text not null unique, name text not null, page text not null,
    filters text not null, switches text not null, compares integer not null, shows_users integer not null,
    password text, refresh text not null, made_at text not null, made_by text not null, expires_at text not null,
    is_paused integer not null default 0, revoked_at text, rendering text not null, rendered_at text not null
) strict""",
    """create table if not exists share_visitors (
    visitor_digest text primary key, share_id text not null, let_in_at text not null
) strict""",
    """create table if not exists share_events (
    event_id integer primary key, share_id text not null, at text not null, event text not null, by text not null,
    detail text not null
) strict""",
)
_COLUMNS = (
    "share_id, name, page, filters, switches, compares, shows_users, password, refresh, made_at, made_by, expires_at, "
    "is_paused, revoked_at, rendering, rendered_at"
)


class Refresh(StrEnum):
    """How often the files of a share are rendered anew."""

    NEVER = "never"
    DAILY = "daily"
    WEEKLY = "weekly"


REFRESH_DAYS = {Refresh.DAILY: 1, Refresh.WEEKLY: 7}


class NotShared(LookupError):
    """There is no such share. The message says how to see those there are."""


@dataclass(frozen=True)
class Scope:
    """What a share holds: a page as these filters and switches show it, with or without names of users."""

    page: str
    filters: Filters
    switches: dict[str, str]
    compares: bool = True
    shows_users: bool = False


@dataclass(frozen=True)
class Share:
    """One share. Times are UTC; rendering is the folder of its newest files below its own."""

    share_id: str
    name: str
    scope: Scope
    password: str | None
    refresh: Refresh
    made_at: datetime
    made_by: str
    expires_at: datetime
    is_paused: bool
    revoked_at: datetime | None
    rendering: str
    rendered_at: datetime

    def state(self, now: datetime) -> State:
        """Whether it opens, or why not."""
        if self.revoked_at:
            return "revoked"
        if now >= self.expires_at:
            return "expired"
        return "paused" if self.is_paused else "open"

    def is_due(self, now: datetime) -> bool:
        """Whether its files are to be rendered anew."""
        days = REFRESH_DAYS.get(self.refresh)
        return bool(days) and self.state(now) == "open" and now - self.rendered_at >= timedelta(days=days or 0)


@dataclass(frozen=True)
class Told:
    """One line of the audit trail. by: a person of ours, or the coarse class of a visitor's program."""

    at: datetime
    share_id: str
    event: str
    by: str
    detail: str


def prepare(home: Path) -> None:
    """Make what is missing, so that there is something to look up in."""
    with _open(home):
        pass


def utc_now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)


def digest(token: str) -> str:
    """What is kept of a token. It is long and random, so that a fast digest is as good as a slow one."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def add(
    home: Path, share_id: str, name: str, scope: Scope, *, by: str, expires_at: datetime, rendering: str,
    password: str | None = None, refresh: Refresh = Refresh.NEVER, now: datetime | None = None,
) -> str:  # fmt: skip
    """Keep a share whose files are on disk; returns the token of its link (256 bits), which cannot be shown again."""
    now, token = now or utc_now(), secrets.token_urlsafe(32)
    row = (
        share_id, name, scope.page, json.dumps(asdict(scope.filters), default=plain), json.dumps(scope.switches),
        scope.compares, scope.shows_users, password, refresh, now.isoformat(), by, expires_at.isoformat(), False, None,
        rendering, now.isoformat(), digest(token),
    )  # fmt: skip
    with _open(home) as con:
        con.execute(f"insert into shares ({_COLUMNS}, token_digest) values ({', '.join('?' * len(row))})", row)
        _tell(con, share_id, "made", by, "", now)
    return token


def shares(home: Path) -> tuple[Share, ...]:
    """All shares there ever were, the newest first."""
    with _open(home, changes=False) as con:
        rows = con.execute(f"select {_COLUMNS} from shares order by made_at desc, share_id").fetchall()
    return tuple(_share(row) for row in rows)


def share(home: Path, share_id: str) -> Share:
    """One share by its id. Raises NotShared."""
    with _open(home, changes=False) as con:
        row = con.execute(f"select {_COLUMNS} from shares where share_id = ?", (share_id,)).fetchone()
    if row is None:
        raise NotShared(f"no share is called {share_id!r}; `outlay shares list` has them all")
    return _share(row)


def by_token(home: Path, token: str) -> Share | None:
    """The share that a link's token names, whatever its state."""
    with _open(home, changes=False) as con:
        row = con.execute(f"select {_COLUMNS} from shares where token_digest = ?", (digest(token),)).fetchone()
    return row and _share(row)


def let_in(home: Path, share_id: str, by: str) -> str:
    """Let a browser in to one share; returns the word (256 bits) that it says from then on."""
    word, now = secrets.token_urlsafe(32), utc_now()
    with _open(home) as con:
        con.execute("insert into share_visitors values (?, ?, ?)", (digest(word), share_id, now.isoformat()))
        _tell(con, share_id, "let in", by, "", now)
    return word


def visited(home: Path, share_id: str, word: str, now: datetime | None = None) -> Share | None:
    """The share, if it is open and this word was given to a browser for this very share; None otherwise."""
    columns = ", ".join(f"shares.{name.strip()}" for name in _COLUMNS.split(","))
    # Asked by every open page every few seconds: it waits for no writer, and makes nothing.
    with contextlib.closing(sqlite3.connect(f"{(home / 'outlay.sqlite').as_uri()}?mode=ro", uri=True)) as con:
        row = con.execute(
            f"select {columns} from shares join share_visitors using (share_id) "
            "where share_id = ? and visitor_digest = ?",
            (share_id, digest(word)),
        ).fetchone()
    found = row and _share(row)
    return found if found and found.state(now or utc_now()) == "open" else None


def change(home: Path, share_id: str, event: Literal["paused", "resumed", "revoked"], by: str) -> None:
    """Pause, resume or revoke. What is revoked stays so, whatever follows.

    Raises NotShared, and NotAllowed: a share is changed by who made it, or by an admin.
    """
    user, found = require(Role.OPERATOR), share(home, share_id)
    if found.made_by != user.name:
        require(Role.ADMIN)
    now = utc_now()
    with _open(home) as con:
        if event == "revoked":
            con.execute(
                "update shares set revoked_at = coalesce(revoked_at, ?) where share_id = ?", (now.isoformat(), share_id)
            )
            con.execute("delete from share_visitors where share_id = ?", (share_id,))
        else:
            con.execute("update shares set is_paused = ? where share_id = ?", (event == "paused", share_id))
        _tell(con, share_id, event, by, "", now)


def pause_all(home: Path, by: str) -> list[str]:
    """Pause every share that is open, and forget all browsers that were let in; the names of those shares."""
    open_now = [share for share in shares(home) if share.state(utc_now()) == "open"]
    for share in open_now:
        change(home, share.share_id, "paused", by)
    with _open(home) as con:
        con.execute("delete from share_visitors")
    return [share.name for share in open_now]


def rendered(home: Path, share_id: str, rendering: str, now: datetime) -> None:
    """The files were rendered anew."""
    with _open(home) as con:
        con.execute(
            "update shares set rendering = ?, rendered_at = ? where share_id = ?",
            (rendering, now.isoformat(), share_id),
        )
        _tell(con, share_id, "refreshed", "schedule", "", now)


def tell(home: Path, share_id: str, event: Event, by: str, detail: str = "") -> None:
    """Add a line to the audit trail."""
    with _open(home) as con:
        _tell(con, share_id, event, by, detail, utc_now())


def tell_nothing(home: Path) -> None:
    """Take as long as `tell` and change nothing, so that nobody can tell by a clock which links there ever were."""
    with _open(home) as con:
        _tell(con, "", "denied", "", "", utc_now())
        con.execute("delete from share_events where share_id = ''")


def log(home: Path, share_id: str | None = None) -> tuple[Told, ...]:
    """The audit trail of one share or of all, the newest first."""
    with _open(home, changes=False) as con:
        rows = con.execute(
            "select at, share_id, event, by, detail from share_events where share_id = coalesce(?, share_id) "
            "order by event_id desc",
            (share_id,),
        ).fetchall()
    return tuple(Told(datetime.fromisoformat(at), *rest) for at, *rest in rows)


def opened(home: Path) -> dict[str, tuple[int, int, datetime]]:
    """For each share that was opened: how often, how often a file of it was taken, and when it was last opened."""
    with _open(home, changes=False) as con:
        rows = con.execute(
            "select share_id, sum(event = 'opened'), sum(event = 'exported'), max(at) from share_events "
            "where event in ('opened', 'exported') group by share_id"
        ).fetchall()
    return {share_id: (times, taken, datetime.fromisoformat(at)) for share_id, times, taken, at in rows}


@contextlib.contextmanager
def _open(home: Path, changes: bool = True) -> Iterator[sqlite3.Connection]:
    with choices(home, changes) as con:
        for table in _TABLES:
            con.execute(table)
        yield con


def _tell(con: sqlite3.Connection, share_id: str, event: Event, by: str, detail: str, at: datetime) -> None:
    con.execute(
        "insert into share_events values (null, ?, ?, ?, ?, ?)", (share_id, at.isoformat(), event, by[:200], detail)
    )


def _share(row: tuple[Any, ...]) -> Share:
    (
        share_id, name, page, filters, switches, compares, shows_users, password, refresh, made_at, made_by, expires_at,
        is_paused, revoked_at, rendering, rendered_at,
    ) = row  # fmt: skip
    moment = datetime.fromisoformat
    scope = Scope(page, filters_from(json.loads(filters)), json.loads(switches), bool(compares), bool(shows_users))
    return Share(
        share_id, name, scope, password, Refresh(refresh), moment(made_at), made_by, moment(expires_at),
        bool(is_paused), moment(revoked_at) if revoked_at else None, rendering, moment(rendered_at),
    )  # fmt: skip
