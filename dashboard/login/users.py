"""The people who may come in, what each may do, and the browsers that are logged in.

A browser is known by the digest of its cookie. What is taken from a user ends at once, since it is looked up each time.
"""

import contextlib
import secrets
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from dashboard import passwords
from dashboard.choices import choices

LOGGED_IN_FOR = timedelta(hours=12)
_TABLES = (
    """create table if not exists users (
    name text primary key, role text not null, password text, made_at text not null
) strict""",
    """create table if not exists user_sessions (
    session_digest text primary key, name text not null, ends_at text not null
) strict""",
    """create table if not exists ended_logins (login_digest text primary key, forget_at text not null) strict""",
)


class Role(StrEnum):
    """What somebody may do; each may do what those before may."""

    VIEWER = "viewer"  # look at pages, take what is on them away
    OPERATOR = "operator"  # upload, settle signals, set budgets and alerts, share
    ADMIN = "admin"  # see and end the shares of others

    def may(self, role: "Role") -> bool:
        """Does this role hold that one?"""
        order = list(Role)
        return order.index(self) >= order.index(role)


@dataclass(frozen=True)
class User:
    """Somebody, as a proxy, a provider or their password names them."""

    name: str
    role: Role


class NoUser(LookupError):
    """There is no such user. The message says how to see those there are."""


def put(home: Path, name: str, role: Role, password: str | None = None) -> None:
    """Let somebody in, or change what they may do; without a password the one they have stays. Raises TooShort."""
    kept = password and passwords.digest(password)
    with _open(home) as con:
        con.execute(
            "insert into users values (?, ?, ?, ?) on conflict (name) do update set role = excluded.role, "
            "password = coalesce(excluded.password, password)",
            (_plain(name), role, kept or None, datetime.now(UTC).isoformat()),
        )
        if kept:
            con.execute("delete from user_sessions where name = ?", (_plain(name),))


def remove(home: Path, name: str) -> None:
    """Let somebody in no more; their browsers are out at once. Raises NoUser."""
    with _open(home) as con:
        con.execute("delete from user_sessions where name = ?", (_plain(name),))
        if not con.execute("delete from users where name = ?", (_plain(name),)).rowcount:
            raise NoUser(f"no user is called {name!r}; `outlay users list` has them all")


def users(home: Path) -> tuple[tuple[User, bool], ...]:
    """Everybody who may come in, by name, and whether they have a password."""
    with _open(home, changes=False) as con:
        rows = con.execute("select name, role, password is not null from users order by name").fetchall()
    return tuple((User(name, Role(role)), bool(has)) for name, role, has in rows)


def find(home: Path, name: str) -> User | None:
    """A user by name, whatever its case."""
    with _open(home, changes=False) as con:
        row = con.execute("select name, role from users where name = ?", (_plain(name),)).fetchone()
    return User(row[0], Role(row[1])) if row else None


def log_in(home: Path, name: str, password: str) -> str | None:
    """A word (256 bits) for the browser of whoever knows the password; None for all others, after as long a time."""
    with _open(home) as con:
        row = con.execute("select password from users where name = ?", (_plain(name),)).fetchone()
    if not passwords.matches(password, row[0] if row else None):
        return None
    word, now = secrets.token_urlsafe(32), datetime.now(UTC)
    with _open(home) as con:
        con.execute("delete from user_sessions where ends_at <= ?", (now.isoformat(),))
        ends_at = (now + LOGGED_IN_FOR).isoformat()
        con.execute("insert into user_sessions values (?, ?, ?)", (_digest(word), _plain(name), ends_at))
    return word


def log_out(home: Path, word: str) -> None:
    """Forget a browser."""
    with _open(home) as con:
        con.execute("delete from user_sessions where session_digest = ?", (_digest(word),))


def log_out_all(home: Path) -> None:
    """Forget every browser."""
    with _open(home) as con:
        con.execute("delete from user_sessions")


def logged_in(home: Path, word: str, now: datetime | None = None) -> User | None:
    """Whose browser says this word."""
    with _open(home, changes=False) as con:
        row = con.execute(
            "select name, role from users join user_sessions using (name) where session_digest = ? and ends_at > ?",
            (_digest(word), (now or datetime.now(UTC)).isoformat()),
        ).fetchone()
    return User(row[0], Role(row[1])) if row else None


def end(home: Path, word: str) -> None:
    """A login that a signed cookie proves is over, in whatever tab or hand the cookie still is."""
    now = datetime.now(UTC)
    with _open(home) as con:
        con.execute("delete from ended_logins where forget_at <= ?", (now.isoformat(),))
        con.execute(
            "insert or ignore into ended_logins values (?, ?)", (_digest(word), (now + LOGGED_IN_FOR).isoformat())
        )


def is_ended(home: Path, word: str) -> bool:
    """Was this login ended?"""
    with _open(home, changes=False) as con:
        return con.execute("select 1 from ended_logins where login_digest = ?", (_digest(word),)).fetchone() is not None


@contextlib.contextmanager
def _open(home: Path, changes: bool = True) -> Iterator[sqlite3.Connection]:
    with choices(home, changes) as con:
        for table in _TABLES:
            con.execute(table)
        yield con


def _plain(name: str) -> str:
    return name.strip().casefold()


def _digest(word: str) -> str:
    return sha256(word.encode("utf-8", "surrogatepass")).hexdigest()
