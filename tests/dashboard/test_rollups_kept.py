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
from dashboard.owner import Owner, wrong_sums
from ingest.load import Loader
from ingest.reader import Options
from queries.rollups import table
from tests.ingest.loading import load, opened

few = st.integers(0, 5)
records = st.fixed_dictionaries(
    {
        "timestamp": (st.integers(50, 70) | st.integers(0, 3000)).map(
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
    """What is kept, as text, without when things were first and last seen and without sums of nothing."""
    with owner.cursor() as cursor:
        return {
            view.path: sorted(
                repr([(name, value or 0) for name, value in row.items() if not name.startswith(("first_", "last_"))])
                for row in cursor.execute(f"from {table(view)}").to_arrow_table().to_pylist()
            )
            for view in queries.catalogue()
            if view.is_kept
        }


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(st.lists(records, max_size=12), min_size=1, max_size=4))
def test_sums_are_those_of_the_rows_whatever_comes(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[list[dict[str, object]]]
) -> None:
    owner = Owner(tmp_path_factory.mktemp("home"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("queries.rollups.MUCH", 0)  # what comes is added to what is there, however much it is
        for piece in pieces:
            take_in(owner, piece)
    kept = sums(owner)
    assert {rows for _, rows in wrong_sums(owner)} == {0}
    with owner.cursor() as cursor:
        cursor.execute("delete from store.rollups")
        queries.keep(cursor)
    assert kept == sums(owner)
    owner.close()


@pytest.mark.parametrize("much", [0, 1_000])
def test_an_answer_may_be_asked_for_again_in_the_next_hour_and_the_next_load(
    owner: Owner, monkeypatch: pytest.MonkeyPatch, much: int
) -> None:
    monkeypatch.setattr("queries.rollups.MUCH", much)
    common = {"model": "claude-sonnet-5", "input_tokens": 500, "user_id": "u_1", "feature": "chat"}
    cut = common | {
        "timestamp": "2026-11-22T10:59:00Z",
        "output_tokens": 64,
        "max_tokens": 64,
        "stop_reason": "max_tokens",
    }
    again = common | {
        "timestamp": "2026-11-22T11:01:00Z",
        "output_tokens": 90,
        "max_tokens": 128,
        "stop_reason": "end_turn",
    }
    take_in(owner, [cut])
    with owner.cursor() as cursor:
        assert cursor.execute("select count(*) from facts.asked_again").fetchall() == [(0,)]
        take_in(owner, [again])
        assert cursor.execute("select count(*) from facts.asked_again").fetchall() == [(1,)]
    assert {rows for _, rows in wrong_sums(owner)} == {0}


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


def test_sums_that_are_not_those_of_the_rows_are_found(owner: Owner) -> None:
    take_in(owner, [{"timestamp": "2026-11-22T10:00:00Z", "model": "m", "input_tokens": 5, "output_tokens": 5}])
    with owner.cursor() as cursor:
        cursor.execute("update store.rolled_attempts_by_hour set output_tokens = 6")
    wrong = dict(wrong_sums(owner))
    # The row that is there and the one that lacks; and what it costs, worked out from it.
    assert (wrong["rollups.attempts_by_hour"], wrong["facts.attempts_by_hour"]) == (2, 2)
    assert wrong["rollups.calls_by_hour"] == 0
