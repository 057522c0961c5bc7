"""How often live data lands: at once when it is seldom, at most once a minute when it never stops.

Each landing is a folder in the archive and a transaction in the store, so a steady stream must not become one a second.
"""

import time
from collections import deque

LONGEST_PAUSE_SECONDS = 60.0
MEMORY_SECONDS = 3600.0


class Pace:
    """The pause after a landing is as many seconds as there were landings in the last hour, and at most a minute.

    So the first landings come within seconds, and a stream that never ends makes some 1,450 loads a day.
    """

    def __init__(self) -> None:
        """Nothing has landed yet."""
        self._landings: deque[float] = deque()

    def is_due(self) -> bool:
        """May the next load land?"""
        now = time.monotonic()
        while self._landings and self._landings[0] < now - MEMORY_SECONDS:
            self._landings.popleft()
        pause = min(float(len(self._landings)), LONGEST_PAUSE_SECONDS)
        return not self._landings or now - self._landings[-1] >= pause

    def landed(self) -> None:
        """A load has landed just now."""
        self._landings.append(time.monotonic())
