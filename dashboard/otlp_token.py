"""The word that an exporter says to be let in. Only its digest is ever on disk."""

import hashlib
import os
import secrets
from pathlib import Path

SHORTEST = 20  # characters of a token that is given by hand: fewer can be guessed


class NoToken(Exception):
    """There is nothing to compare with. The message says how to get it."""


def make(home: Path) -> str:
    """A new token, in place of any earlier one. It cannot be shown again: only its digest is kept."""
    token = secrets.token_urlsafe(32)
    path = _path(home)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_text(_digest(token), encoding="ascii")
    unfinished.replace(path)
    return token


def check(home: Path) -> None:
    """Raises NoToken if there is no token to compare with, or a weak one."""
    given = os.environ.get("OUTLAY_OTLP_TOKEN")
    if given and len(given) < SHORTEST:
        raise NoToken(f"OUTLAY_OTLP_TOKEN has fewer than {SHORTEST} characters; `outlay otlp token` makes a good one")
    if not given and not _path(home).exists():
        raise NoToken("there is no token yet: make one with `outlay otlp token`, or set OUTLAY_OTLP_TOKEN")


def allows(home: Path, authorization: str) -> bool:
    """Does this Authorization header carry the token? Compared by digest, in constant time."""
    given = os.environ.get("OUTLAY_OTLP_TOKEN")
    try:
        wanted = _digest(given) if given else _path(home).read_text(encoding="ascii")
    except FileNotFoundError:
        return False
    scheme, _, token = authorization.partition(" ")
    return secrets.compare_digest(_digest(token.strip()), wanted) and scheme.lower() == "bearer"


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _path(home: Path) -> Path:
    return home / "keys" / "otlp.sha256"
