"""All benchmarks, as a Markdown document: `python -m benchmarks > benchmarks/RESULTS.md`."""

import argparse
import logging
import os
import platform
import tempfile
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

BENCHMARKS = ("ingest", "pages", "refresh", "sessions", "signals", "recorder", "transcripts")
LABELLED = {"calm": range(6001, 6004), "wild": range(6001, 6004)}  # seeds that no threshold was chosen by
LIBRARIES = ("duckdb", "streamlit", "pyarrow", "polars", "pandas")


def main() -> None:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--small", action="store_true", help="a tenth of the size: 100,000 requests and 1 million")
    parser.add_argument("--large", action="store_true", help="100 million requests as well: some 10 GB, an hour")
    parser.add_argument("--only", choices=BENCHMARKS, help="one of them")
    parser.add_argument("--folder", type=Path, help="keep the generated data here (some GB) and use it again")
    options = parser.parse_args()
    from benchmarks import ingest, pages, recorder, recorder_rate, refresh, sessions, signals, transcripts

    sizes = [100_000, 1_000_000] if options.small else [1_000_000, 10_000_000]
    sizes += [100_000_000] if options.large else []
    logging.getLogger("streamlit").setLevel(logging.ERROR)  # it complains that no browser is looking
    print(_about())
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if options.only in (None, "ingest"):
            ingest.run(sizes[0], folder)
        if options.only in (None, "pages"):
            for size in sizes:
                pages.run(size, folder)
        if options.only in (None, "refresh"):
            for size in sizes[1:]:
                refresh.run(size, folder)
        if options.only in (None, "sessions"):
            sessions.run(sizes[0], folder)
        if options.only in (None, "signals"):
            for noise, seeds in LABELLED.items():
                signals.run(noise, seeds[:1] if options.small else seeds)
        if options.only in (None, "recorder"):
            recorder.run()
            recorder_rate.run()
        if options.only in (None, "transcripts"):
            transcripts.run(range(1, 2) if options.small else range(1, 11), folder)


def _about() -> str:
    """What is measured on, in which versions, and how."""
    versions = [f"{name} {found}" for name in LIBRARIES if (found := _version(name))]
    return f"""# What was measured

`sh run bench > benchmarks/RESULTS.md` writes this anew. Every ratio is against a baseline that ran in the same run, on
the same machine and data; the data are generated, the same for the same size. What each table measures stands in the
head of its module in this folder.

{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({_processor()}), {_memory()}, {platform.system()}
{platform.machine()}, Python {platform.python_version()}, {", ".join(versions)}."""


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"


def _memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB of memory"


if __name__ == "__main__":
    main()
