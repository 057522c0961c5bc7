"""The worked example: traffic on which limits, caching and batches together save 35 % at an unchanged model.

`python -m sample_logs.worked_example FILE.jsonl.gz` writes it. Every figure of it can be checked by hand (README.md).
"""

import gzip
import json
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

MODEL = "claude-sonnet-4-6"
INPUT_TOKENS, OUTPUT_TOKENS = 14_000, 1_200
PREFIX_TOKENS, SURPLUS_TOKENS = 5_000, 2_000
FIRST_DAY = datetime(2026, 11, 9)
DAYS = 5
ASSISTANT, NIGHTLY = 500, 40  # calls a day


def lines() -> Iterator[str]:
    """Five working days: people ask an assistant once a minute from eight o'clock on, and a report runs at two."""
    for day in range(DAYS):
        midnight = FIRST_DAY + timedelta(days=day)
        for number in range(NIGHTLY):
            yield _line(midnight + timedelta(hours=2, seconds=3 * number), "nightly_report", None)
        for number in range(ASSISTANT):
            yield _line(midnight + timedelta(hours=8, minutes=number), "assistant", f"u_{number * 7 % 20:02d}")


def _line(at: datetime, feature: str, user: str | None) -> str:
    record = {
        "timestamp": f"{at.isoformat()}Z",
        "request_id": f"req_{feature}_{at:%d%H%M%S}",
        "model": MODEL,
        "input_tokens": INPUT_TOKENS,
        "output_tokens": OUTPUT_TOKENS,
        "stop_reason": "end_turn",
        "latency_ms": 9_000,
        "max_tokens": 4_096,
        "feature": feature,
    }
    return json.dumps(record | ({"user_id": user} if user else {}))


def main() -> None:
    """Write the example to the file named on the command line."""
    text = "\n".join(lines()) + "\n"
    Path(sys.argv[1]).write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main()
