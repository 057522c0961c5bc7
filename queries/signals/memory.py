"""What one look at the data leaves behind, so that the next has to read and to judge only what is new."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from queries.filters import Filters
from queries.signals.judge import GRACE_DAYS, Verdict, floor_of, judge
from queries.signals.rules import Flag
from queries.signals.series import Series, lay_out
from queries.signals.slate import Slate
from queries.signals.spenders import costliest, spender_flags
from queries.signals.sums import Read, Sums, add_up

CALL_DAYS = 1  # a try belongs to the day on which its call began, at most so many days before

Loads = dict[tuple[str, datetime], datetime | None]


class Memory:
    """What is known of one question. Ask the same question with it again: the answer is the one a fresh look gives."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._loads: Loads = {}
        self._sums: Sums | None = None
        self._series: Series | None = None
        self._slate, self._flags = Slate(), list[Flag]()

    def look(self, read: Read, filters: Filters) -> tuple[Series, Verdict] | None:
        """Read and judge what is new since the last look. None when there is no data."""
        table = read("loads", filters)
        loads: Loads = {
            (row["load_id"], row["folded_at"]): row["first_started_at"]
            for row in table.select(["load_id", "folded_at", "first_started_at"]).to_pylist()
        }
        asked = replace(filters, since=self._since(loads, filters.zone))
        sums = add_up(read, asked)
        if asked.since and self._sums and sums:
            sums = self._sums.then(sums)
        elif asked.since:
            asked = filters
            sums = add_up(read, asked)
        if sums is None:
            return None
        series = lay_out(sums, _until(read, asked))
        slate, told = self._kept(series, asked.since)
        verdict = judge(series, slate, told)
        users = filters.users or costliest(sums)
        spenders = read("signal_user_hours", replace(filters, users=users)) if users else None
        self._loads, self._sums, self._series, self._slate, self._flags = loads, sums, series, slate, verdict.flags
        flags = spender_flags(spenders, series, floor_of(series), GRACE_DAYS) if spenders else []
        return series, replace(verdict, flags=verdict.flags + flags)

    def _since(self, loads: Loads, zone: str) -> date | None:
        """The first day on which rows may be other than they were; None if that may be any day."""
        if not self._loads or not self._sums or not self._loads.keys() <= loads.keys():
            return None
        new = [started for load, started in loads.items() if load not in self._loads]
        days = [_local(started, zone).date() - timedelta(days=CALL_DAYS) for started in new if started]
        if len(days) < len(new):
            return None
        since = min(days, default=self._sums.last_day)
        return since if since > self._sums.first_day else None

    def _kept(self, series: Series, since: date | None) -> tuple[Slate, list[Flag]]:
        """A slate for these series, and the flags, with what still holds of the last look's."""
        days, before = len(series.covered), self._series
        if before is None or since is None:
            return Slate(days), []
        first = min((since - series.first_day).days, before.whole_days)
        moved = (series.covered[:first] != before.covered[:first]).any(axis=1)
        first = int(moved.argmax()) if moved.any() else first
        place = {of: row for row, of in enumerate(series.slices)}
        rows = np.array([place[of] for of in before.slices])
        if (np.delete(series.born, rows) < first).any():  # a slice that was not looked at before has a past
            return Slate(days), []
        return Slate(days, first, rows, self._slate), self._flags


def _until(read: Read, filters: Filters) -> datetime | None:
    """The moment, on the reader's clock, up to which hours are over: the last attempt's, or its hour's end if near."""
    last = read("totals", filters).column("last_started_at")[0].as_py()
    if last is None:
        return None
    local = _local(last, filters.zone)
    hour = local.replace(minute=0, second=0, microsecond=0)
    return hour + timedelta(hours=1) if local.minute >= 50 else hour


def _local(moment: datetime, zone: str) -> datetime:
    """A UTC moment on the clock of a zone."""
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
