"""One load in a process of its own: bytes on standard input, one JSON object per line on standard output.

Progress lines carry `bytes` and `lines`; then comes one line with `load_id` and `is_known` for each log that landed.
What cannot be read ends the process with status 1 and a sentence on standard error.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

from ingest.chunk import Unreadable
from ingest.load import Loader
from ingest.reader import TwoFormats


def main() -> None:
    """Read standard input into the archive."""
    parser = argparse.ArgumentParser(prog="python -m ingest", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="the Outlay home whose archive takes the load")
    parser.add_argument("--name", required=True, help="what to call the log")
    options = parser.parse_args()
    last = 0.0

    def progress(read: int, lines: int) -> None:
        nonlocal last
        if time.monotonic() - last > 0.2:
            last = time.monotonic()
            print(json.dumps({"bytes": read, "lines": lines}), flush=True)

    try:
        for outcome in Loader(options.home).load_stream(os.fdopen(0, "rb"), options.name, progress):
            print(json.dumps({"load_id": outcome.landed.load_id, "is_known": outcome.is_known}), flush=True)
    except (Unreadable, TwoFormats) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
