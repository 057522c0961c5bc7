"""All benchmarks: `python -m benchmarks [--small]`. Prints Markdown tables."""

import argparse
import logging
import platform
import tempfile
from importlib.metadata import version
from pathlib import Path


def main() -> None:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--small", action="store_true", help="a tenth of the size: 100,000 requests and 1 million")
    parser.add_argument("--only", choices=["ingest", "pages", "recorder"], help="one of the three")
    parser.add_argument("--folder", type=Path, help="keep the generated data here (some GB) and use it again")
    options = parser.parse_args()
    from benchmarks import ingest, pages, recorder, recorder_rate

    sizes = (100_000, 1_000_000) if options.small else (1_000_000, 10_000_000)
    logging.getLogger("streamlit").setLevel(logging.ERROR)  # it complains that no browser is looking
    print(f"Python {platform.python_version()}, DuckDB {version('duckdb')}, Streamlit {version('streamlit')}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if options.only in (None, "ingest"):
            ingest.run(sizes[0], folder)
        if options.only in (None, "pages"):
            for size in sizes:
                pages.run(size, folder)
        if options.only in (None, "recorder"):
            recorder.run()
            recorder_rate.run()


if __name__ == "__main__":
    main()
