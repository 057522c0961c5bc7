"""Uploaded files are read whole or not at all, told so that the numbers add up, and leave nothing behind."""

import csv
import io
import json
import os
import threading
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dashboard import load_reports, uploads
from dashboard.owner import Owner
from dashboard.uploads import Job, Unknown, UploadRefused, Uploads, reading_options
from ingest.bill import kept
from tests.dashboard import bills
from tests.dashboard.conftest import Opened


@pytest.fixture
def sent(home: Path) -> Iterator[Uploads]:
    owner = Owner(home)
    sent = Uploads(owner)
    yield sent
    sent.close()
    owner.close()


def lines(count: int, **more: Any) -> bytes:
    """Log lines of so many calls of 2026-11-20, one a second."""
    record = {"model": "claude-opus-5", "input_tokens": 10, "output_tokens": 5, **more}
    return b"".join(
        json.dumps(record | {
            "timestamp": f"2026-11-20T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z",
            "request_id": f"req_{number}",
        }).encode() + b"\n"
        for number in range(count)
    )  # fmt: skip


def send(sent: Uploads, name: str, content: bytes, *options: str, slice_bytes: int = 1_000) -> Job:
    job = sent.expect(name, len(content), "tab", options)
    for at in range(0, len(content), slice_bytes):
        sent.receive(job.id, at, content[at : at + slice_bytes])
    return job


def read(job: Job) -> Job:
    """The job, once its file has been read."""
    assert job.reading
    job.reading.result(timeout=120)
    return job


def left_behind(home: Path) -> list[Path]:
    return [path for folder in ("uploads", "landing", "archive") for path in (home / folder).glob("*")]


def arithmetic(job: Job) -> list[tuple[int, ...]]:
    columns = ("read_records", "new_attempts", "known_records", "folded_records", "refused_records")
    return [tuple(report[column] for column in columns) for report in job.reports]


def test_several_files_at_once_each_give_their_arithmetic(home: Path, sent: Uploads) -> None:
    first = send(sent, "app.jsonl", lines(40) + b"rubbish\n")
    second = send(sent, "empty.jsonl", b"")
    third = send(sent, "house.jsonl", lines(3, model="house-1", feature="x", request_kind="y"))

    assert arithmetic(read(first)) == [(41, 40, 0, 0, 1)]
    assert arithmetic(read(second)) == [(0, 0, 0, 0, 0)]
    assert arithmetic(read(third)) == [(3, 0, 0, 3, 0)]  # the same requests, told with more
    assert [job.name for job in sent.jobs()] == ["house.jsonl", "empty.jsonl", "app.jsonl"]
    assert list((home / "uploads").iterdir()) == []
    assert list(sent.refusals(first)) == [("app.jsonl", 41, "no record in this line", "xxxxxxx")]


def test_a_bill_is_taken_in_as_the_command_takes_it(home: Path, tmp_path: Path, sent: Uploads) -> None:
    """A credit of $1 beside $2.50: the same file is known again, and to the command line too."""
    file, content = tmp_path / "cost.json", bills.cost_report().encode()
    file.write_bytes(content)
    os.utime(file, (1_795_000_000.25, 1_795_000_000.25))

    def drop() -> Job:
        job = sent.expect("cost.json", len(content), "tab", written_at=1_795_000_000.25)
        sent.receive(job.id, 0, content)
        return read(job)

    first, again = load_reports.described(drop()), load_reports.described(drop())
    assert (first["status"], first["problem"], first["unclaimed"]) == ("Loaded", None, None)
    [told], [known] = first["logs"], again["logs"]
    assert told["arithmetic"] == [["2", "rows of a cost report, taken in for Reconciliation"]]
    assert told["facts"] == "20 Nov 2026" and known["facts"].endswith("the very same report was taken in before")
    assert [imported.is_known for imported in kept.keep(home, kept.read_file(file))] == [True]
    assert sent._owner.query("select sum(amount_usd) as usd from store.billed")["usd"][0].as_py() == Decimal("1.5")
    assert sent._owner.query("select count(*) as n from store.attempts")["n"][0].as_py() == 0


def test_a_zip_of_bills_and_logs_gives_each_by_its_name(home: Path, sent: Uploads) -> None:
    """A credit of $1 beside $2.50, five calls, a page of notes, and a name that leads out of the folder."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../../november/cost.json", bills.cost_report())
        archive.writestr("app.jsonl", lines(5))
        archive.writestr("cost_damaged.json", bills.cost_report()[:-4])
    job = read(send(sent, "all.zip", packed.getvalue()))
    told = load_reports.described(job)

    assert [bill["source_name"] for bill in job.bills] == ["all.zip/november/cost.json"]
    assert arithmetic(job) == [(5, 5, 0, 0, 0)]
    assert told["status"] == "Loaded in part" and "all.zip/cost_damaged.json:1: no JSON" in told["problem"]
    assert sent._owner.query("select sum(amount_usd) as usd from store.billed")["usd"][0].as_py() == Decimal("1.5")
    assert [file.name for file in home.parent.rglob("cost.json")] == []


def test_a_damaged_bill_is_refused_in_a_sentence(sent: Uploads) -> None:
    job = read(send(sent, "cost.json", bills.cost_report().encode()[:-4]))
    assert job.state == "failed" and "cost.json:1: no JSON from here on" in str(job.problem)


def test_a_file_sent_again_is_known(sent: Uploads) -> None:
    read(send(sent, "app.jsonl", lines(5)))

    assert arithmetic(read(send(sent, "copy.jsonl", lines(5)))) == [(5, 0, 5, 0, 0)]


def test_a_cancelled_file_leaves_nothing(home: Path, sent: Uploads) -> None:
    content = lines(5_000)
    receiving = sent.expect("a.jsonl", len(content), "tab")
    sent.receive(receiving.id, 0, content[:1_000])
    sent.cancel(receiving.id)
    with pytest.raises(UploadRefused):
        sent.receive(receiving.id, 1_000, content[1_000:])

    reading = send(sent, "b.jsonl", content, slice_bytes=len(content))
    while reading.state == "waiting":
        threading.Event().wait(0.01)  # its turn comes by itself; this only paces the asking
    sent.cancel(reading.id)
    read(reading)

    assert [receiving.state, reading.state] == ["cancelled", "cancelled"]
    assert left_behind(home) == []
    sent.dismiss(reading.id)
    with pytest.raises(Unknown):
        sent.job(reading.id)


def test_what_cannot_be_read_fails_with_a_sentence_and_the_next_file_has_its_turn(home: Path, sent: Uploads) -> None:
    broken = read(send(sent, "broken.zip", b"PK\x03\x04 and no more"))
    good = read(send(sent, "good.jsonl", lines(2)))

    assert broken.state == "failed" and broken.problem and "damaged or cut short" in broken.problem
    assert arithmetic(good) == [(2, 2, 0, 0, 0)]
    assert list((home / "uploads").iterdir()) == []


def test_a_file_that_the_disk_cannot_hold_is_refused_before_it_is_sent(home: Path, sent: Uploads) -> None:
    with pytest.raises(UploadRefused, match=r"GB do not fit: .* are free on the disk"):
        sent.expect("huge.jsonl", 1 << 60, "tab")

    assert sent.jobs() == []


def test_bytes_out_of_place_are_not_taken(sent: Uploads) -> None:
    job = sent.expect("a.jsonl", 10, "tab")
    sent.receive(job.id, 0, b"12345")

    for offset, block in ((0, b"12345"), (6, b"x"), (5, b"too long")):
        with pytest.raises(UploadRefused):
            sent.receive(job.id, offset, block)
    assert job.received == 5


def test_a_browser_that_has_gone_is_noticed(home: Path, sent: Uploads) -> None:
    begun = sent.expect("a.jsonl", 10, "tab")
    other = sent.expect("b.jsonl", 10, "other tab")
    other.heard_at += 1

    sent.sweep(begun.heard_at + uploads.SILENT_SECONDS + 0.5)

    assert (begun.state, other.state) == ("failed", "receiving")
    assert "stopped sending" in str(begun.problem)
    assert [path.name for path in (home / "uploads").iterdir()] == [other.id]


def test_a_file_that_no_format_knows_is_kept_for_a_while(home: Path, sent: Uploads) -> None:
    job = read(send(sent, "calls.csv", b"day,llm,in\n2026-11-20,claude-opus-5,100\n"))

    assert job.state == "done" and job.is_unclaimed
    assert "kept for 60 more minutes" in load_reports.described(job)["unclaimed"]
    sent.sweep(job.state_at + uploads.KEPT_SECONDS + 1)
    assert not job.is_unclaimed
    assert list((home / "uploads").iterdir()) == []


def test_what_was_being_sent_is_cleared_at_start(home: Path) -> None:
    (home / "uploads").mkdir(parents=True)
    (home / "uploads" / "left").write_text("over")
    owner = Owner(home)
    (home / "spool").mkdir()
    (home / "spool" / "1.arrow").write_bytes(b"")  # acknowledged to an exporter, and not landed yet
    Uploads(owner).close()
    owner.close()

    assert not (home / "uploads").exists()
    assert (home / "spool" / "1.arrow").exists()


def test_files_are_read_as_the_page_says(sent: Uploads) -> None:
    zoned = lines(1).replace(b"Z", b"")
    options = reading_options({"zone": "Asia/Kolkata", "default_date": "2026-11-20", "user_ids": "drop"})

    job = read(send(sent, "app.jsonl", zoned, *options))

    assert str(job.reports[0]["first_started_at"]) == "2026-11-19 18:30:00"  # midnight in Kolkata
    for nonsense in ({"zone": "Mars/Base"}, {"default_date": "20 Nov"}, {"user_ids": "sell"}):
        with pytest.raises(ValueError):
            reading_options(nonsense)


def test_a_report_is_told_in_sentences(sent: Uploads) -> None:
    content = lines(2, model="[house](http://evil.example)") + lines(1).replace(b"claude", b"<b>") + b"=1+1\n"
    told = load_reports.described(read(send(sent, "x\u202e.jsonl", content)))

    assert told["state"] == "done" and told["name"] == "x.jsonl"
    [log] = told["logs"]
    assert log["arithmetic"] == [
        ["4", "read"], ["2", "new"], ["0", "already known"], ["1", "folded"], ["1", "refused"]
    ]  # fmt: skip
    assert "[house](http://evil.example)" in log["unpriced"]  # plain text to the page, which renders no Markdown
    assert log["refusals"] == ["1 × no record in this line (first on line 4)"]


def test_refused_lines_cannot_become_formulas_in_a_spreadsheet() -> None:
    texts = ["=cmd()", "+1", "-1", "@x", "\ttab", "plain, with a comma"]
    written = "".join(load_reports.refusals_csv((text, 7, text, text) for text in texts))

    for text, row in zip(texts, csv.DictReader(io.StringIO(written)), strict=True):
        cells = [row["file"], row["reason"], row["preview"]]
        assert row["line"] == "7"
        assert [cell.lstrip("'") for cell in cells] == [text] * 3
        assert all(cell[0] not in "=+-@\t" for cell in cells)


def test_the_page_shows_the_zone_where_a_server_runs_it(
    home: Path, sent: Uploads, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "_serving", sent)
    app = opened(home / "of the pages", "upload")

    assert not app.exception
    assert [box.value for box in app.selectbox] == ["UTC", "pseudonymise"]


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/api/uploads", {}, 404),
        ("POST", "/api/uploads", {}, 404),
        ("POST", "/api/uploads", {"X-Outlay-Token": "guessed"}, 404),
        ("POST", "/api/uploads", {"Origin": "http://evil.invalid"}, 403),
        ("POST", "/api/uploads", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("PUT", "/api/uploads/x/bytes/0", {}, 404),
        ("DELETE", "/api/uploads/x", {}, 404),
        ("GET", "/api/uploads/x/refused.csv", {}, 404),
        ("PUT", "/_stcore/upload_file/session/file", {}, 404),
    ],
)
def test_strangers_cannot_upload(running: str, method: str, path: str, headers: dict[str, str], status: int) -> None:
    body = None if method == "GET" else b"{}"
    request = urllib.request.Request(running + path, body, headers, method=method)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=30)
    assert refused.value.code == status


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that all of these ask."""
    from tests.conftest import serving

    with serving(tmp_path_factory.mktemp("asked")) as start:
        yield start(tmp_path_factory.mktemp("home"))
