"""Paid calls that gave nothing that was used: failures that were billed, cut answers asked again, repeats, refusals.

Which calls these are is told by `focus.wasted_attempts`; each is counted once, under the first kind that fits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from queries.advice.days import dollars, likely_range
from queries.advice.measure import Advised, Level, Measure, changes, named

if TYPE_CHECKING:
    import pyarrow as pa

    from queries.filters import Filters

    Read = Callable[[str, Filters], pa.Table]

# Each kind of waste: what to do about it, how sure it is, how many of 100 such calls are surely of this kind, and what
# was taken for granted. The share of pairs that are right was simulated (methods: 97 with 40 users, 86 with five).
_KINDS: dict[str, tuple[str, Level, int, str]] = {
    "failed": ("stop_failures", "A", 100, "they failed, and were billed for the tokens they report"),
    "asked_again": (
        "raise_ceiling",
        "A",
        86,
        "asked again within three minutes: 86 to 97 % of such pairs are right",
    ),
    "refused": ("avoid_refusals", "C", 0, "not every refusal can be foreseen"),
    "repeated": ("stop_repeats", "C", 0, "a prompt of the same length right after its answer is the same request"),
}


def find(read: Read, filters: Filters, length: int) -> Advised:
    """What paid calls that gave nothing cost, by kind and feature."""
    import pyarrow.compute as pc

    days: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for day in read("advice_waste_by_feature_and_day", filters).to_pylist():
        days[day["waste"], day["feature"]].append(day)
    if not days:
        return Advised.of([])
    paid = {row["feature"]: row["cost_usd"] for row in read("advice_waste_by_feature", filters).to_pylist()}
    attempts = read("advice_waste_attempts", filters)
    parts = []
    for waste in _KINDS:
        measures = [
            _measure(waste, feature, days[kind, feature], paid, length) for kind, feature in days if kind == waste
        ]
        theirs = attempts.filter(pc.field("waste") == waste)
        ids = named(theirs["feature"], measures, "feature")
        parts.append(Advised(tuple(measures), changes(theirs["attempt_id"], ids, is_dropped=True)))
    return Advised.of(parts)


def _measure(waste: str, feature: str, days: Sequence[dict[str, Any]], paid: dict[str, Any], length: int) -> Measure:
    kind, level, surely, assumption = _KINDS[waste]
    savings = [day["saving_pico"] for day in days]
    low, high = likely_range(savings, length)
    return Measure(
        kind=kind,
        step="waste",
        feature=feature,
        model=None,
        level=level,
        spend_usd=paid[feature],
        saving_low_usd=dollars(low * surely // 100),
        saving_usd=dollars(sum(savings)),
        saving_high_usd=dollars(max(high, sum(savings))),
        assumptions=(assumption,),
        evidence={"calls": sum(day["calls"] for day in days), "days": len(days)},
    )
