"""`outlay verify` and `outlay rebuild`: every kind of damage is found, and what can be derived is derived again."""

import json
import subprocess
import sys

import duckdb
import pytest

from ingest import store
from ingest.archive import Archive
from ingest.rebuild import Figures, rebuild
from ingest.verify import verify
from tests.ingest.durability import REQUESTS, STEP, log
from tests.ingest.loading import load, opened


@pytest.fixture
def loaded(home):
    """Two logs that overlap by a hundred requests, and a line that is refused."""
    load(home, log(0), "a")
    load(home, log(1) + "rubbish\n", "b")
    return home


def faults(home):
    with opened(home) as con:
        return [
            check.sentence for check in verify(home, lambda sql: con.sql(sql).to_arrow_table()) if not check.is_well
        ]


def test_a_whole_home_is_whole(loaded):
    assert faults(loaded) == []


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ("delete from store.attempts where request_id = 'req_3'", "store"),
        ("update store.attempts set output_tokens = 8 where request_id = 'req_3'", "store"),
        ("insert into store.attempts from store.attempts limit 1", "attempts"),
        ("update store.loads set new_attempts = new_attempts + 1 where source_name = 'a'", "arithmetic"),
        ("delete from store.refusals", "store"),
        ("delete from store.loads where source_name = 'b'", "ledger"),
    ],
)
def test_damage_to_the_store_is_found_and_rebuilt(loaded, damage, named):
    with opened(loaded) as con:
        con.execute(damage)
    assert any(sentence.startswith(named) for sentence in faults(loaded))
    _, after = rebuild(loaded)
    assert after == Figures(loads=2, attempts=STEP + REQUESTS, refusals=1, set_aside=0)
    assert faults(loaded) == []


def test_damage_to_the_archive_is_found(loaded):
    first, second = Archive(loaded).loads()
    data = bytearray((first / "attempts.parquet").read_bytes())
    data[len(data) // 2] ^= 1
    (first / "attempts.parquet").write_bytes(data)
    said = json.loads((second / "load.json").read_text())
    (second / "load.json").write_text(json.dumps(said | {"read_records": 7}))
    [archive, _] = faults(loaded)
    assert f"{first.name} (attempts.parquet changed since it landed)" in archive
    assert f"{second.name} (says 7 records and holds" in archive


def test_leftovers_are_counted_and_do_no_harm(loaded):
    left = loaded / "landing" / "tmp-killed"
    left.mkdir(parents=True)
    (left / "attempts.parquet").write_bytes(bytes(10))
    with opened(loaded) as con:
        *_, last = verify(loaded, lambda sql: con.sql(sql).to_arrow_table())
    assert last.is_well and last.sentence.startswith("leftovers: 1 of interrupted loads, 10 bytes")


def test_a_rebuild_waits_for_the_owner_of_the_store(loaded):
    script = "import sys, pathlib; from ingest.rebuild import rebuild; rebuild(pathlib.Path(sys.argv[1]))"
    with opened(loaded):
        done = subprocess.run([sys.executable, "-c", script, str(loaded)], capture_output=True, text=True)
    assert done.returncode == 1 and store.StoreBusy.__name__ in done.stderr
    assert not list((loaded / "landing").iterdir())


def test_the_commands_say_it_in_sentences(loaded):
    def outlay(command):
        code = "from dashboard.cli import main; main()"
        return subprocess.run(
            [sys.executable, "-c", code, "--home", str(loaded), command], capture_output=True, text=True
        )

    said = outlay("verify")
    assert said.returncode == 0 and all(line.startswith("ok ") for line in said.stdout.splitlines()), said
    assert outlay("rebuild").stdout.splitlines() == [
        "before: 2 loads, 700 attempts, 1 refused lines, 0 loads set aside",
        "after:  2 loads, 700 attempts, 1 refused lines, 0 loads set aside",
    ]
    with duckdb.connect(str(loaded / "outlay.duckdb")) as con:
        con.execute("delete from attempts")
    said = outlay("verify")
    assert said.returncode == 1 and "NOT  store:" in said.stdout
