"""Passwords: only a slow, salted digest of each is kept (scrypt, RFC 7914), and guessing is made slow."""

import base64
import hashlib
import secrets
import threading
from collections import deque

SHORTEST = 10  # characters
# 16 MiB and some 50 ms a try: OWASP's figures for scrypt with r = 8 and p = 5 at this size.
COST, BLOCK, PARALLEL = 2**14, 8, 5
_one_at_a_time = threading.Lock()


class TooShort(ValueError):
    """A password that is guessed too soon. The message says how long it has to be."""


def digest(password: str) -> str:
    """What is kept of a password: salt and scrypt digest. Raises TooShort."""
    if len(password) < SHORTEST:
        raise TooShort(f"a password has at least {SHORTEST} characters")
    salt = secrets.token_bytes(16)
    return f"{_text(salt)}${_text(_scrypt(password, salt))}"


def matches(password: str, kept: str | None) -> bool:
    """Is this the password? It takes as long where there is none to compare with."""
    salt, _, wanted = (kept or "AAAA$").partition("$")
    seen = _scrypt(password, base64.b64decode(salt))
    return kept is not None and secrets.compare_digest(_text(seen), wanted)


class Tries:
    """How often something was tried lately, by whom; more than its share is refused unlooked at."""

    def __init__(self, *limits: tuple[int, float]) -> None:
        """`limits`: at most so many tries within so many seconds; all of them hold."""
        self._limits = limits
        self._seen: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def allow(self, who: str, now: float) -> bool:
        """Count one try of somebody at this moment (seconds of a clock that never goes back), if it is allowed."""
        with self._lock:
            longest = max(seconds for _, seconds in self._limits)
            for gone in [name for name, times in self._seen.items() if times[-1] <= now - longest]:
                del self._seen[gone]
            times = self._seen.get(who, deque())
            if any(sum(at > now - seconds for at in times) >= most for most, seconds in self._limits):
                return False
            times.append(now)
            while times[0] <= now - longest:
                times.popleft()
            self._seen[who] = times
            return True


def _scrypt(password: str, salt: bytes) -> bytes:
    with _one_at_a_time:  # a hundred at once would hold the memory of a hundred
        return hashlib.scrypt(password.encode(), salt=salt, n=COST, r=BLOCK, p=PARALLEL, maxmem=64 << 20, dklen=32)


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
