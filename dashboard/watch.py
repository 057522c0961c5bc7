"""A clock and a look at the memory, for SQL that people write: neither can be set as a limit of one question."""

import threading
import time

import duckdb

_LOOK_EVERY_SECONDS = 0.02


class Watch:
    """Interrupts a cursor that takes longer or more memory than it may; `why` says which."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, most_seconds: float, most_bytes: int) -> None:
        """most_bytes: how much more the engine may hold, in memory and spilled, than when the question began."""
        self._cursor, self._looking = cursor, cursor.cursor()
        self._most_seconds, self._most_bytes = most_seconds, most_bytes
        self._done = threading.Event()
        self.why = "it was stopped"
        self._thread = threading.Thread(target=self._look, name="outlay-watch", daemon=True)

    def __enter__(self) -> "Watch":
        self._ends_at, self._held = time.monotonic() + self._most_seconds, self._bytes()
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()
        self._looking.close()

    def _look(self) -> None:
        while not self._done.wait(_LOOK_EVERY_SECONDS):
            if time.monotonic() > self._ends_at:
                self.why = f"it was stopped after {self._most_seconds:g} seconds"
            elif self._bytes() - self._held > self._most_bytes:
                self.why = f"it was stopped: it took more than {self._most_bytes >> 20:,} MB of memory"
            else:
                continue
            self._cursor.interrupt()

    def _bytes(self) -> int:
        sums = "select sum(memory_usage_bytes + temporary_storage_bytes)::bigint from duckdb_memory()"
        [[held]] = self._looking.execute(sums).fetchall()
        return int(held or 0)
