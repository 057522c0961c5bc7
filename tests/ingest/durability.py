"""Loads that are killed, and loads on a full disk: `python -m tests.ingest.durability --kills 1000 --disk-full 100`.

Child processes load numbered logs in a loop and write down each load that has been acknowledged. They are killed at a
random moment, or run out of disk. What must hold afterwards, each time, with nobody putting anything right: every load
that was acknowledged is there, every attempt is there once, and nothing half-done can be seen.

Children are forked from a process that has loaded a log before and has closed DuckDB again, so that all of their short
life is loading.
"""

import argparse
import contextlib
import gc
import io
import json
import multiprocessing
import random
import resource
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import duckdb

from ingest import store
from ingest.archive import Archive, digest
from ingest.load import Loader

REQUESTS = 400  # requests in a log
STEP = 300  # by how many requests the next log is further on: a quarter of each log is told by the one before it too
NUMBERS = 40  # of logs, so that many loads repeat one that is there, is being made or was cut off


def log(number: int) -> str:
    """The log of this number; request `i` is in all the logs that cover it, word for word."""
    return "".join(
        json.dumps({
            "timestamp": f"2026-11-01T{i // 3600:02}:{i // 60 % 60:02}:{i % 60:02}Z", "request_id": f"req_{i}",
            "model": "claude-sonnet-5", "input_tokens": i, "output_tokens": 7, "feature": "chat",
        }) + "\n"
        for i in range(number * STEP, number * STEP + REQUESTS)
    )  # fmt: skip


# --- what the children do ---


def keep_loading(home: Path, acks: Path, seed: float, most_bytes: int) -> None:
    """Load logs of random numbers for ever; a line in `acks` for each that is acknowledged.

    `most_bytes`: where no small disk can be had, no file may grow beyond this instead (0: no limit).
    """
    if most_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))
    rng, loader = random.Random(seed), Loader(home)
    with acks.open("a") as acknowledged:
        while True:
            for load_id in load(loader, rng.randrange(NUMBERS)):
                acknowledged.write(f"{load_id}\n")
                acknowledged.flush()
            fold(home)


def load(loader: Loader, number: int) -> list[str]:
    """Land a log; the ids of the loads."""
    source = io.BufferedReader(io.BytesIO(log(number).encode()))
    return [outcome.landed.load_id for outcome in loader.load_stream(source, f"log-{number}")]


def keep_reading(home: Path) -> None:
    """Look at whatever can be seen; the first thing that is not whole ends this with status 1."""
    while True:
        for load in Archive(home).loads():
            check_load(load)
        if (home / "outlay.duckdb").exists():
            with contextlib.suppress(store.StoreBusy), contextlib.closing(duckdb.connect()) as con:
                store.open_store(con, home)
                check_sums(con)


def fold(home: Path) -> None:
    """Fold what has landed, unless another process is at it."""
    with contextlib.suppress(store.StoreBusy), contextlib.closing(duckdb.connect()) as con:
        store.open_store(con, home)
        store.fold(con, home)


# --- what must hold ---


def check_load(load: Path) -> None:
    """A load that can be seen is whole."""
    said = Archive.read(load)
    assert {path.name: digest(path) for path in load.glob("*.parquet")} == said.digests, f"{load} is not whole"


def check_sums(con: duckdb.DuckDBPyConnection) -> None:
    """One statement, so one moment: every line of the ledger adds up, and its attempts are there."""
    [(wrong, new, stored, distinct)] = con.execute("""
        select
            (select count(*) from store.loads
             where read_records <> new_attempts + known_records + folded_records + refused_records),
            (select coalesce(sum(new_attempts), 0) from store.loads),
            (select count(*) from store.attempts),
            (select count(distinct attempt_id) from store.attempts)
    """).fetchall()
    assert (wrong, stored, distinct) == (0, new, new), f"{wrong=} {new=} {stored=} {distinct=}"


def check_home(home: Path, acks: Path) -> None:
    """The next start: fold what has landed, and compare with the arithmetic."""
    archive = Archive(home)
    landed = {load.name: Archive.read(load) for load in archive.loads()}
    lost = set(acks.read_text().split() if acks.exists() else ()) - landed.keys()
    assert not lost, f"lost: {lost}"
    with contextlib.closing(duckdb.connect()) as con:
        store.open_store(con, home)
        store.fold(con, home)
        check_sums(con)
        told = Counter(load_id for (load_id,) in con.execute("select load_id from store.loads").fetchall())
        assert told == Counter(landed.keys()), "the ledger and the archive differ"
        numbers = [int(load.source_name.removeprefix("log-")) for load in landed.values()]
        expected = {i for number in numbers for i in range(number * STEP, number * STEP + REQUESTS)}
        stored = con.execute("select request_id, uncached_input_tokens from store.attempts").fetchall()
        assert sorted(stored) == sorted((f"req_{i}", i) for i in expected), "attempts are missing or doubled"
    for load in archive.loads():
        check_load(load)


# --- the faults ---


def child(task: Callable[..., None], *arguments: object) -> BaseProcess:
    """A process of its own that does this task."""
    process = multiprocessing.get_context("fork").Process(target=task, args=arguments)
    process.start()
    return process


def checked(home: Path, acks: Path) -> int:
    """The home was found to be whole, by a fresh process; how many loads were acknowledged so far."""
    checking = child(check_home, home, acks)
    checking.join()
    assert checking.exitcode == 0, f"{home} is not whole"
    return len(acks.read_text().split()) if acks.exists() else 0


def warm_up(folder: Path) -> float:
    """Do once all that a first load does and a second one need not. Returns the seconds that a load then takes."""
    seconds = 0.0
    for number in range(3):
        started = time.monotonic()
        load(Loader(folder / "warm"), number)
        fold(folder / "warm")
        seconds = time.monotonic() - started
    gc.collect()
    return seconds


def kill_one(home: Path, acks: Path, rng: random.Random, longest: float) -> int:
    """One `kill -9`; every third time with a second loader and a reader at it too. Returns the loads acknowledged."""
    together = rng.random() < 1 / 3
    killed = [child(keep_loading, home, acks, rng.random(), 0) for _ in range(1 + together)]
    readers = [child(keep_reading, home)] if together else []
    time.sleep(rng.uniform(0, longest))  # this is the random moment
    assert all(process.exitcode is None for process in killed + readers), "a child found a fault"
    for process in killed + readers:
        process.kill()
        process.join()
    return checked(home, acks)


def kills(times: int, folder: Path, rng: random.Random, seconds: float) -> int:
    """So many kills, a new home after every twenty. Returns how many loads were acknowledged, and are there."""
    loads = 0
    for number in range(0, times, 20):
        home, acks, here = folder / "home", folder / "acks", 0
        for _ in range(min(20, times - number)):
            here = kill_one(home, acks, rng, 2 * seconds)
        loads += here
        shutil.rmtree(home)
        acks.unlink(missing_ok=True)
        print(f"{min(number + 20, times):,} kills, {loads:,} loads acknowledged, none lost, none doubled", flush=True)
    return loads


@contextlib.contextmanager
def small_disk(folder: Path, size: int) -> Iterator[bool]:
    """A file system of so many bytes at `folder`; False where this process may not mount one."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "outlay-small-disk", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        yield False
        return
    try:
        yield True
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill_one(folder: Path, rng: random.Random) -> int:
    """Load until the disk is full; then there is room again, and the next start goes on. Returns the loads."""
    disk, acks, ballast = folder / "disk", folder / "acks", folder / "disk" / "ballast"
    disk.mkdir(parents=True)
    room = rng.randrange(20_000, 800_000)
    with small_disk(disk, (64 << 20) + room) as is_small:
        if is_small:
            ballast.write_bytes(bytes(64 << 20))
        filling = child(keep_loading, disk / "home", acks, rng.random(), 0 if is_small else room)
        filling.join(timeout=120)
        assert filling.exitcode == 1, "a full disk ends a load, with an error"
        ballast.unlink(missing_ok=True)
        return checked(disk / "home", acks)


def full_disks(times: int, folder: Path, rng: random.Random) -> int:
    """So many full disks. Returns how many loads were acknowledged, and are there."""
    loads = 0
    for number in range(times):
        loads += fill_one(folder / f"disk-{number}", rng)
        print(f"{number + 1:,} full disks, {loads:,} loads acknowledged, none lost, none doubled", flush=True)
    return loads


def main() -> None:
    """Run what was asked for. An AssertionError is a fault found."""
    parser = argparse.ArgumentParser(prog="python -m tests.ingest.durability", description=__doc__)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--disk-full", type=int, default=0)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        seconds = warm_up(Path(folder))
        kills(options.kills, Path(folder), rng, seconds)
        full_disks(options.disk_full, Path(folder), rng)


if __name__ == "__main__":
    main()
