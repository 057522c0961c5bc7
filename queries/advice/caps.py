"""Prompts that are far longer than a feature's others, and what a limit on their length would have saved.

Counts cannot tell whether an answer needed what is cut. So this is advice of level C, "up to", until somebody who has
looked sets the limit (`outlay advice cap`); then it is level B.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from queries.advice.days import dollars, likely_range
from queries.advice.measure import Advised, Measure, changes

if TYPE_CHECKING:
    import pyarrow as pa

    from queries.filters import Filters

    Read = Callable[[str, Filters], pa.Table]

SUGGESTED = "p99"  # the limit that 99 % of the good answers keep
# A tail is worth a word when cutting it saves this share of the feature's spend: lengths that spread as a log-normal
# distribution with sigma 1 stay at half of it.
LEAST_SHARE = Decimal("0.03")
MOST_USERS = 10  # that are named as senders


def find(read: Read, filters: Filters, length: int, limits: Mapping[str, int] | None = None) -> Advised:
    """A limit on prompts for each feature that has outliers or was given one (`limits`: tokens by feature)."""
    rows: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in read("advice_cap_limits", filters).to_pylist():
        rows[row["feature"]][row["limit_name"]] = row
    paid = {row["feature"]: row["cost_usd"] for row in read("advice_waste_by_feature", filters).to_pylist()}
    given = limits or {}
    chosen = {feature: limit for feature, limit in given.items() if feature in paid}
    for feature, by_limit in rows.items():
        tail = by_limit.get(SUGGESTED)
        if feature not in chosen and tail and tail["saving_usd"] >= LEAST_SHARE * paid[feature]:
            chosen[feature] = tail["limit_tokens"]
    return Advised.of(
        _cap(read, replace(filters, features=(feature,)), feature, limit, feature in given, length, paid[feature])
        for feature, limit in sorted(chosen.items())
    )


def _cap(read: Read, filters: Filters, feature: str, limit: int, is_given: bool, length: int, paid: Decimal) -> Advised:
    import pyarrow.compute as pc

    prompts = read("advice_cap_attempts", filters)
    long = prompts.filter(pc.field("input_tokens") > limit)
    cut = pc.min_element_wise(long["uncached_input_tokens"], pc.subtract(long["input_tokens"], limit))
    saved = long.append_column("saving_pico", pc.multiply(cut, long["input_pico"]))
    by_day = saved.group_by("day").aggregate([("saving_pico", "sum")])["saving_pico_sum"].to_pylist()
    by_user = saved.group_by("user_id").aggregate([("saving_pico", "sum"), ("saving_pico", "count")])
    users = sorted(by_user.to_pylist(), key=lambda row: (-row["saving_pico_sum"], row["user_id"]))
    low, high = likely_range(by_day, length)
    saving = sum(by_day)
    measure = Measure(
        kind="cap_input",
        step="cap",
        feature=feature,
        model=None,
        level="B" if is_given else "C",
        spend_usd=paid,
        saving_low_usd=dollars(min(low, saving) if is_given else 0),
        saving_usd=dollars(saving),
        saving_high_usd=dollars(max(high, saving)),
        assumptions=("the answers do not need what lies beyond the limit",),
        evidence={
            "limit_tokens": limit,
            "calls": len(long),
            "cut_tokens": pc.sum(cut).as_py() or 0,
            "users": [
                {
                    "user_id": row["user_id"],
                    "calls": row["saving_pico_count"],
                    "saving_usd": dollars(row["saving_pico_sum"]),
                }
                for row in users[:10]
            ],
        },
        settings={"limit_tokens": limit},
    )
    return Advised((measure,), changes(long["attempt_id"], [measure.measure_id] * len(long), cut_tokens=cut))
