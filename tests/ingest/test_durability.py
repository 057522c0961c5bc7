"""What was acknowledged stays, once, whatever happens: killed loads, full disks, repeated delivery."""

import random
import subprocess
import sys
import time

import pytest

from ingest.archive import Archive
from tests.ingest.durability import NUMBERS, REQUESTS, STEP, log
from tests.ingest.loading import attempts, counts, load


@pytest.mark.parametrize("faults", [["--kills", "25"], ["--disk-full", "10"]])
def test_nothing_acknowledged_is_lost_or_doubled(faults):
    """A part of what `python -m tests.ingest.durability` does on demand."""
    seed = str(time.time_ns() % 1_000_000)
    command = [sys.executable, "-m", "tests.ingest.durability", *faults, "--seed", seed]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"--seed {seed}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
    assert "none lost, none doubled" in done.stdout


def test_tenfold_redelivery_in_any_order_changes_nothing(home):
    rng = random.Random(1)
    pieces = [
        "".join(lines[i : i + 100]) for n in range(3) for lines in [log(n).splitlines(True)] for i in range(0, 400, 100)
    ]
    deliveries = [text for text in [*pieces, *map(log, range(3))] for _ in range(10)]
    rng.shuffle(deliveries)
    for text in deliveries:
        [line] = load(home, text)
        read, new, known, folded, refused = counts(line)
        assert (read, folded, refused) == (new + known, 0, 0)
    assert NUMBERS > 3 and len(attempts(home, "request_id, started_at, attempt_id")) == 2 * STEP + REQUESTS


def test_a_killed_load_leaves_a_folder_that_the_next_load_sweeps_away(home):
    script = (
        "import os, pathlib, signal, sys; from ingest.archive import Archive\n"
        "with Archive(pathlib.Path(sys.argv[1])).landing('a'): os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(home)])
    assert killed.returncode == -9
    with Archive(home).landing("at work"):
        [running] = (home / "landing").iterdir()
        assert list(Archive(home).leftovers()) == []
        load(home, log(0))
        assert list((home / "landing").iterdir()) == [running]
    assert list((home / "landing").iterdir()) == []


@pytest.mark.parametrize("damage", [b"", b"no database at all" * 500])
def test_a_store_that_cannot_be_opened_is_made_again(home, damage):
    load(home, log(0))
    (home / "outlay.duckdb").write_bytes(damage)
    load(home, log(1))
    assert len(attempts(home, "started_at, attempt_id")) == STEP + REQUESTS
