"""Bad input: a sentence, a place, and nothing good is lost."""

import datetime as dt
import gzip
import hashlib
import hmac
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.chunk import Unreadable
from ingest.engine import Engine
from ingest.envelopes import preview
from ingest.load import pseudonym_key
from tests.ingest.loading import attempts, counts, load, opened, refusals

FIXTURES = Path(__file__).parent / "fixtures"

GOOD = {"timestamp": "2026-11-22T10:00:00Z", "request_id": "req_1", "model": "m", "input_tokens": 5, "output_tokens": 7}


def record(number, **change):
    return json.dumps(GOOD | {"request_id": f"req_{number}"} | change)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"input_tokens": -1}, "input_tokens is negative"),
        ({"input_tokens": "many"}, "input_tokens is not a whole number"),
        ({"output_tokens": 1.5}, "output_tokens is not a whole number"),
        ({"output_tokens": 9_000_000_000}, "over 100,000,000"),
        ({"latency_ms": -3}, "latency_ms is not a duration"),
        ({"timestamp": "last Tuesday"}, "the time is not one this reader understands"),
        ({"timestamp": "2999-01-01T00:00:00Z"}, "in the future"),
        ({"timestamp": 12}, "the time is not one this reader understands"),
        ({"timestamp": "1999-01-01"}, "before the Claude API existed"),
        ({"timestamp": None}, "no time"),
        (
            {"cache_creation_input_tokens": 5, "cache_creation": {"ephemeral_5m_input_tokens": 9}},
            "less than its own parts",
        ),
    ],
)
def test_a_bad_record_is_refused_with_its_reason_and_the_next_is_read(home, change, reason):
    [line] = load(home, json.dumps(GOOD | change) + "\n" + json.dumps(GOOD) + "\n")
    assert counts(line) == (2, 1, 0, 0, 1)
    [(number, said)] = refusals(home)
    assert number == 1 and reason in said


@pytest.mark.parametrize(
    "when", ["2026-11-22T10:00:00Z", "2026-11-22T11:00:00+01:00", 1795341600, 1795341600000, "1795341600.0",
             1795341600000000, "1795341600000000000", "2026-11-22 10:00:00,000"]
)  # fmt: skip
def test_a_time_is_understood_in_every_way_it_is_written(home, when):
    load(home, json.dumps(GOOD | {"timestamp": when}))
    assert str(attempts(home)[0]["started_at"]) == "2026-11-22 10:00:00"


def test_times_without_a_zone_are_read_in_the_given_one_and_counted(home):
    [line] = load(home, json.dumps(GOOD | {"timestamp": "2026-07-22 10:00:00"}), zone="Europe/Berlin")
    assert str(attempts(home)[0]["started_at"]) == "2026-07-22 08:00:00"
    assert line.notes == ["1 times name no time zone and were read as Europe/Berlin (--zone says otherwise)"]


@pytest.mark.parametrize(
    "text", ['{"model": "m", "input_', "{'model': ", "GET / 200", "\ufeff", "null", "[1,2]", "{}", "}{"]
)
def test_rubbish_between_records_is_refused_and_nothing_else(home, text):
    [line] = load(home, json.dumps(GOOD) + f"\n{text}\n" + json.dumps(GOOD | {"request_id": "req_2"}) + "\n")
    assert counts(line)[:2] == (3, 2) and line.refused_records == 1


def test_blank_lines_hold_nothing(home):
    [line] = load(home, "\n\n" + json.dumps(GOOD) + "\r\n\n")
    assert counts(line) == (1, 1, 0, 0, 0) and line.other_lines == 3


def test_a_log_without_a_last_newline_is_read_to_its_end(home):
    [line] = load(home, json.dumps(GOOD))
    assert counts(line) == (1, 1, 0, 0, 0)


@pytest.mark.parametrize("data", [b"\x00\x01\x02", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_text_is_refused_in_a_sentence(home, data):
    with pytest.raises(Unreadable):
        load(home, data, "picture.png")
    assert not (home / "archive").exists() or not any((home / "archive").iterdir())


def test_compression_is_told_by_content(home):
    text = json.dumps(GOOD).encode()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("one.jsonl", json.dumps(GOOD | {"request_id": "req_2"}))
        file.writestr("two.log.gz", gzip.compress(text))
    for name, data in (
        ("plain", text),
        ("a", gzip.compress(text)),
        ("b", zstandard.compress(text)),
        ("c", archive.getvalue()),
    ):
        load(home, data, name)
    assert [attempt["request_id"] for attempt in attempts(home)] == ["req_1", "req_2"]


@pytest.mark.parametrize(
    ("encode", "why"),
    [
        (lambda text: b"\xef\xbb\xbf" + text.encode(), "byte order mark"),
        (lambda text: text.encode("utf-16"), "UTF-16"),
        (lambda text: b"\xfe\xff" + text.encode("utf-16-be"), "UTF-16, the other way round"),
        (lambda text: text.replace("\n", "\r\n").encode(), "CRLF"),
        (lambda text: text.replace("\n", "\r").encode(), "lone CR"),
    ],
)
def test_text_is_read_however_it_is_encoded(home, encode, why):
    load(home, encode("".join(record(number, feature="Zürich") + "\n" for number in range(3))))
    assert [attempt["feature"] for attempt in attempts(home)] == ["Zürich"] * 3, why


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"x": "' + b"y" * (40 << 20) + b'"}', "longer than 16 MB"),
        (record(1).replace("m", "\0").encode(), "holds NUL bytes"),
        (record(1, latency_ms=float("nan")).encode(), "latency_ms is not a duration"),
        (record(1, latency_ms=float("inf")).encode(), "latency_ms is not a duration"),
        (
            record(1).replace('"input_tokens": 5', '"input_tokens": 1e400').encode(),
            "input_tokens is not a whole number",
        ),
        (b"INFO:app:" + record(1, latency_ms=float("nan")).encode(), "latency_ms is not a duration"),
        (b"[" * 100_000, "no record in this line"),
        (b'{"a":' * 100_000, "broken JSON"),
        (b"INFO " + b"[" * 900 + b"]" * 900, "no record in this line"),
    ],
    ids=["long", "NUL", "NaN", "Infinity", "1e400", "NaN in an envelope", "lists", "objects", "closed lists"],
)
def test_a_hostile_line_is_refused_and_the_lines_around_it_are_read(home, line, reason):
    [loaded] = load(home, record(0).encode() + b"\n" + line + b"\n" + record(2).encode() + b"\n")
    assert counts(loaded) == (3, 2, 0, 0, 1)
    [(number, said)] = refusals(home)
    assert number == 2 and reason in said
    assert [attempt["source_line"] for attempt in attempts(home)] == [1, 3]


@pytest.mark.parametrize("fixture", sorted(FIXTURES.rglob("*.jsonl")), ids=lambda path: path.parent.name)
def test_a_record_that_is_cut_short_is_refused_as_broken_whatever_its_format(home, fixture):
    first = fixture.read_bytes().partition(b"\n")[0]
    load(home, first + b"\n" + first[: len(first) // 2] + b"\n")
    assert (2, "broken JSON: the line is cut short or damaged") in refusals(home)


@pytest.mark.parametrize("odd", ["{1, 2}", "b'x'", "3j", "...", "{(1, 2): 3}", "{'a': [{1}]}"])
def test_what_only_python_can_say_is_null_and_the_record_is_read(home, odd):
    [loaded] = load(home, f"INFO {repr(GOOD)[:-1]}, 'feature': 'search', 'metadata': {odd}}}\n")
    assert counts(loaded) == (1, 1, 0, 0, 0)
    assert attempts(home)[0]["feature"] == "search"


@pytest.mark.parametrize("name", ["é", "aé"])
def test_an_error_of_the_engine_is_one_wherever_it_cuts_the_text_that_it_quotes(name):
    lines = pa.table({"text": ['{"' + name * 40 + '": x}']})
    with pytest.raises(duckdb.Error):
        Engine("UTC").ask("select json_extract(text, '$.a') from lines", {"lines": lines}, {})


@pytest.mark.parametrize("envelope", ["{}", "INFO:app:{}"])
def test_of_a_key_said_twice_the_first_counts_in_every_envelope(home, envelope):
    load(home, envelope.format(record(1).replace('"input_tokens": 5', '"input_tokens": 5, "input_tokens": 500')))
    assert attempts(home)[0]["uncached_input_tokens"] == 5


def test_a_lone_surrogate_costs_a_character_and_not_the_record(home):
    load(home, record(1, feature="a\ud800b"))
    assert attempts(home)[0]["feature"] == "a?b"


@pytest.mark.parametrize(("limit", "said"), [("--memory-mb=1", "MB of memory"), ("--cpu-seconds=0", "processor time")])
def test_a_load_in_a_process_of_its_own_ends_at_its_limits(home, limit, said):
    command = [sys.executable, "-m", "ingest", "--home", str(home), "--name", "a", limit]
    done = subprocess.run(command, input=record(1).encode(), capture_output=True)
    assert done.returncode == 1 and said in done.stderr.decode()


# --- privacy ---


def test_text_of_prompts_is_nowhere_in_the_home(home):
    canary = "CANARY-PROMPT-TEXT"
    lines = [
        json.dumps(GOOD | {"prompt": canary, "messages": [{"content": canary}], "error": None}),
        json.dumps({"model": "m", "prompt": canary}),
        f"INFO:app:{{'prompt': '{canary}', 'model'",
        canary,
        json.dumps(GOOD | {"input_tokens": -1, "completion": canary}),
    ]
    load(home, "\n".join(lines))
    with opened(home) as con:
        con.execute("checkpoint store")
    for path in home.rglob("*"):
        assert not path.is_file() or canary.encode() not in path.read_bytes(), path


@given(st.text(max_size=300))
def test_a_preview_keeps_no_letter_of_the_content(text):
    shown = preview(json.dumps({"content": text + "Zürich"}))
    assert "rich" not in shown and not any(char.isdigit() and char != "0" for char in shown)


def test_api_keys_are_dropped(home):
    load(home, json.dumps(GOOD | {"feature": "sk-ant-api03-AAAA", "user_id": "sk-ant-api03-BBBB"}))
    [attempt] = attempts(home)
    assert "sk-ant" not in json.dumps(attempt, default=str)


@pytest.mark.parametrize("person", ["ana@example.com", "Ana Silva", "+49 170 1234567", "(030) 123 456 78"])
def test_a_person_becomes_a_keyed_pseudonym(home, person):
    load(home, json.dumps(GOOD | {"user_id": person}))
    digest = hmac.new(pseudonym_key(home), person.lower().encode(), hashlib.sha256).hexdigest()
    assert attempts(home)[0]["user_id"] == f"person_{digest[:20]}"


@pytest.mark.parametrize("handle", ["u_17", "8231", "550e8400-e29b-41d4-a716-446655440000", "service-account"])
def test_an_opaque_user_id_is_kept(home, handle):
    load(home, json.dumps(GOOD | {"user_id": handle}))
    assert attempts(home)[0]["user_id"] == handle


def test_user_ids_can_be_kept_or_dropped(home, tmp_path):
    record = json.dumps(GOOD | {"user_id": "ana@example.com"})
    load(home, record, user_ids="keep")
    load(tmp_path / "other", record, user_ids="drop")
    assert attempts(home)[0]["user_id"] == "ana@example.com"
    assert "user_id" not in attempts(tmp_path / "other")[0]


def test_the_key_is_for_its_owner_only(home):
    pseudonym_key(home)
    assert (home / "keys" / "pseudonyms.key").stat().st_mode & 0o077 == 0


# --- whatever comes ---

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
some_fields = st.dictionaries(
    st.sampled_from([*GOOD, "usage", "error", "status", "message", "log", "stream", "type", "sessionId", "response",
                     "request", "iterations", "retries", "attempt", "call_id", "user_id", "feature", "latency_ms"]),
    anything, max_size=8,
)  # fmt: skip
any_line = st.one_of(st.text(max_size=60), some_fields.map(json.dumps), some_fields.map(str),
                     some_fields.map(lambda change: json.dumps(GOOD | change)))  # fmt: skip


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(any_line, min_size=1, max_size=8))
def test_whatever_comes_every_record_is_accounted_for(tmp_path_factory, lines):
    home = tmp_path_factory.mktemp("any")
    data = "\n".join(lines).encode("utf-8", "surrogatepass")
    try:
        [line] = load(home, data)
    except Unreadable:
        return
    read, new, known, folded, refused = counts(line)
    assert read == new + known + folded + refused
    assert len(attempts(home)) == new
    assert len(refusals(home)) == refused


def test_latencies_that_no_model_reaches_are_taken_as_they_stand_and_told(home):
    """2.5 seconds, written as 2.5."""
    [line] = load(
        home, "".join(json.dumps(GOOD | {"request_id": f"r{n}", "latency_ms": 2.5}) + "\n" for n in range(10))
    )
    assert counts(line) == (10, 10, 0, 0, 0)
    [note] = line.notes
    assert note.startswith("the slowest of 10 answers took 2.5 ms") and 'latency_unit = "s"' in note
    assert {attempt["latency_ms"] for attempt in attempts(home)} == {2.5}


def test_clocks_that_run_ahead_are_told_and_days_ahead_are_refused(home):
    now = dt.datetime.now(dt.UTC)
    times = [now + dt.timedelta(**ahead) for ahead in ({"minutes": 1}, {"hours": 2}, {"days": 2})]
    said = [GOOD | {"request_id": f"r{n}", "timestamp": time.isoformat()} for n, time in enumerate(times)]
    [line] = load(home, "".join(json.dumps(record) + "\n" for record in said))
    assert counts(line) == (3, 2, 0, 0, 1)
    [note] = line.notes
    assert "clock (by up to a day): 1;" in note and refusals(home) == [(3, "the time lies in the future")]
