"""How near the estimates of prompt caching come to caches whose truth is known: `python -m benchmarks.prefix_caches`.

A cache of prefixes as the API describes it: an entry is readable once the first answer has begun, each use keeps it for
another five minutes or hour, and one in a hundred entries is lost early.
"""

import argparse
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Any

import duckdb
import pyarrow as pa

from ingest import store
from ingest.reader import NO_ATTEMPTS
from queries import Filters, create_views, read
from queries.advice import caching

MONDAY = datetime(2026, 9, 7)
LIFETIMES = {"5m": 300.0, "1h": 3600.0}
PRICES = {"5m": 1.25, "1h": 2.0, "read": 0.1}  # of uncached input: Sonnet 5
TOKEN_USD = 2e-6
NEARLY = 0.001  # of the input spend: two lifetimes that lie no further apart are both right
ARRIVALS = ("steady", "office", "bursts", "sparse", "jobs")


@dataclass
class Case:
    """One workload: its calls (seconds, prompt tokens, session) and what was truly read, in tokens by lifetime."""

    name: str
    prefix: int
    calls: list[tuple[float, int, str | None]] = field(default_factory=list)
    read: dict[str, list[int]] = field(default_factory=lambda: {lifetime: [] for lifetime in LIFETIMES})
    written: dict[str, list[int]] = field(default_factory=lambda: {lifetime: [] for lifetime in LIFETIMES})

    def saving(self, lifetime: str) -> float:
        """True saving, in prices of an uncached token."""
        reads, writes = sum(self.read[lifetime]), sum(self.written[lifetime])
        return reads * (1 - PRICES["read"]) - writes * (PRICES[lifetime] - 1)

    @property
    def input(self) -> int:
        """All prompt tokens: what the input cost uncached, in prices of a token."""
        return sum(tokens for _, tokens, _ in self.calls)


class Cache:
    """Entries by what they are the prefix of: until when each lives, and from when it can be read."""

    def __init__(self, lifetime: float, draw: random.Random) -> None:
        self._lifetime, self._draw = lifetime, draw
        self._entries: dict[Any, tuple[float, float]] = {}

    def use(self, key: Any, at: float, begins_after: float) -> bool:
        """Was the entry there? It is kept from now on; one that is written can be read when the answer begins."""
        readable_at, until = self._entries.get(key, (0.0, -1.0))
        is_there = at <= until and self._draw.random() >= 0.01
        self._entries[key] = (readable_at if is_there else at + begins_after, at + self._lifetime)
        return is_there and at >= readable_at


def shared(arrival: str, seed: int) -> Case:
    """A feature whose calls begin with the same prefix and go on with something of their own."""
    draw = random.Random(f"{arrival} {seed}")
    prefix = draw.choice([1_500, 3_000, 6_000, 12_000])
    case = Case(f"{arrival} {seed}", prefix)
    moments = sorted(_moments(arrival, draw))
    own = [prefix + int(draw.lognormvariate(6.5, 1)) for _ in moments]
    case.calls = [(at, tokens, None) for at, tokens in zip(moments, own, strict=True)]
    for lifetime, seconds in LIFETIMES.items():
        cache, chance = Cache(seconds, draw), random.Random(f"{arrival} {seed} begins")
        for at in moments:
            is_hit = cache.use("prefix", at, chance.uniform(0.5, 3))
            case.read[lifetime].append(prefix if is_hit else 0)
            case.written[lifetime].append(0 if is_hit else prefix)
    return case


def _moments(arrival: str, draw: random.Random) -> Iterator[float]:
    days, hourly = 14, draw.choice([1, 2, 4, 8, 20, 60])
    for day in range(days):
        start = day * 86_400.0
        match arrival:
            case "steady":
                yield from (start + draw.uniform(0, 86_400) for _ in range(24 * hourly))
            case "office":
                if day % 7 < 5:
                    yield from (start + 3600 * draw.gauss(13, 2.5) for _ in range(9 * hourly))
            case "bursts":
                for _ in range(max(1, hourly // 2)):
                    begins = start + draw.uniform(0, 80_000)
                    yield from (begins + draw.uniform(0, 400) for _ in range(draw.randint(2, 15)))
            case "sparse":
                yield from (start + draw.uniform(0, 86_400) for _ in range(draw.randint(1, 12)))
            case "jobs":  # twenty workers begin at once, and go on one call after another
                for _ in range(20):
                    at = start + 7200 + draw.uniform(0, 1)
                    for _ in range(hourly // 4 + 2):
                        yield at
                        at += draw.uniform(2, 20)


def conversation(seed: int) -> Case:
    """A conversation whose every prompt repeats the one before, now and then compacted to a summary."""
    draw = random.Random(f"conversation {seed}")
    system = draw.choice([2_000, 8_000, 15_000])
    case = Case(f"conversation {seed}", system)
    at, pieces = draw.uniform(0, 10) * 86_400, [("system", system)]
    prompts: list[tuple[float, list[tuple[str, int]]]] = []
    for number in range(draw.randint(2, 60)):
        pieces = [*pieces, _turn(draw, number)]
        if sum(size for _, size in pieces) > 120_000:  # compaction
            pieces = [pieces[0], (f"summary {number}", 3_000)]
        prompts.append((at, pieces))
        at += draw.choice([draw.uniform(4, 60)] * 12 + [draw.uniform(60, 280)] * 5 + [draw.uniform(400, 5_000)] * 3)
        if draw.random() < 0.01:  # a sub-agent: the same system prompt, a task of its own
            task = [pieces[0]]
            for step in range(draw.randint(3, 8)):
                task = [*task, _turn(draw, 1_000 * number + step)]
                prompts.append((at, task))
                at += draw.uniform(4, 30)
    for moment, said in prompts:
        case.calls.append((moment, sum(size for _, size in said), f"s{seed}"))
    for lifetime, seconds in LIFETIMES.items():
        kept: dict[tuple[str, ...], float] = {}  # every prompt is an entry, and so is the system prompt
        for moment, said in prompts:
            names = tuple(name for name, _ in said)
            ends = [length for length in range(1, len(names) + 1) if kept.get(names[:length], -1.0) >= moment]
            longest = max(ends, default=0)
            for length in (1, longest, len(names)):
                kept[names[:length]] = moment + seconds
            reads = sum(size for _, size in said[:longest])
            case.read[lifetime].append(reads)
            case.written[lifetime].append(sum(size for _, size in said) - reads)
    return case


def _turn(draw: random.Random, number: int) -> tuple[str, int]:
    return f"turn {number}", int(draw.lognormvariate(6.5, 1.2)) + 20


def log_of(cases: list[Case]) -> duckdb.DuckDBPyConnection:
    """The calls of these workloads as a log that caches nothing, each under a feature of its own."""
    con = duckdb.connect()
    con.execute("attach ':memory:' as store")
    store.create_tables(con)
    rows = [(case.name, at, tokens, session) for case in cases for at, tokens, session in case.calls]
    names, moments, sizes, sessions = zip(*rows, strict=True)
    con.register("calls", pa.table({
        "feature": names, "started_at": [MONDAY + timedelta(seconds=at) for at in moments],
        "uncached_input_tokens": sizes, "session_id": pa.array(sessions, pa.string()),
    }))  # fmt: skip
    given = ("feature", "started_at", "uncached_input_tokens", "session_id")
    fixed = {
        "attempt_id": "'a' || row_number() over ()",
        "model_raw": "'claude-sonnet-5'",
        "output_tokens": "100",
        "stop_reason": "'end_turn'",
    }
    columns = [name if name in given else f"{fixed.get(name, 'null')} as {name}" for name in NO_ATTEMPTS.schema.names]
    con.execute(f"insert into store.attempts by name select {', '.join(columns)} from calls")
    con.execute("insert into store.model_names values ('claude-sonnet-5')")
    create_views(con)
    return con


def errors_of_shared(cases: list[Case]) -> list[tuple[float, bool, bool]]:
    """For each case with advice: error of its saving as a share of input spend, is its lifetime right, does it cost."""
    con = log_of(cases)
    # One feature has one length, so workloads are asked about under the names of their features.
    found = caching.find(
        lambda view, filters: read(con, view, filters), Filters(), 14, {c.name: c.prefix for c in cases}
    )
    told = {measure.feature: measure for measure in found.measures}
    told_all = [(case, told.get(case.name)) for case in cases]
    dollar = 2e-6  # Sonnet 5: $2 a million
    errors = []
    for case, measure in told_all:
        best = max(LIFETIMES, key=case.saving)
        lifetime = measure.settings["lifetime"] if measure else best
        said = float(measure.saving_usd) / dollar if measure else max(0.0, min(case.saving(best), 0.0))
        truth = case.saving(lifetime) if measure else 0.0
        regret = case.saving(best) - case.saving(lifetime)
        is_bad = measure is not None and case.saving(lifetime) < 0
        errors.append(((said - truth) / case.input, regret <= 0.001 * case.input, is_bad))
    con.close()
    return errors


def errors_of_conversations(cases: list[Case]) -> dict[str, list[float]]:
    """By lifetime, for each conversation: what the estimate says of the share that hits, less the truth."""
    con = log_of(cases)
    rows = read(con, "advice_cache_sessions_by_workload_and_day", Filters()).to_pylist()
    con.close()
    errors: dict[str, list[float]] = {}
    for lifetime in LIFETIMES:
        said: dict[str, int] = {}
        for row in rows:
            said[row["feature"]] = said.get(row["feature"], 0) + row[f"read_{lifetime}_tokens"]
        errors[lifetime] = [(said[case.name] - sum(case.read[lifetime])) / case.input for case in cases]
    return errors


def run(each: int) -> None:
    """Print the errors over so many workloads of each arrival, and five times as many conversations."""
    print("\n| arrival | advised | error of saving, median | p95 | lifetime right | would have cost |")
    print("|---|---|---|---|---|---|")
    every = []
    for arrival in ARRIVALS:
        found = errors_of_shared([shared(arrival, seed) for seed in range(each)])
        every += found
        _print(arrival, found)
    _print("all", every)
    for lifetime, errors in errors_of_conversations([conversation(seed) for seed in range(5 * each)]).items():
        sizes = sorted(abs(error) for error in errors)
        within = sum(size <= 0.05 for size in sizes) / len(sizes)
        middle = f"{100 * median(sizes):.2f} points at the median"
        print(f"\nConversations, {lifetime}: error of the share that hits {middle}, {within:.1%} within 5 points")


def _print(name: str, found: list[tuple[float, bool, bool]]) -> None:
    sizes = sorted(abs(error) for error, _, _ in found)
    p95 = sizes[int(0.95 * len(sizes))]
    right, cost = (sum(of[place] for of in found) for place in (1, 2))
    print(f"| {name} | {len(found)} | {median(sizes):.2%} | {p95:.2%} | {right / len(found):.1%} | {cost} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.prefix_caches", description=__doc__)
    parser.add_argument("--each", type=int, default=100)
    run(parser.parse_args().each)
