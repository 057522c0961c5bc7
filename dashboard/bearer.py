"""The words that machines say to be let in: exporters, and who scrapes metrics. Only their digests are ever on disk."""

import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

SHORTEST = 20  # characters of a token that is given by hand: fewer can be guessed


class NoToken(Exception):
    """There is nothing to compare with. The message says how to get it."""


@dataclass(frozen=True)
class Bearer:
    """A token for one purpose, made by `outlay NAME token` or given in an environment variable."""

    name: str
    variable: str

    def make(self, home: Path) -> str:
        """A new token, in place of any earlier one. It cannot be shown again: only its digest is kept."""
        token = secrets.token_urlsafe(32)
        path = self._path(home)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = path.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        unfinished.touch(mode=0o600)
        unfinished.write_text(_digest(token), encoding="ascii")
        unfinished.replace(path)
        return token

    def check(self, home: Path) -> None:
        """Raises NoToken if there is no token to compare with, or a weak one."""
        given = os.environ.get(self.variable)
        if given and len(given) < SHORTEST:
            raise NoToken(
                f"{self.variable} has fewer than {SHORTEST} characters; `outlay {self.name} token` makes a good one"
            )
        if not given and not self._path(home).exists():
            raise NoToken(f"there is no token yet: make one with `outlay {self.name} token`, or set {self.variable}")

    def allows(self, home: Path, authorization: str) -> bool:
        """Does this Authorization header carry the token? Compared by digest, in constant time."""
        given = os.environ.get(self.variable)
        try:
            wanted = _digest(given) if given else self._path(home).read_text(encoding="ascii")
        except FileNotFoundError:
            return False
        scheme, _, token = authorization.partition(" ")
        return secrets.compare_digest(_digest(token.strip()), wanted) and scheme.lower() == "bearer"

    def _path(self, home: Path) -> Path:
        return home / "keys" / f"{self.name}.sha256"


OTLP = Bearer("otlp", "OUTLAY_OTLP_TOKEN")
METRICS = Bearer("metrics", "OUTLAY_METRICS_TOKEN")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
