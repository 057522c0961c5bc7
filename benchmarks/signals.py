"""How good signals are, on labelled companies, through the command line: `python -m benchmarks.signals calm 900 903`.

Caught: a flag of the feature overlaps the anomaly's window (its first 72 hours where it lasts). Flags of one feature
less than a day apart are one alarm; an alarm that touches no window is false. A fourth word names the reading of the
description, one of `benchmarks.labelled.READINGS`.
"""

import csv
import io
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.labelled import ANOMALIES, DAYS, FIRST, PERSISTENT, Draw, draw, write_log

GRACE_DAYS = 14


class Score:
    """What came of some draws."""

    def __init__(self) -> None:
        self.planted, self.caught = Counter[str](), Counter[str]()
        self.causes, self.right_causes, self.users, self.right_users = 0, 0, 0, 0
        self.alarms, self.false_alarms, self.weeks = 0, 0, 0.0
        self.days, self.days_in_range = 0, 0
        self.delays: list[float] = []

    def add(self, drawn: Draw, signals: list[dict[str, str]], expected: list[dict[str, str]]) -> None:
        """Hold what was told about one company against the truth about it."""
        flags = sorted(
            (
                (of["slice"], datetime.fromisoformat(of["start"]), datetime.fromisoformat(of["end"]), of)
                for of in signals
                if of["slice_kind"] == "feature"
            ),
            key=lambda flag: flag[:2],
        )
        alarms: list[tuple[str, datetime, datetime]] = []
        for name, start, end, _ in flags:
            if alarms and alarms[-1][0] == name and start - alarms[-1][2] < timedelta(hours=24):
                alarms[-1] = (name, alarms[-1][1], max(end, alarms[-1][2]))
            else:
                alarms.append((name, start, end))
        windows = [(truth.feature, truth.start, truth.end) for truth in drawn.truths]
        false = [
            alarm for alarm in alarms
            if not any(alarm[0] == name and alarm[1] < end and alarm[2] > start for name, start, end in windows)
        ]  # fmt: skip
        self.alarms += len(alarms)
        self.false_alarms += len(false)
        self.weeks += (DAYS - GRACE_DAYS) / 7
        for truth in drawn.truths:
            until = truth.start + timedelta(hours=72) if truth.kind in PERSISTENT else truth.end
            mine = [of for name, a, b, of in flags if name == truth.feature and a < until and b > truth.start]
            self.planted[truth.kind] += 1
            if not mine:
                continue
            self.caught[truth.kind] += 1
            raised = min(datetime.fromisoformat(of["raised_at"]) for of in mine)
            self.delays.append((raised - truth.start) / timedelta(hours=1))
            if truth.cause:
                self.causes += 1
                self.right_causes += any(of["cause"] == truth.cause for of in mine)
            if truth.user:
                self.users += 1
                self.right_users += any(of["driver_user"] == truth.user for of in mine)
        self._cover(drawn, expected)

    def _cover(self, drawn: Draw, expected: list[dict[str, str]]) -> None:
        """The clean days of features: no anomaly, no hole in the log, no holiday, not too young."""
        for row in expected:
            day = datetime.fromisoformat(row["day"])
            number = (day - FIRST).days
            young = number < drawn.launched.get(row["slice"], 0) + GRACE_DAYS
            if row["slice_kind"] != "feature" or young or number == drawn.holiday or number in drawn.gap_days:
                continue
            if any(
                row["slice"] == truth.feature and truth.start < day + timedelta(days=1) and truth.end > day
                for truth in drawn.truths
            ):
                continue
            self.days += 1
            self.days_in_range += float(row["low_usd"]) <= float(row["cost_usd"]) <= float(row["high_usd"])

    def row(self) -> str:
        """Its figures, as the cells of a Markdown table."""
        delay = sorted(self.delays)[len(self.delays) // 2] if self.delays else float("nan")
        return (
            f"{sum(self.caught.values()) / max(sum(self.planted.values()), 1):.3f} | "
            f"{1 - self.false_alarms / max(self.alarms, 1):.3f} | "
            f"{self.false_alarms / max(self.weeks, 1e-9):.2f} | {self.right_causes}/{self.causes} | "
            f"{self.right_users}/{self.users} | {self.days_in_range / max(self.days, 1):.3f} | {delay:.0f} h"
        )

    def kinds(self) -> str:
        """How many anomalies of each kind were caught, of how many."""
        return ", ".join(f"{kind.replace('_', ' ')} {self.caught[kind]}/{self.planted[kind]}" for kind in ANOMALIES)


def told(home: Path, *words: str) -> list[dict[str, str]]:
    """What the command line answers, as rows."""
    command = [sys.executable, "-c", "from dashboard.cli import main; main()", "--home", str(home), *words]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return list(csv.DictReader(io.StringIO(said)))


def look(drawn: Draw, scores: list[Score]) -> float:
    """Log, load, judge and score one company; the seconds that the signals took to be told."""
    with tempfile.TemporaryDirectory() as temporary:
        home, log = Path(temporary) / "home", Path(temporary) / "app.jsonl"
        write_log(log, drawn.attempts)
        told(home, "ingest", str(log))
        started = time.perf_counter()
        signals = told(home, "signals", "--format", "csv")
        seconds = time.perf_counter() - started
        expected = told(home, "signals", "--expected", "--format", "csv")
    for score in scores:
        score.add(drawn, signals, expected)
    return seconds


def run(noise: str, seeds: Iterable[int], reading: str = "plain") -> None:
    """Print a table with a line for each company and one for all of them."""
    whole = Score()
    print(f"\n### Labelled companies, {noise}\n")
    names = ("seed", "recall", "precision", "false alarms a week", "cause right", "user right", "80 % range covers",
             "delay", "told in")  # fmt: skip
    print(f"| {' | '.join(names)} |\n|{' --- |' * len(names)}")
    for seed in seeds:
        score = Score()
        seconds = look(draw(seed, noise, reading), [score, whole])
        print(f"| {seed} | {score.row()} | {seconds:.1f} s |", flush=True)
    print(f"| all | {whole.row()} | |\n\nCaught: {whole.kinds()}.", flush=True)


def main() -> None:
    """Draw, log, load, look, and score."""
    noise, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    run(noise, range(first, last), sys.argv[4] if len(sys.argv) > 4 else "plain")


if __name__ == "__main__":
    main()
