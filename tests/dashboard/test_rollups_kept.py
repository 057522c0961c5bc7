"""However logs come, together or in pieces, once or again: the sums that the owner keeps are those of the rows."""

import io
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import queries
from dashboard.owner import Owner
from ingest.load import Loader
from ingest.reader import Options
from tests.ingest.loading import load, opened

few = st.integers(0, 5)
records = st.fixed_dictionaries(
    {
        "timestamp": st.integers(0, 3000).map(
            lambda m: (datetime(2026, 11, 1) + timedelta(minutes=m)).isoformat() + "Z"
        ),
        "model": st.sampled_from(["claude-sonnet-5", "claude-haiku-4-5", "unheard-of"]),
        "input_tokens": few,
        "output_tokens": few,
        "stop_reason": st.sampled_from(["end_turn", "max_tokens", None]),
        "status": st.sampled_from([200, 200, 529]),
        "feature": st.sampled_from(["chat", "search", None]),
    },
    optional={
        "request_id": st.sampled_from([f"req_{number}" for number in range(12)]),
        "message_id": st.sampled_from([f"msg_{number}" for number in range(12)]),
        "call_id": st.sampled_from(["c1", "c2", "c3"]),
        "attempt": st.integers(1, 3),
        "user_id": st.sampled_from(["u_1", "u_2"]),
        "latency_ms": st.integers(1, 9_000),
    },
)


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Owner]:
    owner = Owner(tmp_path)
    yield owner
    owner.close()


def take_in(owner: Owner, log: list[dict[str, object]]) -> None:
    data = "".join(json.dumps(record) + "\n" for record in log).encode()
    list(Loader(owner.home, Options()).load_stream(io.BufferedReader(io.BytesIO(data)), "a.log"))
    owner.fold()


def sums(owner: Owner) -> dict[str, list[str]]:
    """Every rollup's rows, as text, without when things were first and last seen and without sums of nothing."""
    with owner.cursor() as cursor:
        return {
            view.name: sorted(
                repr([(name, value or 0) for name, value in row.items() if not name.startswith(("first_", "last_"))])
                for row in cursor.execute(f"from store.rolled_{view.name}").to_arrow_table().to_pylist()
            )
            for view in queries.catalogue()
            if view.layer == "rollups"
        }


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(st.lists(records, max_size=12), min_size=1, max_size=4))
def test_sums_are_those_of_the_rows_whatever_comes(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[list[dict[str, object]]]
) -> None:
    owner = Owner(tmp_path_factory.mktemp("home"))
    for piece in pieces:
        take_in(owner, piece)
    kept = sums(owner)
    with owner.cursor() as cursor:
        cursor.execute("delete from store.rollups")
        queries.keep(cursor)
    assert kept == sums(owner)
    owner.close()


def test_a_fold_that_nobody_listens_to_is_made_up_for(tmp_path: Path) -> None:
    load(tmp_path, json.dumps({"timestamp": "2026-11-22T10:00:00Z", "model": "m", "input_tokens": 5}))
    with opened(tmp_path) as con:
        assert con.execute("from store.rollups").fetchall() == []
    owner = Owner(tmp_path)
    with owner.cursor() as cursor:
        assert cursor.execute("select sum(attempts) from store.rolled_attempts_by_hour").fetchall() == [(1,)]
    owner.close()


def test_a_load_that_cannot_be_folded_leaves_the_sums_alone(owner: Owner) -> None:
    take_in(owner, [{"timestamp": "2026-11-22T10:00:00Z", "model": "m", "input_tokens": 5, "output_tokens": 5}])
    before = sums(owner)
    data = b'{"timestamp": "2026-11-22T11:00:00Z", "model": "m", "input_tokens": 5, "output_tokens": 5}\n'
    [landed] = Loader(owner.home, Options()).load_stream(io.BufferedReader(io.BytesIO(data)), "b.log")
    (owner.home / "archive" / landed.landed.load_id / "refusals.parquet").write_bytes(b"damaged")
    assert owner.fold() == []
    assert sums(owner) == before
