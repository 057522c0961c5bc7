"""Chance that falls the same way on every machine.

Only `random()` of the standard generator is promised never to change between Python versions, so every other draw
here is made from it.
"""

import math
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

T = TypeVar("T")

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class Dice:
    """A stream of draws named by its key: equal keys give equal draws, whatever else has been drawn."""

    def __init__(self, *key: object) -> None:
        """Open the stream that belongs to this key."""
        self._random = random.Random("/".join(str(part) for part in key)).random

    def chance(self, probability: float) -> bool:
        """Whether something of this probability happens now."""
        return self._random() < probability

    def between(self, low: float, high: float) -> float:
        """Any value of the range, all equally likely."""
        return low + (high - low) * self._random()

    def whole(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int((high - low + 1) * self._random())

    def gap(self, rate: float) -> float:
        """The time to the next of events that come independently, `rate` per unit of time."""
        return -math.log(1.0 - self._random()) / rate

    def log_normal(self, median: float, sigma: float) -> float:
        """A skewed positive value: half of the draws lie below the median, few lie far above it."""
        bell = sum(self._random() for _ in range(12)) - 6.0  # Irwin-Hall: additions alone, so no two machines differ
        return median * math.exp(sigma * bell)

    def pick(self, items: Sequence[T]) -> T:
        """One of the items, all equally likely."""
        return items[int(len(items) * self._random())]

    def weighted(self, items: Sequence[tuple[T, float]]) -> T:
        """One of the items, as likely as its weight says."""
        point = self._random() * sum(weight for _, weight in items)
        for item, weight in items:
            point -= weight
            if point < 0:
                return item
        return items[-1][0]

    def identifier(self, prefix: str, when: datetime) -> str:
        """An opaque id in the style of the API: the leading characters follow the clock, the rest is chance."""
        clock, text = int((when - datetime(2026, 1, 1)).total_seconds()), ""
        for _ in range(5):
            clock, digit = divmod(clock, len(ALPHABET))
            text = ALPHABET[digit] + text
        return prefix + "011C" + text + "".join(self.pick(ALPHABET) for _ in range(7))

    def uuid(self) -> str:
        """A random UUID of version 4."""
        digits = "".join("0123456789abcdef"[int(16 * self._random())] for _ in range(30))
        return f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-a{digits[15:18]}-{digits[18:30]}"


def to_millisecond(when: datetime) -> datetime:
    """The time as a log with three decimals shows it."""
    return when - timedelta(microseconds=when.microsecond % 1000)
