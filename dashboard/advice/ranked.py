"""The measures of a period as they are shown: what is in the plan, what is bounded, what is silent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dashboard.advice.finding import Found, Measure, Plan
    from dashboard.advice.kept import Decision


@dataclass(frozen=True)
class Entry:
    """A measure with its dollars a month: its part of the plan where it has one, else what it saves alone.

    saving_usd: the same of the period. The range of a part is the range of the measure alone, scaled to the part.
    """

    measure: Measure
    in_plan: bool
    saving_usd: Decimal
    low: Decimal
    middle: Decimal
    high: Decimal

    @property
    def shown(self) -> Decimal:
        """What stands on its card: what is likely, or at most."""
        return self.high if self.measure.level == "C" else self.middle


@dataclass(frozen=True)
class Listing:
    """sure: levels A and B, which make up the plan. bounds: level C. silent: worth less than the threshold."""

    plan: Plan
    sure: tuple[Entry, ...]
    bounds: tuple[Entry, ...]
    silent: tuple[Entry, ...]


def listing(found: Found, decided: Mapping[str, Decision], state: str, least: Decimal) -> Listing:
    """The measures in a state (open, done, dismissed), those worth `least` dollars a month and the others.

    What is silent is not in the plan: the cards add up to the total that is shown over them.
    """
    ground = found.ground
    asked = [
        of for of in ground.measures
        if (decided[of.measure_id].kind if of.measure_id in decided else "open") == state
    ]  # fmt: skip
    everything = ground.plan([of.measure_id for of in asked if of.level != "C"])
    first = [_entry(found, everything, of) for of in asked]
    silent = [entry for entry in first if entry.shown < least]
    plan = ground.plan([entry.measure.measure_id for entry in first if entry.in_plan and entry.shown >= least])
    heard = [_entry(found, plan, entry.measure) for entry in first if entry.shown >= least]
    heard.sort(key=lambda entry: (-entry.shown, entry.measure.measure_id))
    return Listing(
        plan,
        tuple(entry for entry in heard if entry.in_plan),
        tuple(entry for entry in heard if not entry.in_plan),
        tuple(silent),
    )


def _entry(found: Found, plan: Plan, measure: Measure) -> Entry:
    alone = measure.saving_usd
    in_plan = measure.measure_id in plan.worth_usd
    part = plan.worth_usd[measure.measure_id] if in_plan else alone
    low, high = measure.saving_low_usd, measure.saving_high_usd
    if in_plan and alone:
        low, high = low * part / alone, high * part / alone
    return Entry(measure, in_plan, part, found.monthly(low), found.monthly(part), found.monthly(high))
