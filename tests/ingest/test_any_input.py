"""Whatever the bytes: no exception but a sentence, no line lost, and read = new + known + folded + refused."""

import bz2
import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import store
from ingest.chunk import Unreadable
from ingest.load import Loader
from ingest.reader import Options, Reader
from tests.ingest.loading import opened

_READER = Reader(Options(), b"k" * 32)
RECORDS = [
    {"timestamp": "2026-11-20T10:00:00Z", "request_id": "req_1", "model": "claude-opus-5-5", "input_tokens": 5,
     "output_tokens": 6, "stop_reason": "end_turn", "latency_ms": 7.5, "feature": "chat", "user_id": "u"},
    {"timestamp": 1795363754, "type": "message", "id": "msg_1", "model": "claude-opus-5-5", "stop_reason": "max_tokens",
     "usage": {"input_tokens": 1, "output_tokens": 2, "cache_creation": {"ephemeral_5m_input_tokens": 3}}},
    {"type": "assistant", "sessionId": "s", "uuid": "u", "timestamp": "2026-11-20T08:00:00.000Z", "requestId": "req_d",
     "message": {"id": "msg_d", "model": "claude-opus-5-5", "usage": {"input_tokens": 4, "output_tokens": 7}}},
    {"timestamp": "2026-11-20T10:00:00Z", "model": "m", "error": {"type": "overloaded_error"}, "status": 529},
]  # fmt: skip

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def odd_records(draw: st.DrawFn) -> bytes:
    """A real record with one of its values, or one of its bytes, made into something else."""
    record = json.loads(json.dumps(draw(st.sampled_from(RECORDS))))
    for key in draw(st.lists(st.sampled_from(sorted(record)), max_size=2)):
        record[key] = draw(anything)
    line = json.dumps(record).encode()
    if draw(st.booleans()):
        at = draw(st.integers(0, len(line) - 1))
        line = line[:at] + draw(st.binary(max_size=3)) + line[at + draw(st.integers(0, 3)) :]
    return draw(st.sampled_from([b"", b"INFO:app:", b"2026-11-20T10:00:00Z stdout F "])) + line


def zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.log", data)
    return out.getvalue()


wrappings = st.sampled_from([bytes, gzip.compress, zstandard.compress, zipped, bz2.compress])
logs = st.lists(st.binary(max_size=60) | odd_records(), max_size=6).map(b"\n".join)


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzzed")


@pytest.fixture(scope="module")
def loader(shared_home: Path) -> Loader:
    return Loader(shared_home)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(log=logs, wrap=wrappings, cut=st.integers(0, 30))
def test_any_bytes_are_taken_or_refused_with_a_sentence(loader: Loader, log: bytes, wrap, cut: int) -> None:
    packed = wrap(log)
    packed = packed[: len(packed) - cut] if cut < 10 else packed
    try:
        for outcome in loader.load_stream(io.BufferedReader(io.BytesIO(packed)), "odd.log"):
            landed = outcome.landed
            assert landed.refused_records <= landed.read_records
    except Unreadable as sentence:
        assert str(sentence).startswith("odd.log")


@settings(max_examples=60)
@given(lines=st.lists(odd_records().filter(lambda line: line.strip() and not set(line) & set(b"\r\n\0")), max_size=6))
def test_every_line_is_an_attempt_or_refused_or_said_to_hold_none(lines: list[bytes]) -> None:
    """A first line that is a record settles the layout: one record a line."""
    log = b"\n".join([json.dumps(RECORDS[0]).encode(), *lines])
    told, refused, other, last = 0, 0, 0, 0
    for batch in _READER.read(io.BytesIO(log), "odd.log", lambda block: None):
        told += batch.attempts.num_rows
        refused += len(batch.refusals)
        other += batch.other_lines
        last = batch.last_line
    assert last == 1 + len(lines)
    assert told + refused + other >= last


def test_all_that_was_read_adds_up(shared_home: Path, loader: Loader) -> None:
    """The homes of the tests above, folded: the arithmetic of every load."""
    with opened(shared_home) as con:
        store.fold(con, shared_home)
        sums = con.execute("""
            select count(*), count(*) filter (
                read_records <> new_attempts + known_records + folded_records + refused_records)
            from store.loads
        """).fetchone()
    assert sums is not None
    assert sums[1] == 0
