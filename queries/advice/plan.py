"""Any choice of measures, applied one after another and priced after every step: nothing is counted twice.

Attempts that the same measures touch are summed up once (plan.sql) for each way in which these can meet; a choice is
then priced from these few sums. All arithmetic is in whole pico-dollars. Prices are those of each attempt as it was
sent: a shorter prompt is not moved to another tier of the price list.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import factorial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from queries.advice.measure import STEPS, Advised, Measure, Step

if TYPE_CHECKING:
    import pyarrow as pa

    from queries.filters import Filters

    Read = Callable[[str, Filters], pa.Table]

AS_ADVISED = 0
LIMITS = (2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000)  # other limits that every cap can be set to, in tokens
_PICO = 12
_NO_CACHE = -1


@dataclass(frozen=True)
class Plan:
    """What a choice of measures comes to. `spend_usd` less every step, less the discount, is `left_usd`: exactly.

    worth_usd: each chosen measure's part of what all of them save, by its id: its mean contribution over all orders in
    which they could be taken up (Shapley 1953). The parts add up to the steps.
    """

    spend_usd: Decimal
    steps_usd: dict[Step, Decimal]
    discount_usd: Decimal
    left_usd: Decimal
    worth_usd: dict[str, Decimal]

    @property
    def saving_usd(self) -> Decimal:
        """What the measures save, before any discount."""
        return sum(self.steps_usd.values(), Decimal(0))


@dataclass(frozen=True)
class _Group:
    """Attempts of one workload that the same measures touch: pico-dollars, as sent and in a batch."""

    places: Mapping[Step, tuple[int, ...]]
    cost: tuple[int, int]
    cache_saved: Mapping[int, tuple[int, int]]
    cap_saved: Mapping[tuple[int, int, int], tuple[int, int]]

    def priced(self, chosen: Collection[int], limit: int) -> int:
        """What the group costs with these measures. Of two of one step, the one that saves more alone counts."""
        waste, cap, cache, batch = (next((p for p in self.places[step] if p in chosen), None) for step in STEPS)
        if waste is not None:
            return 0
        way = 0 if batch is None else 1
        cost = self.cost[way]
        if cache is not None:
            cost -= self.cache_saved[cache][way]
        if cap is not None:
            met = _NO_CACHE if cache is None else cache
            cost -= self.cap_saved.get((cap, limit, met), (0, 0))[way]
        return cost

    def worths(self, chosen: Collection[int], limit: int) -> Iterator[tuple[int, Fraction]]:
        """Each chosen measure's Shapley value in this group, in pico-dollars."""
        players = [place for step in STEPS for place in self.places[step] if place in chosen]
        count = len(players)
        costs = [
            self.priced({player for bit, player in enumerate(players) if mask >> bit & 1}, limit)
            for mask in range(1 << count)
        ]
        for bit, player in enumerate(players):
            total = sum(
                factorial(size := mask.bit_count())
                * factorial(count - size - 1)
                * (costs[mask] - costs[mask | 1 << bit])
                for mask in range(1 << count)
                if not mask >> bit & 1
            )
            yield player, Fraction(total, factorial(count))


@dataclass(frozen=True)
class Ground:
    """All that plans of one period are made from: its measures, in the order of a plan, and the sums they meet in.

    examples: for each measure the twenty attempts on which it alone saves most.
    """

    measures: tuple[Measure, ...]
    spend_usd: Decimal
    examples: pa.Table
    _groups: tuple[_Group, ...]

    def plan(
        self, measure_ids: Collection[str], limit_tokens: int = AS_ADVISED, discount_rate: Decimal = Decimal(0)
    ) -> Plan:
        """Apply these measures: waste, caps, caching, batch. `limit_tokens` is AS_ADVISED or one of LIMITS."""
        place_of = {measure.measure_id: place for place, measure in enumerate(self.measures)}
        chosen = {place_of[measure_id] for measure_id in measure_ids if measure_id in place_of}
        by_step = [{place for place in chosen if self.measures[place].step == step} for step in STEPS]
        costs = [
            sum(group.priced(set[int]().union(*by_step[:taken]), limit_tokens) for group in self._groups)
            for taken in range(len(STEPS) + 1)
        ]
        steps = {step: _dollars(costs[no] - costs[no + 1]) for no, step in enumerate(STEPS)}
        before_discount = self.spend_usd - sum(steps.values())
        discount = (before_discount * discount_rate).quantize(_dollars(1))
        return Plan(
            spend_usd=self.spend_usd,
            steps_usd=steps,
            discount_usd=discount,
            left_usd=before_discount - discount,
            worth_usd=self._worths(chosen, limit_tokens, costs[0] - costs[-1]),
        )

    def _worths(self, chosen: Collection[int], limit: int, total: int) -> dict[str, Decimal]:
        exact = dict.fromkeys(sorted(chosen), Fraction(0))
        for group in self._groups:
            for place, worth in group.worths(chosen, limit):
                exact[place] += worth
        whole = {place: worth.numerator // worth.denominator for place, worth in exact.items()}
        over = total - sum(whole.values())  # less than one pico-dollar a measure
        for place in sorted(exact, key=lambda place: whole[place] - exact[place])[:over]:
            whole[place] += 1
        return {self.measures[place].measure_id: _dollars(worth) for place, worth in whole.items()}


def ground(read: Read, filters: Filters, advised: Advised) -> Ground:
    """Condense what the filters ask for and what was found in it. Reads every attempt once."""
    import duckdb
    import pyarrow as pa

    measures = tuple(sorted(advised.measures, key=lambda of: (STEPS.index(of.step), -of.saving_usd, of.measure_id)))
    spend = read("totals", filters)["cost_usd"].to_pylist()[0] or Decimal(0)
    with duckdb.connect(":memory:") as con:
        con.register("attempts", read("advice_attempts", filters))
        con.register("changes", advised.changes)
        con.register("measures", pa.table(
            {
                "place": pa.array(range(len(measures)), pa.int32()),
                "measure_id": pa.array([of.measure_id for of in measures], pa.string()),
                "step": pa.array([of.step for of in measures], pa.string()),
                "feature": pa.array([of.feature for of in measures], pa.string()),
                "model": pa.array([of.model for of in measures], pa.string()),
            }
        ))  # fmt: skip
        con.register("limits", pa.table({"limit_tokens": pa.array(LIMITS, pa.int64())}))
        con.execute(Path(__file__).with_name("plan.sql").read_text())
        groups = tuple(_groups(con, measures))
        examples = con.sql("from examples").to_arrow_table()
    return Ground(measures, spend, examples, groups)


def _groups(con: Any, measures: tuple[Measure, ...]) -> Iterator[_Group]:
    def rows(sql: str) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = con.execute(sql).fetchall()
        return found

    caches: dict[Any, dict[int, tuple[int, int]]] = {}
    for feature, model, places, cache, *saved in rows("from cache_savings"):
        caches.setdefault((feature, model, tuple(places)), {})[cache] = (int(saved[0]), int(saved[1]))
    caps: dict[Any, dict[tuple[int, int, int], tuple[int, int]]] = {}
    for feature, model, places, cap, limit, cache, *saved in rows("from cap_savings"):
        caps.setdefault((feature, model, tuple(places)), {})[cap, limit, cache] = (int(saved[0]), int(saved[1]))
    for feature, model, touched, *cost in rows("from groups"):
        key = (feature, model, tuple(touched))
        cap_saved = caps.get(key, {})
        places = {step: tuple(p for p in touched if measures[p].step == step) for step in STEPS}
        places["cap"] = tuple(sorted({cap for cap, _, _ in cap_saved}))
        yield _Group(places, (int(cost[0]), int(cost[1])), caches.get(key, {}), cap_saved)


def _dollars(pico: int) -> Decimal:
    return Decimal(pico).scaleb(-_PICO)
