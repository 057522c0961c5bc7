"""The formats that Outlay reads: one `.sql` file each, and this folder is the registry.

A format is a SELECT over `records` (line BIGINT, record VARCHAR: one JSON object). Its WHERE clause says which records
are its own; its columns, all text, are named as those of an attempt (`ingest.attempt`). Columns that it cannot fill are
left out. `no_request` marks a record which is the format's own but tells of no request; `told_refusal` says why one
cannot be taken.

A line `-- Keys: a, b` names keys of which every record of the format has one at its top level: where none of them is
met, the format is not asked.
"""

import re
from collections.abc import Set
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


@cache
def _keys() -> dict[str, frozenset[str]]:
    """The keys that each format names in its header."""
    named = {name: re.search(r"^-- Keys: (.+)$", sql, re.MULTILINE) for name, sql in formats().items()}
    return {name: frozenset(keys[1].split(", ")) for name, keys in named.items() if keys}


def formats_with(keys: Set[str]) -> list[str]:
    """The formats that a record with some of these keys may belong to."""
    return [name for name in formats() if name not in _keys() or keys & _keys()[name]]
