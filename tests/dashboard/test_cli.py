"""The command line, as a process: words, exit codes, and what a pipe gets."""

import csv
import gzip
import io
import json
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

GOOD = {"timestamp": "2026-11-20T10:00:00Z", "model": "claude-opus-5-5", "input_tokens": 1000, "output_tokens": 100}
README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def outlay(home, *arguments, stdin=""):
    command = [
        sys.executable,
        "-c",
        "from dashboard.cli import main; main()",
        "--home",
        str(home),
        *map(str, arguments),
    ]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120)


def log(folder, name="a.jsonl", count=3, **change):
    folder.mkdir(exist_ok=True, parents=True)
    records = [GOOD | {"request_id": f"req_{name}_{i}"} | change for i in range(count)]
    (folder / name).write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return folder / name


def test_a_load_says_what_became_of_every_record(home, tmp_path):
    path = log(tmp_path / "logs")
    path.write_text(path.read_text() + path.read_text() + "rubbish\n", encoding="utf-8")
    said = outlay(home, "ingest", path)
    assert said.returncode == 0, said.stderr
    assert "a.jsonl: 7 read = 3 new + 3 already known + 0 folded + 1 refused" in said.stdout
    assert "refused 1: no record in this line (first at line 7)" in said.stdout
    assert said.stderr == "", "no progress bar in a pipe"
    again = outlay(home, "ingest", path)
    assert "7 read = 0 new + 6 already known + 0 folded + 1 refused" in again.stdout


def test_folders_globs_and_standard_input(home, tmp_path):
    log(tmp_path / "logs", "a.jsonl", feature="one")
    log(tmp_path / "logs", "b.log", feature="two")
    (tmp_path / "logs" / "notes.md").write_text("no log")
    said = outlay(home, "ingest", tmp_path / "logs", tmp_path / "logs" / "*.log", "-", stdin=json.dumps(GOOD))
    assert said.returncode == 0, said.stderr
    assert "4 logs: 10 read = 7 new + 3 already known" in said.stdout
    assert "standard input: 1 read = 1 new" in said.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["ingest", "nowhere/*.log"], 2, "there is no such file, folder or match"),
        (["ingest", "-", "--zone", "Mars/Base"], 2, "unknown time zone"),
        (["ingest", "-", "--follow"], 2, "leave --follow out"),
        (["ingest", "/nowhere/app.log", "--follow"], 2, "no such folder"),
        (["serve", "--host", "0.0.0.0"], 2, "anybody could read and change everything"),
        (["query", "delete from store.attempts"], 1, "one SELECT at a time"),
        (["query", "select nothing_such from facts.calls"], 1, "nothing_such"),
        (["query", "select * from read_text('/etc/passwd')"], 1, "Permission"),
        (["query", "select 1; select 2"], 1, "one SELECT at a time"),
    ],
)
def test_mistakes_are_answered_in_a_sentence(home, arguments, code, sentence):
    said = outlay(home, *arguments, stdin=json.dumps(GOOD))
    assert said.returncode == code
    assert sentence in said.stderr and "Traceback" not in said.stderr


def test_a_compressed_log_comes_through_a_pipe(home):
    command = [sys.executable, "-c", "from dashboard.cli import main; main()", "--home", str(home), "ingest", "-"]
    said = subprocess.run(command, input=gzip.compress(json.dumps(GOOD).encode()), capture_output=True, timeout=120)
    assert b"1 read = 1 new" in said.stdout, said.stderr


def test_an_unreadable_input_fails_and_the_others_are_loaded(home, tmp_path):
    good, bad = log(tmp_path / "logs"), tmp_path / "logs" / "b.log"
    bad.write_bytes(b"\x00\x01\x02")
    said = outlay(home, "ingest", bad, good)
    assert said.returncode == 1
    assert "b.log: not text" in said.stderr and "3 new" in said.stdout


def test_of_an_archive_with_one_bad_file_the_others_are_counted(home, tmp_path):
    packed = tmp_path / "a.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(log(tmp_path, count=3), "good.jsonl")
        archive.writestr("picture.png", b"\0" * 100)
    said = outlay(home, "ingest", packed)
    assert said.returncode == 1 and "a.zip/picture.png: not text" in said.stderr
    assert "a.zip/good.jsonl: 3 read = 3 new" in said.stdout


def test_queries_in_three_formats_keep_every_digit(home, tmp_path):
    """1,000 input at $4 and 100 output at $20 per million tokens: $0.006 each."""
    outlay(home, "ingest", log(tmp_path / "logs", count=2, feature="chat"))
    sql = "select feature, sum(cost_usd) as cost_usd, count(*) as calls from facts.calls group by feature"
    assert json.loads(outlay(home, "query", sql, "--format", "json").stdout) == [
        {"feature": "chat", "cost_usd": "0.012000000000", "calls": 2}
    ]
    rows = list(csv.reader(io.StringIO(outlay(home, "query", sql, "--format", "csv").stdout)))
    assert rows == [["feature", "cost_usd", "calls"], ["chat", "0.012000000000", "2"]]
    table = outlay(home, "query", sql).stdout.splitlines()
    assert table[0].split() == ["feature", "cost_usd", "calls"] and table[2].split() == ["chat", "0.012000000000", "2"]


def test_prices_name_the_models_without_one(home, tmp_path):
    loaded = outlay(home, "ingest", log(tmp_path / "logs", count=2, model="shop-internal"))
    assert "no price: shop-internal (2 attempts)" in loaded.stdout
    said = outlay(home, "prices")
    assert "claude-opus-5-5" in said.stdout and "Logged models without a price:" in said.stdout
    assert "shop-internal" in outlay(home, "prices", "--unpriced").stdout


def test_status_of_an_empty_home(home):
    said = outlay(home, "status")
    assert said.returncode == 0 and re.search(r"attempts\s+0", said.stdout)


def test_refused_lines_can_be_written_out(home, tmp_path):
    path = tmp_path / "a.log"
    path.write_text("rubbish\n")
    outlay(home, "ingest", path, "--refusals", tmp_path / "refused.csv")
    rows = list(csv.reader((tmp_path / "refused.csv").open()))
    assert rows[0] == ["source_name", "source_line", "reason", "preview"]
    assert rows[1] == ["a.log", "1", "no record in this line", "xxxxxxx"]


def test_the_command_line_works_while_the_server_runs(home, tmp_path, server):
    address = server(home)
    said = outlay(home, "ingest", log(tmp_path / "logs", feature="chat"))
    assert said.returncode == 0 and "3 read = 3 new" in said.stdout, said.stderr
    assert json.loads(outlay(home, "query", "select count(*) as n from facts.calls", "--format", "json").stdout) == [
        {"n": 3}
    ]
    assert "one SELECT at a time" in outlay(home, "query", "drop table store.loads").stderr
    assert "in use" in outlay(home, "serve", "--port", "1" + address.rsplit(":", 1)[1][1:]).stderr


def test_following_goes_on_beside_a_server_and_ends_in_order(home, tmp_path, server):
    address = server(home)
    path = log(tmp_path / "logs", count=2)
    command = [sys.executable, "-c", "from dashboard.cli import main; main()", "--home", str(home), "ingest"]
    with subprocess.Popen([*command, "--follow", str(path)], stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        assert following.stdout.readline() == "a.jsonl: 2 records read\n"
        with path.open("a") as file:
            file.write(json.dumps(GOOD | {"request_id": "req_last"}) + "\n")
        following.send_signal(signal.SIGTERM)
        assert following.stdout.read() == "a.jsonl from line 3: 1 records read\n"
        assert following.wait(timeout=30) == 0
    shown = json.loads(outlay(home, "query", "select count(*) as n from facts.calls", "--format", "json").stdout)
    assert shown == [{"n": 3}], address


def test_the_command_line_imports_nothing_heavy_before_it_is_needed():
    heavy = "{'streamlit', 'pandas', 'pyarrow', 'duckdb'}"
    code = f"import sys, dashboard.cli; print(sorted({heavy} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_every_command_is_in_the_readme():
    from dashboard.cli import main
    from dashboard.settings import VARIABLES

    for command in main.commands:
        assert f"outlay {command}" in README
    for variable, what in VARIABLES.items():
        assert variable in README and what.split("(")[0].strip()[:40] in README


def test_a_mapping_is_suggested_saved_used_and_removed(home, tmp_path):
    table = tmp_path / "usage.csv"
    table.write_text("Day,LLM,Tokens In,Tokens Out\n2026-11-20T10:00:00Z,claude-opus-5-5,1000,100\n", encoding="utf-8")
    guess = outlay(home, "mappings", "suggest", table)
    assert guess.returncode == 0 and "left over: Day" in guess.stderr
    mapping = json.loads(guess.stdout)
    mapping["columns"]["started_at"] = "Day"
    path = tmp_path / "usage.json"
    path.write_text(json.dumps(mapping), encoding="utf-8")
    assert "1 read = 1 new" in outlay(home, "ingest", table, "--mapping", path).stdout
    assert outlay(home, "mappings", "save", path).stdout == "saved usage\n"
    assert "1 read = 0 new + 1 already known" in outlay(home, "ingest", table).stdout, "tried by itself"
    assert outlay(home, "mappings", "list").stdout.split()[0] == "usage"
    assert json.loads(outlay(home, "mappings", "show", "usage").stdout)["columns"] == mapping["columns"]
    assert outlay(home, "mappings", "remove", "usage").returncode == 0
    unknown = outlay(home, "ingest", table, "--mapping", "usage")
    assert unknown.returncode == 2 and "none is saved yet" in unknown.stderr
