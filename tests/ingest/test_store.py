"""Folding: however and however often the data comes, the store says the same."""

import io
import json
import random
from datetime import date
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import store
from ingest.load import Loader
from tests.ingest.loading import attempts, counts, load, opened

GOOD = {"timestamp": "2026-11-22T10:00:00Z", "model": "m", "input_tokens": 5, "output_tokens": 7}


def lines(records):
    return "\n".join(map(json.dumps, records)) + "\n"


def test_the_same_content_under_another_name_is_known(home):
    [first] = load(home, lines([GOOD | {"request_id": "req_1"}]), "a.log")
    [again] = load(home, lines([GOOD | {"request_id": "req_1"}]), "b.log")
    assert first.load_id == again.load_id
    assert len(attempts(home)) == 1


def test_overlapping_pieces_add_up_to_the_whole(home):
    records = [GOOD | {"request_id": f"req_{i}"} for i in range(100)]
    load(home, lines(records[:60]), "a")
    [second] = load(home, lines(records[40:]), "b")
    assert counts(second) == (60, 40, 20, 0, 0)
    assert len(attempts(home)) == 100


def test_a_request_id_and_a_message_id_meet_in_a_third_telling(home):
    load(home, lines([GOOD | {"request_id": "req_1", "feature": "chat"}]))
    load(home, lines([GOOD | {"message_id": "msg_1", "team": "web"}]))
    assert len(attempts(home)) == 2
    [bridge] = load(home, lines([GOOD | {"request_id": "req_1", "message_id": "msg_1", "latency_ms": 10}]))
    assert counts(bridge) == (1, 0, 0, 1, 0)
    [attempt] = attempts(home)
    assert (attempt["feature"], attempt["team"], attempt["latency_ms"]) == ("chat", "web", 10)
    assert (attempt["attempt_id"], attempt["request_id"]) == ("msg_1", "req_1")


def test_a_day_given_by_hand_can_be_corrected(home):
    """The same message, put on one day and then on another, months apart, stays one attempt."""
    record = {name: value for name, value in GOOD.items() if name != "timestamp"} | {"message_id": "msg_1"}
    load(home, lines([record]), default_date=date(2026, 3, 1))
    [line] = load(home, lines([record]), default_date=date(2026, 11, 1))
    assert counts(line) == (1, 0, 0, 1, 0)
    load(home, lines([GOOD | record]))
    assert len(attempts(home)) == 1


def test_ids_made_up_by_applications_stay_the_same_over_attempts(home):
    base = GOOD | {"request_id": "order-17", "call_id": "c"}
    load(home, lines([base | {"attempt": 1, "error_type": "api_error"}, base | {"attempt": 2}]))
    assert [attempt["attempt_id"] for attempt in attempts(home)] == ["order-17#1", "order-17#2"]


@pytest.mark.parametrize("nothing", ["unknown", "null", "-", "N/A", "", "None"])
def test_words_for_no_id_do_not_make_one_attempt_of_many(home, nothing):
    load(home, lines([GOOD | {"request_id": nothing, "latency_ms": ms} for ms in (1, 2, 3)]))
    assert len(attempts(home)) == 3


ids = st.sampled_from([None, "1", "2", "3", "4"])
tellings = st.builds(
    lambda request, message, output, feature, latency: {
        name: value
        for name, value in (GOOD | {
            "request_id": request and f"req_{request}", "message_id": message and f"msg_{message}",
            "output_tokens": output, "feature": feature, "latency_ms": latency}).items()
        if value is not None
    },
    ids, ids, st.integers(0, 3), st.sampled_from([None, "a", "b"]), st.sampled_from([None, 1.5, 2.5]),
)  # fmt: skip


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(tellings, min_size=1, max_size=9), st.randoms(use_true_random=False))
def test_the_order_and_the_cut_of_loads_change_nothing(tmp_path_factory, records, rng: random.Random):
    """All in one load, against shuffled and cut into pieces with some of it sent twice."""
    whole, pieces = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("pieces")
    load(whole, lines(records))
    shuffled = rng.sample(records, len(records)) + rng.sample(records, len(records) // 2)
    while shuffled:
        cut = rng.randint(1, len(shuffled))
        [line] = load(pieces, lines(shuffled[:cut]))
        read, new, known, folded, refused = counts(line)
        assert read == new + known + folded + refused
        shuffled = shuffled[cut:]
    origin = {"load_id", "source_line", "row_no"}
    said = [
        sorted(json.dumps({k: v for k, v in row.items() if k not in origin}, default=str) for row in attempts(home))
        for home in (whole, pieces)
    ]
    assert said[0] == said[1]


def test_the_store_can_be_deleted_and_is_made_again(home):
    load(home, lines([GOOD | {"request_id": f"req_{i}"} for i in range(20)]), "a")
    load(home, lines([GOOD | {"request_id": "req_3", "message_id": "msg_3", "output_tokens": 70}, {"x": 1}]), "b")
    with opened(home) as con:
        before = con.execute("select * from store.attempts order by attempt_id").fetchall()
        ledger = con.execute("select * exclude folded_at from store.loads order by load_id").fetchall()
    (home / "outlay.duckdb").unlink()
    with opened(home) as con:
        store.fold(con, home)
        assert con.execute("select * from store.attempts order by attempt_id").fetchall() == before
        assert con.execute("select * exclude folded_at from store.loads order by load_id").fetchall() == ledger


def test_a_store_of_another_version_is_made_again(home):
    load(home, lines([GOOD | {"request_id": "req_1"}]))
    with duckdb.connect(str(home / "outlay.duckdb")) as con:
        con.execute("update version set version = 0")
    with opened(home) as con:
        assert con.execute("select count(*) from store.attempts").fetchall() == [(0,)]
        store.fold(con, home)
        assert con.execute("select count(*) from store.attempts").fetchall() == [(1,)]


def test_a_fold_that_fails_leaves_nothing_and_is_made_up_for(home, monkeypatch):
    load(home, lines([GOOD | {"request_id": "req_1"}]), "a")

    def fail(*_: object) -> None:
        raise RuntimeError("disk")

    with monkeypatch.context() as patch:
        patch.setattr(store, "_write_ledger", fail)
        with pytest.raises(RuntimeError):
            load(home, lines([GOOD | {"request_id": "req_2"}]), "b")
    assert len(attempts(home)) == 1
    with opened(home) as con:
        assert len(store.fold(con, home)) == 1
    assert len(attempts(home)) == 2


def test_a_large_slice_after_one_that_brought_nothing_new_is_visible(home, monkeypatch):
    """DuckDB 2.0.0 hides a large INSERT that follows an INSERT of no rows in the same transaction."""
    monkeypatch.setattr(store, "SLICE_ROWS", 125_000)
    known = [GOOD | {"request_id": f"req_{i}"} for i in range(125_000)]
    fresh = [GOOD | {"request_id": f"req_{i}"} for i in range(125_000, 250_000)]
    load(home, lines(known), "a")
    [line] = load(home, lines(known + fresh), "b")
    assert counts(line) == (250_000, 125_000, 125_000, 0, 0)
    with opened(home) as con:
        assert con.execute("select count(distinct attempt_id) from store.attempts").fetchall() == [(250_000,)]


def test_a_store_in_use_is_said_to_be(home):
    load(home, lines([GOOD]))
    import subprocess
    import sys

    with opened(home):
        script = (
            "import duckdb, pathlib, sys; from ingest import store\n"
            "try: store.open_store(duckdb.connect(), pathlib.Path(sys.argv[1]))\n"
            "except store.StoreBusy as error: print('busy:', error)"
        )
        said = subprocess.run([sys.executable, "-c", script, str(home)], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("busy:")


def land(home, request_id):
    """One load of one record, landed and not folded; its folder."""
    [outcome] = Loader(home).load_stream(
        io.BufferedReader(io.BytesIO(lines([GOOD | {"request_id": request_id}]).encode())), "a"
    )
    return home / "archive" / outcome.landed.load_id


@pytest.mark.parametrize("file", ["attempts.parquet", "refusals.parquet", "load.json"])
@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"rubbish")])
def test_a_damaged_load_is_set_aside_and_the_others_are_folded(home, file, damage):
    folders = [land(home, f"req_{i}") for i in range(5)]
    damage(folders[2] / file)
    with opened(home) as con:
        folded = store.fold(con, home)
        assert store.fold(con, home) == [], "and it is not tried again at once"
        reasons = store.set_aside(con, [folder.name for folder in folders])
    assert sorted(folded) == sorted(folder.name for folder in folders if folder != folders[2])
    assert len(attempts(home)) == 4
    assert list(reasons) == [folders[2].name] and reasons[folders[2].name]


def test_a_load_set_aside_is_folded_once_it_can_be(home):
    folder = land(home, "req_1")
    whole = (folder / "attempts.parquet").read_bytes()
    (folder / "attempts.parquet").write_bytes(b"rubbish")
    with opened(home) as con:
        assert store.fold(con, home) == []
        (folder / "attempts.parquet").write_bytes(whole)
        con.execute("update store.set_aside set tried_at = tried_at - $pause", {"pause": store.TRY_AGAIN_AFTER})
        assert store.fold(con, home) == [folder.name]
        assert store.set_aside(con, [folder.name]) == {}
    assert len(attempts(home)) == 1
