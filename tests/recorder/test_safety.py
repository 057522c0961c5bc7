"""The recorder never hurts the application, and never loses a line without a word."""

import contextlib
import gzip
import json
import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import anthropic
import outlay_recorder
import pytest
from outlay_recorder.log import Log
from outlay_recorder.otlp import Otlp
from outlay_recorder.sinks import File, Stream

from ingest.otlp import json_of
from tests.fake_messages_api import Turn
from tests.ingest.loading import attempts, load, refusals
from tests.ingest.test_follow import following, request_ids
from tests.recorder.conftest import ASK, CANARY, SCHEMA, Lines, client, of, read


class Stalled(Stream):
    """A sink that takes nothing until it is let go."""

    def __init__(self) -> None:
        self.go, self.taken = threading.Event(), list[bytes]()

    def send(self, lines: Sequence[bytes]) -> int:
        self.go.wait()
        self.taken += lines
        return len(lines)

    def lines(self) -> Lines:
        found = [json.loads(line) for line in self.taken]
        for line in found:
            SCHEMA.validate(line)
        return found


class Broken(Stalled):
    """A sink that fails until it is let go."""

    def send(self, lines: Sequence[bytes]) -> int:
        if not self.go.is_set():
            raise OSError("no space left on device")
        return super().send(lines)


def line(number: int = 0) -> dict[str, Any]:
    call = {"kind": "call", "started_at": "2026-11-22T10:00:00.000000Z", "call_id": f"c{number}", "attempts": 1}
    return call | {"latency_ms": 1.0, "wait_ms": 0.0, "is_failed": False}


def process(code: str, log: Path, *arguments: str) -> "subprocess.Popen[bytes]":
    """A process of its own, as an application is one: this one has threads and engines that no fork survives."""
    start = f"""
        import json, multiprocessing, os, pathlib, sys
        import anthropic, outlay_recorder
        from outlay_recorder.log import Log
        from outlay_recorder.sinks import File
        path, LINE = pathlib.Path(sys.argv[1]), {line()!r}
    """
    whole = textwrap.dedent(start) + textwrap.dedent(code)
    return subprocess.Popen([sys.executable, "-c", whole, str(log), *arguments])


def accounted(lines: Lines) -> int:
    """Lines that are there, and lines of which the log says that they are not."""
    return len(lines) + sum(line["dropped"] for line in of(lines, "drops"))


def numbers(lines: Lines) -> list[int]:
    return [line["seq"] for line in lines]


# --- nothing that must not ---


def test_no_text_key_or_header_reaches_the_log(api, log, recorded, caplog):
    """The canary stands in the prompt, tools, metadata, answer, error message, headers and key; `read` looks for it."""
    caplog.set_level(logging.DEBUG, "outlay_recorder")
    said = Turn(text="CANARY", headers={"x-canary": "CANARY"}, stop_reason="CANARY says: stop")
    api.script = [said, Turn(400, headers={"request-id": "CANARY in a header"}), said, Turn(error_event="CANARY 1")]
    recording = outlay_recorder.record(client(api, default_headers={"x-app": CANARY}), log)
    tool = {"name": CANARY, "description": CANARY, "input_schema": {"type": "object", "properties": {CANARY: {}}}}
    ask = ASK | {"tools": [tool], "metadata": {"user_id": CANARY}, "stop_sequences": [CANARY]}
    recording.messages.create(**ask)
    with pytest.raises(anthropic.BadRequestError):
        recording.messages.create(**ask)
    for _ in range(2):
        try:
            list(recording.messages.create(stream=True, **ask))
        except anthropic.APIStatusError as error:
            assert CANARY in str(error)  # the application is told; the log is not
    assert len(of(recorded(), "attempt")) == 4
    assert CANARY not in caplog.text


def test_a_key_that_strays_into_a_label_is_taken_out(api, log, recorded):
    outlay_recorder.record(client(api), log, feature="sk-ant-api03-secret").messages.create(**ASK)
    assert "secret" not in json.dumps(recorded())


# --- nothing raised, nothing awaited ---


def test_a_disk_that_fails_is_not_the_applications_problem(api, tmp_path, caplog):
    """A folder that cannot be made: the calls go through, and the application's log says once what is wrong."""
    (tmp_path / "file").write_text("")
    recording = outlay_recorder.record(client(api), tmp_path / "file" / "claude.jsonl")
    for _ in range(3):
        assert recording.messages.create(**ASK).id
    assert not outlay_recorder.flush(0.2)
    assert [record.levelname for record in caplog.records if record.name == "outlay_recorder.log"] == ["WARNING"]
    (tmp_path / "file").unlink()
    assert outlay_recorder.flush() and len(read(tmp_path / "file" / "claude.jsonl")) == 6


def test_a_sink_that_stalls_holds_nobody_up_and_memory_is_bounded():
    """Of 1,000 lines 100 wait with the sink and 100 for it; the rest is counted, and the count is in the log."""
    sink = Stalled()
    log = Log(sink, limit=100)
    for number in range(100):
        log.write(line(number))
    while log._waiting:  # until the writer has taken them to the sink
        log._wake()
    for number in range(900):
        log.write(line(number))
    assert len(log._waiting) == 100 and not log.flush(0.05)
    sink.go.set()
    assert log.flush()
    lines = sink.lines()
    assert [line["dropped"] for line in of(lines, "drops")] == [800] and accounted(lines) == 1001


def test_a_sink_that_works_again_gets_everything_once():
    sink = Broken()
    log = Log(sink)
    for number in range(10):
        log.write(line(number))
    assert not log.flush(0.1)
    sink.go.set()
    assert log.flush()
    assert numbers(sink.lines()) == list(range(1, 11))


def test_threads_write_whole_lines_each_once(log):
    writer = Log(File(log))
    threads = [threading.Thread(target=lambda: [writer.write(line()) for _ in range(500)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert writer.flush()
    assert numbers(read(log)) == list(range(1, 4001))


# --- files that come and go ---


def test_a_full_file_is_renamed_and_nothing_is_lost(log):
    """About 200 bytes a line, 10 kB a file: some twenty files, whose lines are all there."""
    writer = Log(File(log, max_bytes=10_000, keep=None))
    for number in range(1, 1001):
        writer.write(line(number))
        if number % 40 == 0:
            assert writer.flush()
    files = sorted(log.parent.glob("claude*.jsonl"), key=lambda file: (file == log, file.name))
    assert len(files) > 15 and all(file.stat().st_size <= 10_000 for file in files)
    assert [seq for file in files for seq in numbers(read(file))] == list(range(1, 1001))


def test_a_follower_reads_on_across_renames(home, log):
    """300 attempts in files of 10 kB, looked at every 50 lines: each is stored once."""
    writer = Log(File(log, max_bytes=10_000, keep=None))
    attempt = {"kind": "attempt", "attempt_no": 1, "is_streamed": False, "client_version": "x", "model": "m"}
    log.touch()
    with following(home, log) as follower:
        for number in range(300):
            writer.write(line(number) | attempt | {"request_id": f"req_{number}"})
            if number % 50 == 49:
                assert writer.flush()
                follower.look()
    assert len(list(log.parent.glob("claude.*.jsonl"))) >= 3
    assert request_ids(home) == sorted(f"req_{number}" for number in range(300))


def test_as_many_full_files_stay_as_are_wanted(log):
    writer = Log(File(log, max_bytes=1_000, keep=2))
    for number in range(20):
        writer.write(line(number))
        assert writer.flush()
    assert len(list(log.parent.glob("claude*.jsonl"))) == 3


def test_a_file_that_logrotate_moves_is_begun_anew(log):
    writer = Log(File(log))
    writer.write(line(1))
    assert writer.flush()
    moved = log.rename(log.with_suffix(".jsonl.1"))
    writer.write(line(2))
    assert writer.flush()
    assert (numbers(read(moved)), numbers(read(log))) == ([1], [2])


def test_processes_share_a_file(log):
    """Four processes write 500 lines each into files of 20 kB: 2,000 whole lines, each process's own in order."""
    code = """
        writer = Log(File(path, max_bytes=20_000, keep=None))
        for number in range(500):
            writer.write(dict(LINE))
            if number % 50 == 0:
                writer.flush()
    """
    running = [process(code, log) for _ in range(4)]
    assert [one.wait(120) for one in running] == [0] * 4
    found: dict[str, list[int]] = {}
    for file in sorted(log.parent.glob("claude*.jsonl"), key=lambda file: (file == log, file.name)):
        for told in read(file):
            found.setdefault(told["process"], []).append(told["seq"])
    assert sorted(map(len, found.values())) == [500] * 4
    assert all(seqs == list(range(1, 501)) for seqs in found.values())
    assert not list(log.parent.glob(".*.tally"))


# --- processes that come and go ---


def test_a_fork_writes_its_own_lines_and_not_its_parents(api, log):
    code = """
        recording = outlay_recorder.record(anthropic.Anthropic(api_key="k", base_url=sys.argv[2]), path)
        ask = json.loads(sys.argv[3])
        recording.messages.create(**ask)
        child = multiprocessing.get_context("fork").Process(target=lambda: recording.messages.create(**ask))
        child.start()
        child.join()
        sys.exit(child.exitcode)
    """
    assert process(code, log, api.url, json.dumps(ASK)).wait(120) == 0
    lines = read(log)
    assert len({line["process"] for line in lines}) == 2
    assert sorted(numbers(lines)) == [1, 1, 2, 2]


def test_the_last_lines_are_written_at_the_end_of_the_process(log):
    code = """
        writer = Log(File(path))
        for _ in range(5000):
            writer.write(dict(LINE))
    """
    assert process(code, log).wait(180) == 0
    assert numbers(read(log)) == list(range(1, 5001))
    assert [file.name for file in log.parent.iterdir()] == ["claude.jsonl"]


@pytest.mark.parametrize("written", [0, 400])
def test_what_a_killed_process_had_not_written_is_counted_by_the_next(log, written):
    """It says how many lines it has been given, and is killed in the middle of it; the next process tells the rest."""

    code = """
        written = int(sys.argv[2])
        writer = Log(File(path), limit=500)
        for number in range(written + 1700):
            writer.write(dict(LINE))
            if number + 1 == written:
                writer.flush()
        os.kill(os.getpid(), 9)
    """
    assert process(code, log, str(written)).wait(120) == -signal.SIGKILL
    writer = Log(File(log))
    writer.write(line())
    assert writer.flush()
    writer.write(line())
    assert writer.flush()
    lines = read(log)
    [told] = [line for line in of(lines, "drops") if line["reason"] == "killed"]
    of_killed = [line for line in lines if line["process"] == told["lost_process"]]
    reported = of(of_killed, "drops")
    assert told["dropped"] > 0
    assert accounted(of_killed) - len(reported) + told["dropped"] == written + 1700


def test_a_line_that_was_cut_by_a_kill_does_not_spoil_the_next(log):
    log.write_bytes(b'{"outlay_recorder":1,"process":"aaaaaaaaaaaa","seq":7,"ki')
    writer = Log(File(log))
    writer.write(line())
    assert writer.flush()
    torn, whole = log.read_text().splitlines()
    assert torn.endswith('"ki') and json.loads(whole)["seq"] == 1


def test_a_write_that_stops_half_way_is_made_good(log, monkeypatch):
    """A disk that takes 30 bytes and then no more, once."""
    writer, write, sizes = Log(File(log)), os.write, iter([30])
    writer.write(line(1))
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[: next(sizes, None)]))
    assert writer.flush(5)
    half, whole = log.read_text().splitlines()
    assert len(half) == 30 and json.loads(whole)["seq"] == 1


# --- other sinks ---


@contextlib.contextmanager
def otlp_collector(statuses: list[int]) -> Iterator[tuple[str, list[bytes]]]:
    """A collector that answers with these statuses, the last one for ever, and keeps what it is sent."""
    exports: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            exports.append(gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body)
            self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1/logs", exports
    finally:
        server.shutdown()
        server.server_close()


def test_standard_output_and_logging_take_the_same_lines(api, capsys, caplog):
    caplog.set_level(logging.INFO, "outlay")
    outlay_recorder.record(client(api), outlay_recorder.Stdout()).messages.create(**ASK)
    outlay_recorder.record(client(api), outlay_recorder.Logging("outlay")).messages.create(**ASK)
    assert outlay_recorder.flush()
    printed = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    logged = [json.loads(record.message) for record in caplog.records if record.name == "outlay"]
    for lines in (printed, logged):
        assert [line["kind"] for line in lines] == ["attempt", "call"]
        for told in lines:
            SCHEMA.validate(told)


def test_a_collector_takes_the_same_lines_and_outlay_reads_them(api, home):
    """The first export is turned away and sent again; what was told twice counts once."""
    with otlp_collector([503, 200]) as (address, exports):
        outlay_recorder.record(client(api), Otlp(address), feature="search").messages.create(**ASK)
        assert outlay_recorder.flush(30)
    load(home, b"\n".join(json_of(export, "logs") for export in exports))
    assert len(exports) >= 2 and not refusals(home)
    [attempt] = attempts(home)
    assert (attempt["feature"], attempt["source_format"], attempt["output_tokens"]) == ("search", "recorder", 120)


class Answer:
    """An answer of a megabyte that waits to be read."""

    count, weight = 1, 1 << 20

    def __init__(self) -> None:
        self.is_read = False

    def lines(self) -> Lines:
        self.is_read = True
        return [line(1)]


def test_answers_that_wait_to_be_read_are_bounded_in_bytes():
    """Sixteen megabytes wait for a sink that takes nothing; whoever comes with more reads its own."""
    sink, answers = Stalled(), [Answer() for _ in range(40)]
    log = Log(sink)
    log.write(line(0))
    waits_for(lambda: not log._waiting)  # the writer has taken the first line, and is stuck with it
    for answer in answers:
        log.write(answer)
    assert [answer.is_read for answer in answers] == [False] * 16 + [True] * 24
    sink.go.set()
    assert log.flush() and len(sink.lines()) == 41 and all(answer.is_read for answer in answers)


def waits_for(true: Callable[[], bool]) -> None:
    for _ in range(1000):
        if true():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not come to that")


def test_one_writer_serves_all_clients_of_a_file(api, log: Path, recorded):
    for feature in ("a", "b"):
        outlay_recorder.record(client(api), log, feature=feature).messages.create(**ASK)
    assert numbers(recorded()) == [1, 2, 3, 4]
