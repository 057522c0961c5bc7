"""How well work that could wait is told from work that people wait for: `python -m benchmarks.batching [--each 60]`."""

import argparse
from collections import Counter

import duckdb
import pyarrow as pa

from benchmarks.workloads import WAITS, attempts
from ingest import store
from ingest.reader import NO_ATTEMPTS
from queries import Filters, create_views, read
from queries.advice import batching

AT_A_TIME = 4  # workloads of each kind that share a log


def verdicts(kinds: list[str], seeds: range) -> dict[str, str]:
    """The level of the advice for each workload (A or C), "" for none."""
    con = duckdb.connect()
    con.execute("attach ':memory:' as store")
    store.create_tables(con)
    calls = [call for kind in kinds for seed in seeds for call in attempts(kind, seed)]
    names = sorted({name for call in calls for name in call})
    table = pa.table({name: [call.get(name) for call in calls] for name in names})
    told = [f"{name}" if name in names else f"null::{kind} as {name}" for name, kind in _DULL.items()]
    con.register("calls", table)
    con.execute(f"insert into store.attempts by name select {', '.join(told)}, {_SAME} from calls")
    con.execute("insert into store.model_names values ('claude-sonnet-5')")
    create_views(con)
    found = batching.find(lambda view, filters: read(con, view, filters), Filters(), 28)
    con.close()
    levels = {measure.feature: measure.level for measure in found.measures}
    return {f"{kind} {seed}": levels.get(f"{kind} {seed}", "") for kind in kinds for seed in seeds}


_GIVEN = ("attempt_id", "model_raw", "uncached_input_tokens", "output_tokens", "stop_reason")
_DULL = {field.name: "varchar" for field in NO_ATTEMPTS.schema if field.name not in _GIVEN}
_SAME = """'a' || row_number() over () as attempt_id, 'claude-sonnet-5' as model_raw, 1000 as uncached_input_tokens,
    200 as output_tokens, 'end_turn' as stop_reason"""


def run(each: int) -> None:
    """Print precision and recall at high confidence, and what became of each kind."""
    for kinds in (list(WAITS), [kind for kind in WAITS if kind != "chat"]):
        counts: Counter[tuple[str, str]] = Counter()
        for first in range(0, each, AT_A_TIME):
            seeds = range(first + 1000, min(first + AT_A_TIME, each) + 1000)
            for feature, level in verdicts(kinds, seeds).items():
                counts[feature.rpartition(" ")[0], level] += 1
        right = sum(count for (kind, level), count in counts.items() if level == "A" and WAITS[kind] is False)
        moved = sum(count for (_, level), count in counts.items() if level == "A")
        could = sum(count for (kind, _), count in counts.items() if WAITS[kind] is False)
        users = "with" if "chat" in kinds else "without"
        print(f"\n{each} workloads of each kind, in logs {users} users of other features: ", end="")
        print(f"precision {right / moved:.3f}, recall {right / could:.3f}\n")
        print("| kind | moved | ask | left |\n|---|---|---|---|")
        for kind in kinds:
            print(f"| {kind} | {counts[kind, 'A']} | {counts[kind, 'C']} | {counts[kind, '']} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batching", description=__doc__)
    parser.add_argument("--each", type=int, default=60)
    run(parser.parse_args().each)
