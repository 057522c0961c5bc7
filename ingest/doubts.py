"""What is taken as it stands in a log but looks wrong: nobody guesses, and the load says it.

Attempts over a day ahead of the clock are refused (attempt.sql); those a little ahead are taken, since clocks differ.
"""

import datetime as dt

import pyarrow as pa
import pyarrow.compute as pc

AHEAD = dt.timedelta(minutes=5)  # of this machine's clock
QUICKEST_MS = 200.0  # no model answers within it over a network
ANSWERS = 10  # so many of them have to be that quick, and none slower


class Doubts:
    """Gathers over the attempts of one load what is to be said of them."""

    def __init__(self, now: dt.datetime) -> None:
        """`now`: UTC, without a zone."""
        self._latest = now + AHEAD
        self._ahead = self._answers = 0
        self._slowest_ms = 0.0

    def look(self, attempts: pa.Table) -> None:
        """Look at some attempts: Arrow, the columns of `attempt.COLUMNS`."""
        is_ahead = pc.greater(attempts["started_at"], pa.scalar(self._latest, pa.timestamp("us")))
        self._ahead += pc.sum(is_ahead).as_py() or 0
        latencies = attempts["latency_ms"].filter(pc.greater(attempts["output_tokens"], 0)).drop_null()
        if len(latencies):
            self._answers += len(latencies)
            self._slowest_ms = max(self._slowest_ms, float(pc.max(latencies).as_py()))

    def notes(self) -> list[str]:
        """A sentence for each doubt."""
        notes = []
        if self._ahead:
            notes.append(
                f"requests ahead of this machine's clock (by up to a day): {self._ahead:,}; if the log leaves its time "
                "zone out, name it with --zone, otherwise set the clocks"
            )
        if self._answers >= ANSWERS and self._slowest_ms < QUICKEST_MS:
            notes.append(
                f"the slowest of {self._answers:,} answers took {self._slowest_ms:,.4g} ms, quicker than any model; if "
                'the log counts in seconds, read it with a column mapping that says latency_unit = "s"'
            )
        return notes
