"""The numbers of the recorder's lines: which of them a load holds, and which are missing between all loads.

Each process that records numbers its lines from 1, those included that it had no room for. What it dropped it says
itself; what it had not written when it was killed says the next process. A number that no load holds and nobody spoke
of was lost on the way from the application to here.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow as pa

from ingest.engine import Engine

Run = tuple[str, int, int]  # a process, and the first and the last of numbers that follow one another
Drop = tuple[str, int, int, str | None, int | None]  # who says it in which line; how many; of whom, and how many it had

# Of `numbered`, one text for each line: process, number, dropped, lost_process, lines_given, with blanks between.
# grain: one run of numbers, or one line that tells of drops.
_SPLIT = """
    with said as (
        select distinct string_split(text, ' ') as word from numbered
        where regexp_full_match(text, '[0-9a-f]{12} [0-9]{1,15} [0-9]{0,15} ([0-9a-f]{12})? [0-9]{0,15}')
    ),
    lines as (
        select word[1] as process, cast(word[2] as bigint) as number, try_cast(word[3] as bigint) as dropped,
            nullif(word[4], '') as of_process, try_cast(word[5] as bigint) as given
        from said
    ),
    islands as (
        select process, number, number - row_number() over (partition by process order by number) as island
        from (select distinct process, number from lines)
    )
    select process, min(number) as first, max(number) as last, null as dropped, null as of_process, null as given
    from islands group by process, island
    union all
    select process, number, number, dropped, of_process, given from lines where dropped is not null
    order by process, first
"""


@dataclass(frozen=True)
class Numbers:
    """What some lines say about numbers: those they have, and those they know to be dropped."""

    runs: tuple[Run, ...] = ()
    drops: tuple[Drop, ...] = ()


NO_NUMBERS = Numbers()


@dataclass
class Process:
    """The lines of one process, of all loads together."""

    name: str
    runs: list[tuple[int, int]] = field(default_factory=list)  # in order, with gaps between them
    reported: int = 0  # lines that the recorder itself says are not in its log
    given: int = 0  # how many lines it was given, where the recorder says so

    @property
    def numbered(self) -> int:
        """The highest number it is known to have given out."""
        return max(self.runs[-1][1] if self.runs else 0, self.given)

    @property
    def missing(self) -> int:
        """Numbers up to there that no load holds."""
        return self.numbered - sum(last - first + 1 for first, last in self.runs)

    @property
    def lost(self) -> int:
        """Those of them that nobody spoke of."""
        return max(self.missing - self.reported, 0)


def numbers_of(numbered: pa.Array, engine: Engine) -> Numbers:
    """The numbers that the lines of a chunk have, from what the recorder's format says of each (null: no number)."""
    rows = engine.ask(_SPLIT, {"numbered": pa.table({"text": numbered}).cast(_TEXT)}, {}).to_pylist()
    return Numbers(
        tuple((row["process"], row["first"], row["last"]) for row in rows if row["dropped"] is None),
        tuple(
            (row["process"], row["first"], row["dropped"], row["of_process"], row["given"])
            for row in rows
            if row["dropped"] is not None
        ),
    )


def processes(runs: Iterable[Run], drops: Iterable[Drop]) -> list[Process]:
    """Every process of which some loads speak, by name. What several of them hold counts once."""
    found: dict[str, Process] = {}
    for name, first, last in sorted(set(runs)):
        before = found.setdefault(name, Process(name)).runs
        if before and first <= before[-1][1] + 1:
            before[-1] = before[-1][0], max(before[-1][1], last)
        else:
            before.append((first, last))
    for name, _, dropped, of_process, given in sorted(set(drops), key=str):
        of = found.setdefault(of_process or name, Process(of_process or name))
        of.reported += dropped
        of.given = max(of.given, given or 0)
    return sorted(found.values(), key=lambda process: process.name)


_TEXT = pa.schema([("text", pa.string())])
