"""A glance at a file in a process of its own: what its columns are, and what a mapping would make of its first records.

Standard output is one JSON object. What cannot be read ends the process with status 1 and a sentence on standard error.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

import duckdb

from ingest import mappings
from ingest.chunk import Unreadable
from ingest.limits import Watch
from ingest.mapping import parse
from ingest.reader import TwoFormats

MEMORY_BYTES = 1 << 30
CPU_SECONDS = 60.0


def main() -> None:
    """Print the columns of a file with their first values, or, given a mapping, what it would make of them."""
    parser = argparse.ArgumentParser(prog="python -m ingest.glance", description=__doc__)
    parser.add_argument("path", type=Path, help="the file")
    parser.add_argument("--mapping", help="a mapping, as JSON")
    parser.add_argument("--records", type=int, default=20, help="how many records the mapping is tried on")
    given = parser.parse_args()
    Watch(MEMORY_BYTES, CPU_SECONDS)
    try:
        if given.mapping:
            said = asdict(mappings.preview(given.path, parse(given.mapping), given.records))
        else:
            said = {"samples": mappings.samples_of(given.path)}
    except (Unreadable, TwoFormats, ValueError, OSError, MemoryError, duckdb.Error) as error:
        sys.exit(" ".join(str(error).split()) or type(error).__name__)
    print(json.dumps(said, default=str))


if __name__ == "__main__":
    main()
