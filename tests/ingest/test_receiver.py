"""What the receiver acknowledges is on disk, and lands once, whatever dies in between."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa

from ingest import store
from ingest.receiver import Frame, Receiver
from ingest.spool import Spool
from tests.ingest.loading import attempts, opened, refusals

SPAN = {"traceId": "0" * 31 + "1", "startTimeUnixNano": "1795363754000000000", "endTimeUnixNano": "1795363755500000000"}


def frame(number: int, tokens: object = 60, name: str = "gen_ai.usage.input_tokens") -> Frame:
    attributes = [
        {"key": "gen_ai.request.model", "value": {"stringValue": "claude-opus-5-5"}},
        {"key": name, "value": {"intValue": tokens}},
    ]
    span = SPAN | {"spanId": f"{number:016x}", "attributes": attributes}
    return Frame(
        number, "traces", True, "", json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()
    )


def folded(home: Path) -> list[str]:
    with opened(home) as con:
        store.fold(con, home)
    return [attempt["event_id"][-1] for attempt in attempts(home)]


def groups(home: Path) -> list[Path]:
    return sorted((home / "spool").glob("*.arrow"))


def test_a_group_is_one_file_and_all_groups_are_one_load(home):
    receiver = Receiver(home)
    assert [answer.status for answer in receiver.take([frame(1), frame(2)])] == [200, 200]
    assert [answer.status for answer in receiver.take([frame(3)])] == [200]
    assert len(groups(home)) == 2 and not (home / "archive").exists()
    receiver.land()
    assert groups(home) == []
    [load] = (home / "archive").glob("*/load.json")
    assert json.loads(load.read_text())["source_name"] == "OTLP"
    assert sorted(folded(home)) == ["1", "2", "3"]
    assert sorted(attempt["row_no"] for attempt in attempts(home)) == [1, 2, 3]


def test_what_a_killed_receiver_acknowledged_lands_with_the_next_one(home):
    Receiver(home).take([frame(1)])
    Receiver(home)
    assert folded(home) == ["1"]


def test_landed_but_not_yet_removed_folds_to_nothing_new(home, tmp_path):
    receiver = Receiver(home)
    receiver.take([frame(1)])
    shutil.copytree(home / "spool", tmp_path / "before")
    receiver.land()
    shutil.copytree(tmp_path / "before", home / "spool", dirs_exist_ok=True)
    receiver.take([frame(2)])
    receiver.land()
    assert sorted(folded(home)) == ["1", "2"]


def test_a_bad_export_is_answered_by_itself(home):
    frames = [frame(1), Frame(2, "traces", True, "", b"rubbish"), frame(3, "many"), frame(4)]
    answers = {answer.id: answer for answer in Receiver(home).take(frames)}
    assert [answers[number].status for number in (1, 2, 3, 4)] == [200, 400, 200, 200]
    assert (answers[3].refused, answers[3].message) == (1, "input_tokens is not a whole number")
    assert answers[1].refused == answers[4].refused == 0


def test_spans_of_other_things_are_acknowledged_and_leave_nothing(home):
    receiver = Receiver(home)
    assert receiver.take([frame(1, name="db.rows")])[0].status == 200
    assert groups(home) == []


def test_a_full_disk_is_answered_with_try_again(home):
    receiver = Receiver(home)
    (home / "spool").write_text("in the way: nothing can be written below it")
    assert [answer.status for answer in receiver.take([frame(1)])] == [503]


def test_a_group_that_an_older_version_wrote_still_lands(home):
    Receiver(home).take([frame(1)])
    [path] = groups(home)
    table = pa.ipc.open_file(path.read_bytes()).read_all()
    older = table.drop_columns(["tags"]).append_column("gone_since", pa.nulls(table.num_rows, pa.string()))
    with pa.ipc.new_file(path, older.schema) as writer:
        writer.write_table(older)
    Spool(home).land()
    assert folded(home) == ["1"]


def test_a_group_that_the_disk_has_damaged_is_said_and_the_others_land(home):
    receiver = Receiver(home)
    receiver.take([frame(1)])
    receiver.take([frame(2)])
    groups(home)[0].write_bytes(b"rubbish")
    Receiver(home)
    assert folded(home) == ["2"]
    [(_, reason)] = refusals(home)
    assert "could not be read back" in reason
    assert len(list((home / "spool").glob("*.damaged"))) == 1


def test_log_records_tell_of_requests_in_their_attributes_or_their_text(home):
    told = {"model": "claude-opus-5-5", "input_tokens": 5, "output_tokens": 7}
    attributes = [
        {"key": name, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for name, value in (told | {"request_id": "req_1"}).items()
    ]
    records = [
        {"timeUnixNano": "1763463754000000000", "attributes": attributes, "body": {"stringValue": "called"}},
        {"timeUnixNano": "1763463754000000000", "body": {"stringValue": json.dumps(told | {"request_id": "req_2"})}},
        {"timeUnixNano": "1763463754000000000", "body": {"stringValue": "the weather is fine"}},
    ]
    body = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}).encode()
    receiver = Receiver(home)
    [answer] = receiver.take([Frame(1, "logs", True, "", body)])
    assert (answer.status, answer.refused) == (200, 0)
    receiver.land()
    with opened(home) as con:
        store.fold(con, home)
    assert [(attempt["request_id"], str(attempt["started_at"])) for attempt in attempts(home)] == [
        ("req_1", "2025-11-18 11:02:34"), ("req_2", "2025-11-18 11:02:34")
    ]  # fmt: skip


def test_the_process_that_reads_exports_ends_itself_beyond_its_memory(home):
    command = [sys.executable, "-m", "ingest.receiver", "--home", str(home), "--memory-mb=1"]
    ended = subprocess.run(command, stdin=subprocess.PIPE, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1 and "more than 1 MB of memory" in ended.stderr
