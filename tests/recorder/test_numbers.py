"""Lines that an application lost on the way are told by `verify`, exactly, in every way they come."""

import io
import json
import random
import signal

import outlay_recorder
import pytest
from hypothesis import given
from hypothesis import strategies as st
from outlay_recorder.log import Log
from outlay_recorder.otlp import Otlp
from outlay_recorder.sinks import File

from ingest import store
from ingest.numbering import processes
from ingest.otlp import json_of
from ingest.reader import Options, Reader
from ingest.spool import Spool
from ingest.verify import verify
from tests.ingest.loading import load, opened, refusals
from tests.recorder.conftest import ASK, client, of, read, soon
from tests.recorder.test_safety import line, otlp_collector, process


@pytest.fixture
def lines(api, log):
    """Ten calls of one attempt and one of two: 23 lines of one process."""
    api.script = [soon(529)]
    recording = outlay_recorder.record(client(api), log)
    for _ in range(11):
        recording.messages.create(**ASK)
    assert outlay_recorder.flush()
    return log.read_text().splitlines(keepends=True)


def told(home):
    """(is it well, the sentence) about the recorder's lines."""
    with opened(home) as con:
        checks = list(verify(home, lambda sql: con.sql(sql).to_arrow_table()))
    [check] = [check for check in checks if check.sentence.startswith("recorder: ")]
    return check.is_well, check.sentence


def test_nothing_is_missing_of_a_whole_log(home, lines):
    load(home, "".join(lines))
    well = "recorder: 23 lines were numbered by 1 process, 23 are here, 0 the recorder itself reported as dropped"
    assert told(home) == (True, well)


def test_lines_that_were_removed_are_told_by_number(home, lines):
    """The second line, an attempt, and the fifth and sixth, an attempt and its call."""
    name = json.loads(lines[0])["process"]
    load(home, "".join(lines[:1] + lines[2:4] + lines[6:]))
    is_well, sentence = told(home)
    assert not is_well and "3 of 23 lines are missing:" in sentence
    assert f"process {name} lost 3 of 23 (not here: 2, 5 to 6)" in sentence


def test_what_several_files_hold_counts_once_in_whatever_order_they_come(home, lines):
    """Three files that overlap, the last one first, and one of them twice: line 12 is in none of them."""
    for part in (lines[12:], lines[:8], lines[4:11], lines[:8]):
        load(home, "".join(part))
    assert "lost 1 of 23 (not here: 12)" in told(home)[1]
    load(home, lines[11])
    assert told(home)[0]


def test_a_line_that_is_refused_came_and_one_that_is_torn_did_not(home, lines):
    attempt = next(number for number, text in enumerate(lines) if '"output_tokens"' in text)
    refused = lines[attempt].replace('"output_tokens":120', '"output_tokens":-1')
    torn = lines[-2][:80] + "\n"
    load(home, "".join([*lines[:attempt], refused, *lines[attempt + 1 : -2], torn, lines[-1]]))
    assert len(refusals(home)) == 2
    assert "lost 1 of 23 (not here: 22)" in told(home)[1]


def test_lines_in_envelopes_are_counted_too(home, lines):
    """As docker writes what a container prints."""
    stamp = {"stream": "stdout", "time": "2026-11-22T10:00:00.000000000Z"}
    load(home, "".join(json.dumps({"log": text} | stamp) + "\n" for text in lines[:9] + lines[10:]))
    assert "lost 1 of 23 (not here: 10)" in told(home)[1]


def test_what_was_dropped_and_reported_is_not_lost(home, log):
    """Room for 100 lines: what finds none is told by the recorder, and one line more is taken away."""
    writer = Log(File(log), limit=100)
    with writer._sending:  # as a sink that is busy
        for number in range(150):
            writer.write(line(number))
    assert writer.flush()
    lines = log.read_text().splitlines(keepends=True)
    [drops] = of(read(log), "drops")
    numbered = len(lines) + drops["dropped"]
    load(home, "".join(lines))
    assert told(home) == (
        True,
        f"recorder: {numbered} lines were numbered by 1 process, {len(lines)} are here, "
        f"{drops['dropped']} the recorder itself reported as dropped",
    )


def test_a_killed_process_is_told_exactly_and_so_is_what_was_lost_besides(home, log):
    """300 lines are written, then some hundreds more given and the process killed; the next one reports it."""
    code = """
        writer = Log(File(path), limit=500)
        for number in range(900):
            writer.write(dict(LINE))
            if number == 299:
                writer.flush()
        os.kill(os.getpid(), 9)
    """
    assert process(code, log).wait(120) == -signal.SIGKILL
    writer = Log(File(log))
    writer.write(line())
    assert writer.flush()
    writer.write(line())
    assert writer.flush()
    found = read(log)
    [killed] = [told for told in of(found, "drops") if told["reason"] == "killed"]
    own = [told for told in found if told["process"] == killed["lost_process"]]
    reported = killed["dropped"] + sum(told["dropped"] for told in of(own, "drops"))
    assert killed["lines_given"] == len(own) + reported >= 900
    whole = log.read_text().splitlines(keepends=True)
    load(home, "".join(whole[:10] + whole[11:]), "cut.jsonl")
    assert f"process {killed['lost_process']} lost 1 of {killed['lines_given']} (not here: 11" in told(home)[1]
    load(home, "".join(whole))
    is_well, sentence = told(home)
    assert is_well and f"{reported} the recorder itself reported as dropped" in sentence


def test_what_comes_over_otlp_is_counted_too(api, home):
    """Three exports of a call each, the second of which never arrives; groups are spooled before they land."""
    with otlp_collector([200]) as (address, exports):
        recording = outlay_recorder.record(client(api), Otlp(address))
        for _ in range(3):
            recording.messages.create(**ASK)
            assert outlay_recorder.flush(30)
    spool, reader = Spool(home), Reader(Options(), bytes(32), [])
    for export in (exports[0], exports[2]):
        spool.add(list(reader.read(io.BufferedReader(io.BytesIO(json_of(export, "logs"))), "OTLP", lambda block: None)))
    assert spool.land() is not None
    with opened(home) as con:
        store.fold(con, home)
    assert "lost 2 of 6 (not here: 3 to 4)" in told(home)[1]


@given(st.sets(st.integers(1, 60), min_size=1), st.integers(1, 6), st.randoms())
def test_any_numbers_in_any_pieces_add_up(numbers: set[int], pieces: int, dice: random.Random):
    """What is missing up to the highest number is what the set says, however its runs overlap and are cut."""
    runs = [("a" * 12, number, number) for number in numbers]
    for _ in range(pieces):
        first = dice.choice(sorted(numbers))
        last = first
        while last + 1 in numbers and dice.random() < 0.8:
            last += 1
        runs.append(("a" * 12, first, last))
    [found] = processes(runs, ())
    assert found.missing == found.lost == max(numbers) - len(numbers)
    assert [number for first, last in found.runs for number in range(first, last + 1)] == sorted(numbers)
