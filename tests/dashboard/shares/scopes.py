"""Generated scopes, and what a share of each would hold: `python -m tests.dashboard.shares.scopes --cases 10000`.

What lies inside is worked out in plain Python from the log's own lines; a row that is over, or one that is missing, or
that holds more or less than it should, is told.
"""

import argparse
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.owner import Owner
from queries import Filters
from tests.dashboard import traffic
from tests.ingest.loading import load

KINDS = ("feature", "model", "user", "team", "environment")
BY = (*KINDS, "day")
COLUMN = {"user": "user_id"}
NOBODY = "(unattributed)"
ZONES = ("UTC", "Asia/Kolkata", "America/New_York")


def values(owner: Owner) -> dict[str, list[str]]:
    """The names there are, by kind."""
    return {
        kind: [name for name in owner.read(f"spend_by_{kind}", Filters())[COLUMN.get(kind, kind)].to_pylist()
               if name != NOBODY]
        for kind in KINDS
    }  # fmt: skip


def cases(count: int, names: dict[str, list[str]]) -> Iterator[Filters]:
    """Any period, any of the values there are and some that there are not; the same ones every time."""
    dice = random.Random(6)
    for _ in range(count):
        first = date(2026, 11, 1) + timedelta(days=dice.randrange(-20, 25))
        days = (first, first + timedelta(days=dice.randrange(30))) if dice.random() < 0.8 else (None, None)
        chosen = {
            f"{kind}s": tuple(dice.sample([*there, "nobody", "' or 1=1 --"], dice.randrange(1, 4)))
            for kind, there in names.items()
            if dice.random() < 0.3
        }
        yield Filters(*days, dice.choice(ZONES), **chosen)


def calls(owner: Owner) -> list[dict[str, Any]]:
    """Every call, with its names and when it began."""
    columns = ", ".join(COLUMN.get(kind, kind) for kind in KINDS)
    rows: list[dict[str, Any]] = owner.query(f"select started_at, {columns} from facts.calls").to_pylist()
    return rows


def wrong(owner: Owner, known: list[dict[str, Any]], filters: Filters, by: str) -> tuple[str, int]:
    """What the rows of one scope, by one of BY, hold that they should not, or lack; and how many rows."""
    column = COLUMN.get(by, by)
    inside = [call | {"day": _day(filters, call)} for call in known if _holds(filters, call)]
    wanted = Counter(call[column] or NOBODY for call in inside)
    table = owner.read(f"spend_by_{by}", filters)
    got = dict(zip(table[column].to_pylist(), table["calls"].to_pylist(), strict=True))
    is_right = {name: count for name, count in got.items() if count} == dict(wanted)
    return "" if is_right else f"{filters} by {by}: {got} instead of {dict(wanted)}", len(got)


def _holds(filters: Filters, call: dict[str, Any]) -> bool:
    day = _day(filters, call)
    named = all(not (asked := getattr(filters, f"{kind}s")) or call[COLUMN.get(kind, kind)] in asked for kind in KINDS)
    return named and (filters.since is None or filters.since <= day <= (filters.until or day))


def _day(filters: Filters, call: dict[str, Any]) -> date:
    moment = call["started_at"].replace(tzinfo=ZoneInfo("UTC"))
    day: date = moment.astimezone(ZoneInfo(filters.zone)).date()
    return day


def main() -> None:
    """Try so many cases, and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    count, began = parser.parse_args().cases, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        load(home, traffic.lines(), name="app.jsonl")
        owner = Owner(home)
        owner.fold()
        known, found, rows, empty = calls(owner), list[str](), 0, 0
        for number, filters in enumerate(cases(count, values(owner))):
            told, seen = wrong(owner, known, filters, BY[number % len(BY)])
            found, rows, empty = found + [told] * bool(told), rows + seen, empty + (seen == 0)
        owner.close()
    print(f"{count:,} scopes ({empty:,} of them empty), {rows:,} rows looked at in {time.monotonic() - began:.0f} s, ")
    print(f"{len(found)} of them outside of their scope, missing or wrong", *found[:5], sep="\n")
    raise SystemExit(bool(found))


if __name__ == "__main__":
    main()
