"""What prompt caching would save where nothing is cached, and what another lifetime would save where something is.

Hits follow from the times of calls alone: every use keeps an entry for another five minutes, or hour. How long the
shared part of the prompt is, counts do not tell, except within a conversation (each prompt repeats the one before) and
where the recorder logs it or somebody gives it. Where it is not known the shortest prompt bounds it: that is "up to",
level C.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from queries.advice.days import dollars, likely_range
from queries.advice.measure import Advised, Level, Measure, changes

if TYPE_CHECKING:
    import pyarrow as pa

    from queries.filters import Filters

    Read = Callable[[str, Filters], pa.Table]

    Days = list[dict[str, Any]]

LIFETIMES = {"5m": "5 minutes", "1h": "1 hour"}
MOST_CACHED = 0.02  # of a workload's prompt tokens: with more it caches already
LEAST_IN_SESSIONS = 0.8  # of its calls belong to conversations, and as many as this follow another:
LEAST_LATER_TURNS = 0.5
CHARS_PER_TOKEN = 4  # English prose has some 3 to 4: a prefix is rather longer than this makes it
MIN_TOKENS = 4_096  # shortest prompt that is cached, where a model's is not known: the longest of all models


@dataclass(frozen=True)
class _Prefix:
    """How long the shared part of a workload's prompts is, in tokens, and how that is known."""

    tokens: int
    level: Level
    source: str


def find(read: Read, filters: Filters, length: int, prefixes: Mapping[str, int] | None = None) -> Advised:
    """What to cache, or to cache for longer or shorter. `prefixes`: lengths somebody gave, in tokens by feature."""
    return Advised.of([_uncached(read, filters, length, prefixes or {}), _lifetimes(read, filters, length)])


def _uncached(read: Read, filters: Filters, length: int, given: Mapping[str, int]) -> Advised:
    sessions = _by_workload(read("advice_cache_sessions_by_workload_and_day", filters))
    parts = []
    for (feature, model), days in _by_workload(read("advice_cache_by_workload_and_day", filters)).items():
        if _sum(days, "cached_tokens") > MOST_CACHED * _sum(days, "input_tokens"):
            continue
        alone = replace(filters, features=(feature,), models=(model,))
        turns = sessions.get((feature, model), [])
        if _is_conversation(days, turns):
            parts.append(_conversation(read, alone, days, turns, length))
        elif (prefix := _prefix(days, given.get(feature))).tokens >= _least(days):
            parts.append(_shared(read, alone, days, prefix, length))
    return Advised.of(part for part in parts if part.measures)


def _is_conversation(days: Days, turns: Days) -> bool:
    in_sessions = _sum(turns, "calls")
    return in_sessions >= LEAST_IN_SESSIONS * _sum(days, "calls") and (
        _sum(turns, "later_turns") >= LEAST_LATER_TURNS * in_sessions > 0
    )


def _conversation(read: Read, alone: Filters, days: Days, turns: Days, length: int) -> Advised:
    """Cache every prompt of a conversation, for the lifetime that saves more."""
    import pyarrow as pa

    lifetime = _better(turns)
    measure = _measure(
        "cache_conversation", alone, "A", days, [day[f"saving_{lifetime}_pico"] for day in turns], length, lifetime,
        {"prefix_source": "the prompt before", "cache_hit_rate": _share(turns, f"read_{lifetime}_tokens", days)},
    )  # fmt: skip
    if not _pays(measure):
        return Advised.of([])
    attempts = read("advice_cache_session_attempts", alone)
    moved = {"read_tokens": attempts[f"read_{lifetime}_tokens"]}
    moved[f"write_{lifetime}_tokens"] = attempts[f"written_{lifetime}_tokens"]
    ids = pa.repeat(measure.measure_id, len(attempts))
    return Advised((measure,), changes(attempts["attempt_id"], ids, **moved))


def _prefix(days: Days, given: int | None) -> _Prefix:
    if given:
        return _Prefix(given, "B", "given")
    chars = [day["fewest_prefix_chars"] for day in days]
    if all(chars):
        return _Prefix(min(chars) // CHARS_PER_TOKEN, "B", "recorder")
    return _Prefix(min(day["fewest_tokens"] for day in days), "C", "shortest prompt")


def _shared(read: Read, alone: Filters, days: Days, prefix: _Prefix, length: int) -> Advised:
    """Cache the part that all prompts of a workload begin with, for the lifetime that saves more."""
    import pyarrow as pa
    import pyarrow.compute as pc

    lifetime = _better(days)
    if _sum(days, f"saving_{lifetime}_pico") <= 0:
        return Advised.of([])
    attempts = read("advice_cache_attempts", alone)
    attempts = attempts.filter(pc.field("uncached_input_tokens") >= prefix.tokens)
    hits = attempts[f"is_hit_{lifetime}"]
    reads = pc.if_else(hits, pa.scalar(prefix.tokens, pa.int64()), pa.scalar(0, pa.int64()))
    writes = pc.subtract(pa.scalar(prefix.tokens, pa.int64()), reads)
    saved = pc.subtract(
        pc.multiply(reads, pc.subtract(attempts["input_pico"], attempts["cache_read_pico"])),
        pc.multiply(writes, pc.subtract(attempts[f"cache_write_{lifetime}_pico"], attempts["input_pico"])),
    )
    table = attempts.append_column("saving_pico", saved).group_by("day").aggregate([("saving_pico", "sum")])
    measure = _measure(
        "cache_prefix", alone, prefix.level, days, table["saving_pico_sum"].to_pylist(), length, lifetime,
        {"prefix_tokens": prefix.tokens, "prefix_source": prefix.source,
         "hit_rate": _share(days, f"hits_{lifetime}", days, "calls")},
    )  # fmt: skip
    if not _pays(measure):
        return Advised.of([])
    moved = {"read_tokens": reads, f"write_{lifetime}_tokens": writes}
    return Advised((measure,), changes(attempts["attempt_id"], pa.repeat(measure.measure_id, len(attempts)), **moved))


def _lifetimes(read: Read, filters: Filters, length: int) -> Advised:
    """Where something is cached: the other lifetime, where it would have saved."""
    import pyarrow as pa
    import pyarrow.compute as pc

    better = [row for row in read("cache_by_workload", filters).to_pylist() if row["other_lifetime_saving_usd"] > 0]
    if not better:
        return Advised.of([])
    features = tuple(sorted({row["feature"] for row in better}))
    attempts = read("advice_cache_lifetime_attempts", replace(filters, features=features))
    parts = []
    for row in better:
        lifetime = "1h" if row["other_lifetime"] == LIFETIMES["1h"] else "5m"
        is_its = (pc.field("feature") == row["feature"]) & (pc.field("model") == row["model"])
        its = attempts.filter(is_its)
        saved = its.group_by("day").aggregate([(f"to_{lifetime}_saving_pico", "sum")])
        days = [{"cost_pico": int(row["cost_usd"].scaleb(12)), "calls": row["calls"], "min_cacheable_tokens": 0}]
        evidence = {name: row[name] for name in ("cached_hit_rate", "break_even_rate", "unread_write_tokens")}
        measure = _measure(
            "cache_lifetime", replace(filters, features=(row["feature"],), models=(row["model"],)), "A", days,
            saved[f"to_{lifetime}_saving_pico_sum"].to_pylist(), length, lifetime,
            {"lifetime": row["lifetime"], **evidence},
        )  # fmt: skip
        if _pays(measure):
            moved = {f"{pile}_tokens": its[f"to_{lifetime}_{pile}_tokens"] for pile in ("read", "write_5m", "write_1h")}
            ids = pa.repeat(measure.measure_id, len(its))
            parts.append(Advised((measure,), changes(its["attempt_id"], ids, **moved)))
    return Advised.of(parts)


def _pays(measure: Measure) -> bool:
    """Is it worth a word: never where it would have cost more, nor where it is known and could as well have."""
    return measure.saving_usd > 0 and (measure.level == "C" or measure.saving_low_usd > 0)


def _measure(
    kind: str,
    alone: Filters,
    level: Level,
    days: Days,
    savings: Sequence[int],
    length: int,
    lifetime: str,
    evidence: Mapping[str, Any],
) -> Measure:
    low, high = likely_range(savings, length)
    assumptions = [f"an entry is kept for {LIFETIMES[lifetime]} after each use; up to 1 % are lost earlier"]
    if all(day["min_cacheable_tokens"] is None for day in days):
        assumptions.append(f"the model caches prompts from {MIN_TOKENS:,} tokens on: its minimum is not known")
    if evidence.get("prefix_source") == "shortest prompt":
        assumptions.append("all prompts begin with the same text, as long as the shortest of them")
    if evidence.get("prefix_source") == "recorder":
        assumptions.append(f"{CHARS_PER_TOKEN} characters of the prefix are a token")
    return Measure(
        kind=kind,
        step="cache",
        feature=alone.features[0],
        model=alone.models[0],
        level=level,
        spend_usd=dollars(_sum(days, "cost_pico")),
        saving_low_usd=dollars(0 if level == "C" else min(low, sum(savings))),
        saving_usd=dollars(sum(savings)),
        saving_high_usd=dollars(max(high, sum(savings))),
        assumptions=tuple(assumptions),
        evidence={"calls": _sum(days, "calls"), **evidence},
        settings={"lifetime": lifetime},
    )


def _better(days: Days) -> str:
    return "1h" if _sum(days, "saving_1h_pico") > _sum(days, "saving_5m_pico") else "5m"


def _least(days: Days) -> int:
    known = [day["min_cacheable_tokens"] for day in days if day["min_cacheable_tokens"]]
    return max(known) if known else MIN_TOKENS


def _by_workload(rows: pa.Table) -> dict[tuple[str, str], Days]:
    found: dict[tuple[str, str], Days] = defaultdict(list)
    for row in rows.to_pylist():
        found[row["feature"], row["model"]].append(row)
    return found


def _sum(days: Days, column: str) -> int:
    return sum(int(day[column]) for day in days)


def _share(days: Days, column: str, whole: Days, of: str = "input_tokens") -> float:
    return _sum(days, column) / _sum(whole, of) if _sum(whole, of) else 0.0
