"""How long a load of 100,000 requests takes to be on the pages of a large store: parsed, folded, added up, asked.

The baseline is the same load into an empty store. New lines are of the last day; late ones lie all over the month
before.
"""

import itertools
import json
import random
import shutil
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import queries
from benchmarks.traffic import DAYS, FIRST, fill_store, log_lines, peak_megabytes
from dashboard.owner import Owner
from ingest.load import Loader

REQUESTS = 100_000
SPANS = {"new": (DAYS - 1, DAYS), "late": (DAYS - 31, DAYS - 1)}  # days since the first, in the order they are loaded


def run(requests: int, folder: Path) -> None:
    """Print the table for a store of so many requests. Each load stays in it: the next run finds as many more."""
    home = folder / f"home-{requests}"
    fill_store(home, requests)
    empty = folder / "empty"
    print(f"\nSeconds until {REQUESTS:,} requests more are on the pages of {requests:,}\n")
    print("| lines | acknowledged | folded | asked | in all | empty store, in all |\n|---|---|---|---|---|---|")
    for name, days in SPANS.items():
        log = folder / f"{name}.jsonl"
        took = _until_visible(home, log, days)
        shutil.rmtree(empty, ignore_errors=True)
        bare = sum(_until_visible(empty, log, days))
        print(f"| {name} | {' | '.join(f'{part:.2f}' for part in took)} | {sum(took):.2f} | {bare:.2f} |")
    print(f"\nPeak memory of the process: {peak_megabytes():,.0f} MB")


def _until_visible(home: Path, log: Path, days: tuple[int, int]) -> tuple[float, float, float]:
    with log.open("w", encoding="utf-8") as file:
        file.writelines(_lines(days))
    owner = Owner(home)
    moments = [time.perf_counter()]
    list(Loader(home).load_path(log))
    moments.append(time.perf_counter())
    owner.fold()
    moments.append(time.perf_counter())
    with owner.cursor() as cursor:
        queries.read(cursor, "totals")
        queries.read(cursor, "spend_by_day_and_feature")
    moments.append(time.perf_counter())
    owner.close()
    acknowledged, folded, asked = (after - before for before, after in itertools.pairwise(moments))
    return acknowledged, folded, asked


def _lines(days: tuple[int, int]) -> Iterator[str]:
    """Requests never seen before, at times of these days."""
    rng = random.Random()
    for line in log_lines(REQUESTS):
        record = json.loads(line)
        record["request_id"] = f"req_{rng.getrandbits(96):024x}"
        record["timestamp"] = (FIRST + timedelta(days=rng.uniform(*days))).isoformat(timespec="milliseconds") + "Z"
        yield json.dumps(record) + "\n"
