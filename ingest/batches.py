"""A batch's results brought together with what lies beside them: its batch object and the file of its requests.

A line of results carries neither a time nor what was asked. Beside means: in the same folder or the same zip archive.
Nothing is guessed: the batch object is the one whose id stands in the results' name, or the only one there is; the
requests are those of the only file that holds every custom_id of the first results.
"""

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from ingest.chunk import Bytes, Chunk, Unreadable
from ingest.records import chunks

Beside = Callable[[], Iterator[tuple[str, Bytes]]]  # the other logs in the folder or archive, anew at each call

MOST_REQUESTS = 100_000  # a batch holds no more

_REQUESTS = pa.schema([(name, pa.string()) for name in ("custom_id", "model", "max_tokens", "user_id")])


@dataclass(frozen=True)
class Pairing:
    """What is known of a log of results besides itself."""

    batch_id: str | None = None
    created_at: str | None = None
    requests: pa.Table = field(default_factory=_REQUESTS.empty_table)
    notes: tuple[str, ...] = ()

    @property
    def content(self) -> str:
        """All that it says, as text."""
        return json.dumps([self.batch_id, self.created_at, self.requests.to_pylist()])


def pairing(name: str, first: Chunk, beside: Beside) -> Pairing | None:
    """What lies beside the log `name` that begins with this chunk; None where it is no log of batch results."""
    asked = {record["custom_id"] for record in _objects(first) if _is_result(record)}
    if not asked:
        return None
    batches: dict[str, str] = {}
    requests: dict[str, dict[str, dict[str, str | None]]] = {}
    for other, stream in beside():
        with contextlib.suppress(Unreadable):
            for chunk in chunks(stream, other, lambda block: None):
                for record in _objects(chunk):
                    if record.get("type") == "message_batch" and record.get("id"):
                        batches[str(record["id"])] = str(record.get("created_at") or "")
                    elif isinstance(record.get("params"), dict) and isinstance(record.get("custom_id"), str):
                        requests.setdefault(other, {})[record["custom_id"]] = _request(record)
                if other not in requests or len(requests[other]) > MOST_REQUESTS:
                    break
    named = re.search(r"msgbatch_[A-Za-z0-9]+", name)
    batch_id = named[0] if named else next(iter(batches)) if len(batches) == 1 else None
    fitting = [other for other, found in requests.items() if asked <= found.keys()]
    notes = []
    if batch_id in batches:
        notes.append(f"batch results, dated by the batch object {batch_id} beside them")
    if len(fitting) == 1:
        notes.append(f"ceilings and users were taken from the requests in {fitting[0]}")
    elif fitting:
        notes.append(f"{' and '.join(fitting)} hold the same requests; none was used")
    found = list(requests[fitting[0]].values()) if len(fitting) == 1 else []
    return Pairing(
        batch_id, batches.get(batch_id or "") or None, pa.Table.from_pylist(found, schema=_REQUESTS), tuple(notes)
    )


def _objects(chunk: Chunk) -> Iterator[dict[str, Any]]:
    for text in chunk.texts.to_pylist():
        if '"custom_id"' in text or '"message_batch"' in text:
            with contextlib.suppress(ValueError, RecursionError):
                value = json.loads(text)
                if isinstance(value, dict):
                    yield value


def _is_result(record: dict[str, Any]) -> bool:
    return isinstance(record.get("custom_id"), str) and isinstance(record.get("result"), dict)


def _request(record: dict[str, Any]) -> dict[str, str | None]:
    params = record["params"]
    metadata = params.get("metadata")
    asked = {
        "custom_id": record["custom_id"],
        "model": params.get("model"),
        "max_tokens": params.get("max_tokens"),
        "user_id": metadata.get("user_id") if isinstance(metadata, dict) else None,
    }
    return {name: None if value is None else str(value) for name, value in asked.items()}
