"""Column mappings at work: what a file's columns are, what a mapping would make of them, and the ones that were saved.

A saved mapping is used by itself for records that no format claims, where it is the only saved one that fits.
"""

import contextlib
import io
import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ingest.choices import choices
from ingest.chunk import Chunk, Unreadable
from ingest.compression import Unpacking, members
from ingest.mapping import BadMapping, Mapping, columns_in, parse
from ingest.reader import Options, Reader, Refusal
from ingest.records import chunks

SAMPLE = 256  # records that are looked at for their columns

_TABLE = "create table if not exists mappings (name text primary key, content text not null)"
_SHOWN = re.compile(r"[\d.,:TZ+/ -]{1,40}|[\w./:@-]*claude[\w./:@-]*", re.IGNORECASE)


# --- saved mappings ------------------------------------------------------------------------------------------------


def saved(home: Path) -> list[Mapping]:
    """The saved mappings of an Outlay home, by name. None where nothing was ever saved."""
    if not (home / "outlay.sqlite").exists():
        return []
    with choices(home, changes=False) as con:
        con.execute(_TABLE)
        rows = con.execute("select name, content from mappings order by name").fetchall()
    return [parse(content, name) for name, content in rows]


def save(home: Path, mapping: Mapping) -> None:
    """Keep a mapping under its name, in place of the one that has it."""
    with choices(home) as con:
        con.execute(_TABLE)
        con.execute("insert or replace into mappings values (?, ?)", (mapping.name, mapping.content))


def remove(home: Path, name: str) -> bool:
    """Forget a saved mapping; what was loaded with it stays. False if there is none of that name."""
    if not (home / "outlay.sqlite").exists():
        return False
    with choices(home) as con:
        con.execute(_TABLE)
        return con.execute("delete from mappings where name = ?", (name,)).rowcount > 0


def named(home: Path, name_or_path: str) -> Mapping:
    """A mapping by the name it was saved under, or from a TOML or JSON file. Raises BadMapping."""
    known = {mapping.name: mapping for mapping in saved(home)}
    if name_or_path in known:
        return known[name_or_path]
    path = Path(name_or_path)
    if path.is_file():
        try:
            return parse(path.read_text(encoding="utf-8-sig"), path.stem)
        except (OSError, UnicodeDecodeError) as error:
            raise BadMapping(f"{path}: cannot be read ({error})") from error
    there_are = f"saved are {', '.join(known)}" if known else "none is saved yet"
    raise BadMapping(f"{name_or_path}: no saved mapping and no file of that name; {there_are}")


# --- a file's columns ----------------------------------------------------------------------------------------------


def columns_of(path: Path) -> list[str]:
    """The columns of a file as a mapping names them: those of its first log, `/a/b` for values inside objects.

    Empty where its records are no table and no JSON. Raises `Unreadable` and OSError.
    """
    return list(samples_of(path))


def samples_of(path: Path, values: int = 3) -> dict[str, list[str]]:
    """For each column of a file, its first few values, masked: numbers, times and names of Claude models are shown as
    they are, of anything else letters are x and digits 0. Raises `Unreadable` and OSError.
    """  # fmt: skip
    found: dict[str, list[str]] = {}
    for record in _records(_first_chunk(path)):
        for column, value in columns_in(record):
            samples = found.setdefault(column, [])
            shown = _masked(value)
            if shown and len(samples) < values and shown not in samples:
                samples.append(shown)
    return found


def _first_chunk(path: Path) -> Chunk | None:
    with path.open("rb") as source:
        for name, stream in members(source, path.name, Unpacking()):
            if isinstance(stream, Unreadable):
                raise stream
            return next(chunks(stream, name, lambda block: None), None)
    return None


def _records(chunk: Chunk | None) -> Iterator[dict[str, Any]]:
    for text in chunk.texts.slice(0, SAMPLE).to_pylist() if chunk else ():
        if text.startswith("{"):
            with contextlib.suppress(ValueError, RecursionError):
                yield json.loads(text)


def _masked(value: object) -> str:
    if value is None or isinstance(value, (dict, list)):
        return ""
    text = str(value)
    if isinstance(value, (int, float)) or _SHOWN.fullmatch(text):
        return text
    return re.sub(r"\d", "0", re.sub(r"[^\W\d_]", "x", text[:40]))


# --- what would be read --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Preview:
    """What a mapping makes of the first records of a file."""

    missing: list[str]  # columns that the mapping names and the file has not
    attempts: list[dict[str, Any]]  # the records that can be read: fields of an attempt, without the unknown ones
    refusals: list[Refusal]  # and those that cannot, with the reason


def preview(path: Path, mapping: Mapping, records: int = 20, options: Options | None = None) -> Preview:
    """Read the first records of a file with a mapping and store nothing. Raises `Unreadable` and OSError."""
    chunk = _first_chunk(path)
    found = {column for record in _records(chunk) for column, _ in columns_in(record)}
    head = chunk.texts.slice(0, records).to_pylist() if chunk else []
    lines = chunk.lines.slice(0, records).to_pylist() if chunk else []
    reader = Reader(replace(options or Options(), mapping=mapping), secrets.token_bytes(32))
    text = "".join(" ".join(record.splitlines()) + "\n" for record in head)
    attempts: list[dict[str, Any]] = []
    refusals: list[Refusal] = []
    for batch in reader.read(io.BytesIO(text.encode()), path.name, lambda block: None):
        rows = batch.attempts.drop_columns(["row_no", "attempt_id"]).to_pylist()
        attempts += [
            {name: value for name, value in row.items() if value is not None}
            | {"source_line": lines[row["source_line"] - 1]}
            for row in rows
        ]
        refusals += [replace(refusal, line=lines[refusal.line - 1]) for refusal in batch.refusals]
    return Preview(mapping.missing(found), attempts, refusals)
