"""What every piece of advice says, and what a measure would have changed on each attempt."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    import pyarrow as pa

Step = Literal["waste", "cap", "cache", "batch"]
Level = Literal["A", "B", "C"]

# Measures are applied in this order: what is not sent needs no cache, what is cut is not cached, what is left can wait.
STEPS: tuple[Step, ...] = ("waste", "cap", "cache", "batch")


@dataclass(frozen=True)
class Measure:
    """One thing to change, for one workload, with what it would have saved alone in the period looked at.

    kind: the word for it (`cache_prefix`, `batch_api`, `cap_input`, `stop_repeats` …), the name of its texts.
    feature and model: the workload; None for all.
    spend_usd: list price of the attempts it is about.
    saving_low_usd, saving_usd, saving_high_usd: alone, in the period. The middle is exact arithmetic on the attempts;
    low and high come from whole days drawn anew 200 times, times the range of what the logs cannot tell.
    level: A measured, B counted with a length that somebody gave, C bounded: "up to", never part of a total.
    evidence: figures by name, of the kinds that the pages can format (`_rate`, `_usd`, `_tokens`, `_ms` …).
    """

    kind: str
    step: Step
    feature: str | None
    model: str | None
    level: Level
    spend_usd: Decimal
    saving_low_usd: Decimal
    saving_usd: Decimal
    saving_high_usd: Decimal
    assumptions: tuple[str, ...] = ()
    evidence: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    """What a person can turn: the cap in tokens, the lifetime of the cache …"""

    @property
    def measure_id(self) -> str:
        """The same for the same measure of the same workload on any day, so that decisions stick to it."""
        return sha256(repr((self.kind, self.feature, self.model)).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Advised:
    """What a finder found.

    changes: one row per attempt that the measure would have changed, at most one per attempt and measure: `attempt_id`,
    `measure_id`, and those of the following that its step is about, the others null. waste: `is_dropped`. cap:
    `cut_tokens` (off the end of the uncached prompt). cache: `read_tokens`, `write_5m_tokens`, `write_1h_tokens` (out
    of the uncached prompt, from its beginning; signed where tokens only change from one pile to another). batch:
    `is_batched`.
    """

    measures: tuple[Measure, ...]
    changes: pa.Table

    @staticmethod
    def of(parts: Iterable[Advised]) -> Advised:
        """All of several as one."""
        import pyarrow as pa

        found = list(parts)
        return Advised(
            tuple(measure for part in found for measure in part.measures),
            pa.concat_tables([changes([], []), *(part.changes for part in found)]),
        )


_CHANGES = {
    "attempt_id": "string",
    "measure_id": "string",
    "is_dropped": "bool",
    "cut_tokens": "int64",
    "read_tokens": "int64",
    "write_5m_tokens": "int64",
    "write_1h_tokens": "int64",
    "is_batched": "bool",
}


def changes(attempt_ids: Any, measure_ids: Any, **columns: Any) -> pa.Table:
    """A table of changes from columns, each an array or one value for all rows. Rows without a measure are left out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    given = {"attempt_id": attempt_ids, "measure_id": measure_ids, **columns}
    arrays = []
    for name, kind in _CHANGES.items():
        value = given.get(name)
        if not isinstance(value, list | pa.Array | pa.ChunkedArray):
            value = pa.repeat(pa.scalar(value, kind), len(attempt_ids))
        arrays.append(pa.array(value, kind) if isinstance(value, list) else value.cast(kind))
    return pa.table(arrays, names=list(_CHANGES)).filter(pc.is_valid(arrays[1]))


def named(slices: pa.ChunkedArray, measures: Sequence[Measure], by: str) -> pa.ChunkedArray:
    """The id of the measure of each slice, by an attribute of the measures; null where there is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    theirs = pc.index_in(slices, pa.array([getattr(measure, by) for measure in measures], pa.string()))
    return pa.array([measure.measure_id for measure in measures], pa.string()).take(theirs)
