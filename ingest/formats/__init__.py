"""The formats that Outlay reads: one `.sql` file each, and this folder is the registry.

A format is a SELECT over `records` (line BIGINT, record VARCHAR: one JSON object). Its WHERE clause says which records
are its own; its columns, all text, are named as those of an attempt (`ingest.attempt`). Columns that it cannot fill are
left out. `no_request` marks a record which is the format's own but tells of no request.
"""

from functools import cache
from importlib.resources import files


@cache
def formats() -> dict[str, str]:
    """Name and SELECT of every format."""
    folder = files(__name__)
    return {
        entry.name.removesuffix(".sql"): entry.read_text(encoding="utf-8")
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".sql")
    }
