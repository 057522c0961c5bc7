"""Proof that a home is whole: what each load says of itself against its files, the ledger, and the attempts again.

The store is asked through whoever owns it; the archive, which never changes, is read here. The attempts are derived
anew beside the store, in the order in which they were folded, and both must say the same.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ingest import retained, store
from ingest.archive import PRUNED, Archive, digest
from ingest.attempt import CONTENT, ORIGIN
from ingest.numbering import Drop, Process, Run, processes

# Everything that two stores must agree on, in one statement, so that it is all of one moment. (hash() is DuckDB's own:
# the same in all processes of one version.)
_ROW = ", ".join(["load_id", *ORIGIN, *CONTENT])
STATE = f"""
    select
        (select list(load_id order by load_id) from store.set_aside) as set_aside,
        (select list({{load_id: load_id, read: read_records, new: new_attempts, known: known_records,
            folded: folded_records, refused: refused_records}} order by folded_at, landed_at, load_id)
         from store.loads) as loads,
        (select count(*) from store.attempts) as attempts,
        (select count(distinct attempt_id) from store.attempts) as distinct_attempts,
        (select count(*) from store.refusals) as refusals,
        cast((select sum(cast(hash({_ROW}) as hugeint)) from store.attempts) as varchar) as attempts_digest,
        cast((select sum(cast(hash({_ROW}) as hugeint)) from store.tellings) as varchar) as tellings_digest,
        cast((select sum(cast(hash(load_id, source_line, reason, preview) as hugeint)) from store.refusals)
            as varchar) as refusals_digest
"""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at, as a sentence."""

    is_well: bool
    sentence: str


def verify(home: Path, query: Callable[[str], pa.Table]) -> Iterator[Check]:
    """Every check, in order. `query` answers a SELECT on the store, in which all that has landed must be folded."""
    archive = Archive(home)
    leftovers = [sum(file.stat().st_size for file in folder.iterdir()) for folder in archive.leftovers()]
    loads = {path.name: path for path in archive.loads()}  # what lands from here on is not looked at
    [state] = query(STATE).to_pylist()
    ledger = {line["load_id"]: line for line in state["loads"] or ()}

    broken = [f"{name} ({why})" for name, path in loads.items() if (why := _what_is_wrong(path))]
    yield _check(
        broken,
        f"archive: {len(loads):,} loads, each with the rows and the digests that it says it has{_pruned(loads)}",
        "archive: {}; load those files again and delete the folders of these names in the archive",
    )
    why = retained.what_is_wrong(home)
    yield _check(
        [why] if why else [],
        "sums of pruned attempts: as they were written" if retained.newest(home) else "pruned attempts: none with sums",
        "sums of pruned attempts: {}; put the folder `retained` back from a backup",
    )
    yield _check(
        state["set_aside"] or [],
        "set aside: nothing; every load could be folded",
        "set aside: {} could not be folded; `outlay status` and the Data page say why",
    )
    yield _check(
        sorted(loads.keys() - ledger.keys() - set(state["set_aside"] or ())),
        f"ledger: every load of the archive is in it, once ({len(ledger):,} lines)",
        "ledger: {} landed and is not in it; `outlay rebuild` folds it",
    )
    yield _check(
        sorted(set(ledger) - {path.name for path in archive.loads()}),
        "ledger: it holds no load that the archive lacks",
        "ledger: {} is in it and not in the archive; restore the archive from a copy, or run `outlay rebuild`",
    )
    wrong = [
        name
        for name, line in ledger.items()
        if line["read"] != line["new"] + line["known"] + line["folded"] + line["refused"]
    ]
    read = sum(line["read"] for line in ledger.values())
    yield _check(
        wrong,
        f"arithmetic: read = new + already known + folded + refused, for every load ({read:,} read)",
        "arithmetic: the numbers of {} do not add up; `outlay rebuild` makes them anew",
    )
    yield Check(
        state["attempts"] == state["distinct_attempts"],
        f"attempts: {state['attempts']:,} stored, {state['distinct_attempts']:,} different ones",
    )
    if broken or why or not ledger.keys() <= loads.keys():
        yield Check(False, "store: not compared with the archive, since the archive is not whole")
    else:
        yield _compared(home, [loads[name] for name in ledger], state)
    yield _numbered(loads.values())
    yield Check(
        True,
        f"leftovers: {len(leftovers):,} of interrupted loads, {sum(leftovers):,} bytes; "
        "nothing needs them, and the next load sweeps them away",
    )


def _check(wrong: list[str], well: str, fault: str) -> Check:
    if not wrong:
        return Check(True, well)
    more = f" and {len(wrong) - 5:,} more" if len(wrong) > 5 else ""
    return Check(False, fault.format(", ".join(wrong[:5]) + more))


def _pruned(loads: Iterable[str]) -> str:
    count = sum(PRUNED in name for name in loads)
    return f" ({count:,} of them pruned)" if count else ""


def _what_is_wrong(load: Path) -> str | None:
    """Why a load in the archive is not what it says it is; None if it is."""
    try:
        said = Archive.read(load)
        rows = {name: pq.ParquetFile(load / f"{name}.parquet").metadata.num_rows for name in ("attempts", "refusals")}
        changed = [name for name, expected in said.digests.items() if digest(load / name) != expected]
    except (OSError, ValueError, TypeError, pa.ArrowException) as error:
        return f"cannot be read: {error}"
    if changed:
        return f"{' and '.join(changed)} changed since it landed"
    if rows["refusals"] != said.refused_records or sum(rows.values()) != said.read_records:
        return f"says {said.read_records:,} records and holds {sum(rows.values()):,}"
    return None


def _numbered(loads: Iterable[Path]) -> Check:
    """The numbers that the recorder gave its lines, against the lines that came."""
    runs: set[Run] = set()
    drops: set[Drop] = set()
    for load in loads:
        with contextlib.suppress(OSError, ValueError, TypeError):  # one that cannot be read has been told of
            said = Archive.read(load)
            runs.update((name, first, last) for name, first, last in said.recorder_runs)
            drops.update((name, number, dropped, of, given) for name, number, dropped, of, given in said.recorder_drops)
    found = processes(runs, drops)
    if not found:
        return Check(True, "recorder: no lines of it are here")
    numbered, reported = sum(one.numbered for one in found), sum(one.missing - one.lost for one in found)
    told = f", {reported:,} of them reported by the recorder itself" if reported else ""
    return _check(
        [_gap(one) for one in found if one.lost],
        f"recorder: {numbered:,} lines were numbered by {len(found):,} process{'es' if len(found) > 1 else ''}, "
        f"{numbered - reported:,} are here, {reported:,} the recorder itself reported as dropped",
        f"recorder: {sum(one.missing for one in found):,} of {numbered:,} lines are missing{told}: {{}}; "
        "load the files that hold them, or find what loses them on the way here",
    )


def _gap(process: Process) -> str:
    """What nobody spoke of, and where to look for it."""
    ends = [(0, 0), *process.runs, (process.numbered + 1, 0)]
    gaps = [(last + 1, first - 1) for (_, last), (first, _) in itertools.pairwise(ends) if first - last > 1]
    named = ", ".join(f"{first}" if first == last else f"{first} to {last}" for first, last in gaps[:5])
    more = f" and {len(gaps) - 5:,} more gaps" if len(gaps) > 5 else ""
    return f"process {process.name} lost {process.lost:,} of {process.numbered:,} (not here: {named}{more})"


def _compared(home: Path, loads: list[Path], state: dict[str, Any]) -> Check:
    """The attempts derived anew, against those stored."""
    with Archive(home).workplace() as folder, contextlib.closing(duckdb.connect()) as con:
        store.open_store(con, folder)
        retained.take(con, home)
        store.fold_these(con, loads)
        [again] = _rows(con)
    differing = sorted(name for name in again if name != "loads" and again[name] != state[name])
    counts = {line["load_id"]: line for line in state["loads"] or ()}
    differing += sorted(line["load_id"] for line in again["loads"] or () if line != counts[line["load_id"]])
    return _check(
        differing,
        f"store: the same {again['attempts']:,} attempts and {again['refusals']:,} refusals come of the archive again",
        "store: {} differ from what the archive gives; `outlay rebuild` makes the store anew",
    )


def _rows(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    relation = con.sql(STATE)
    assert relation is not None
    rows: list[dict[str, Any]] = relation.to_arrow_table().to_pylist()
    return rows
