"""Work that nobody waits for, and what the Batch API would save on it: half of every token's price.

People who wait are told from machines that do not by how the calls lie in time (`metrics.advice_batch_by_feature`).
Traffic of people is never advised to move: whatever looks like them in any way is left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from queries.advice.days import dollars, likely_range
from queries.advice.measure import Advised, Measure, changes, named

if TYPE_CHECKING:
    import pyarrow as pa

    from queries.filters import Filters

    Read = Callable[[str, Filters], pa.Table]

LEAST_CALLS = 100
LEAST_DAYS = 3
# Correlation with people's hours of the week beyond which traffic may be theirs; offices fit anything a little, because
# the hours that fit best are taken.
LIKE_PEOPLE = 0.5
LIKE_AN_OFFICE = 0.7
MOST_LATER_TURNS = 0.2  # a conversation cannot be sent as a batch: each call needs the answer before it


def find(read: Read, filters: Filters, length: int) -> Advised:
    """What could go through the Batch API, by feature. Level A: the pattern of a machine; C: ask the owner."""
    found = {row["feature"]: row for row in read("advice_batch_by_feature", filters).to_pylist()}
    reasons = {feature: reason for feature, row in found.items() if (reason := pattern(row))}
    if not reasons:
        return Advised.of([])
    theirs = replace(filters, features=tuple(sorted(reasons)))
    days: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for day in read("advice_batch_by_feature_and_day", theirs).to_pylist():
        days[day["feature"]].append(day)
    measures = [_measure(found[feature], reason, days[feature], length) for feature, reason in reasons.items()]
    worthwhile = tuple(measure for measure in measures if measure.saving_low_usd > 0 or measure.level == "C")
    attempts = read("advice_batch_attempts", theirs)
    return Advised(
        worthwhile,
        changes(attempts["attempt_id"], named(attempts["feature"], worthwhile, "feature"), is_batched=True),
    )


def pattern(row: Mapping[str, Any]) -> str:
    """The pattern of a machine in a row of `advice_batch_by_feature`: its name, or "" if people may be waiting.

    runs: most calls follow one another within seconds, and such runs take little of the time. slot: most lie in the
    same ten minutes of many hours. window: most lie in the same four hours, begin there at the same time every day, and
    the rest of the day is all but empty. flat: nobody is seen, but nothing shows either that nobody waits.
    """
    if row["calls"] < LEAST_CALLS or row["later_turn_rate"] > MOST_LATER_TURNS:
        return ""
    people, office = row["people_likeness"], row["office_likeness"]
    knows_people = people is not None
    is_like_people = people >= LIKE_PEOPLE if knows_people else office >= LIKE_AN_OFFICE
    if is_like_people or row["days"] < LEAST_DAYS:
        return ""
    # Where no call names its user, people can be dense enough to look like one long run, all day long.
    if row["run_rate"] >= 0.7 and row["run_time_rate"] <= (0.35 if knows_people else 0.15):
        return "runs"
    if row["slot_rate"] >= 0.6 and row["active_hour_rate"] >= 0.2:
        return "slot"
    starts_alike = row["start_spread_minutes"] < 45 and row["start_days"] >= 5
    if row["window_rate"] >= 0.8 and starts_alike and row["active_hour_rate"] <= 0.35:
        return "window"
    return "flat" if row["flat_rate"] >= 0.5 and max(people or 0, office) < 0.2 else ""


def _measure(row: Mapping[str, Any], reason: str, days: Sequence[Mapping[str, Any]], length: int) -> Measure:
    low, _ = likely_range([day["least_saving_pico"] for day in days], length)
    _, high = likely_range([day["saving_pico"] for day in days], length)
    saving = dollars(sum(day["saving_pico"] for day in days))
    is_certain = reason != "flat"
    said = ("answers may take up to 24 hours; most batches end within one",)
    return Measure(
        kind="batch_api",
        step="batch",
        feature=row["feature"],
        model=None,
        level="A" if is_certain else "C",
        spend_usd=row["cost_usd"],
        saving_low_usd=dollars(low if is_certain else 0),
        saving_usd=saving,
        saving_high_usd=max(saving, dollars(high)),
        assumptions=said if is_certain else (*said, "nobody waits for the answers: ask the owner"),
        evidence={"pattern": reason, **{name: row[name] for name in row if name not in ("feature", "cost_usd")}},
    )
