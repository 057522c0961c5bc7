"""Compressed input, whole, cut short or made to do harm: what can be read is in, and the rest is told."""

import gzip
import io
import json
import random
import stat
import subprocess
import sys
import zipfile

import pytest
import zstandard

from ingest.chunk import Unreadable
from ingest.compression import DEEPEST, Limits
from ingest.load import Loader
from ingest.reader import Options
from tests.ingest.loading import attempts, counts, load

GOOD = {"timestamp": "2026-11-22T10:00:00Z", "model": "m", "input_tokens": 5, "output_tokens": 7}


def records(count, first=0):
    """Lines whose ids are as hard to compress as real ones."""
    rng = random.Random(first)
    return "".join(json.dumps(GOOD | {"request_id": f"req_{rng.getrandbits(96):x}"}) + "\n" for _ in range(count))


class Pipe(io.BytesIO):
    """What is written to it cannot be gone back to: sizes come after what they are of."""

    def seek(self, *_):
        raise io.UnsupportedOperation

    tell = seek


def zipped(files, file=io.BytesIO):
    packed = file()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return packed.getvalue()


def nested(data, layers):
    for _ in range(layers):
        data = gzip.compress(data)
    return data


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(records(3).encode()),
        gzip.compress(records(3).encode()) + bytes(512),
        gzip.compress(records(1).encode()) + gzip.compress(records(3).encode()),
        zstandard.compress(records(3).encode()),
        zstandard.compress(records(1).encode()) + zstandard.compress(records(3).encode()),
        zipped([("a.jsonl", records(3))]),
        zipped([("a.jsonl.gz", gzip.compress(records(3).encode()))]),
        zipped([("inner.zip", zipped([("a.jsonl", records(3))]))]),
        nested(records(3).encode(), DEEPEST),
    ],
    ids=["gzip", "padded gzip", "two gzips", "zstd", "two zstds", "zip", "gzip in zip", "zip in zip", "deepest"],
)
def test_compression_is_told_by_content_and_taken_off(home, packed):
    load(home, packed, "no suffix")
    load(home, packed, "again")
    assert len(attempts(home)) == 3


def test_packed_too_often_is_refused(home):
    with pytest.raises(Unreadable, match=f"packed more than {DEEPEST} times over"):
        load(home, nested(records(3).encode(), DEEPEST + 1))


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
@pytest.mark.parametrize("share", [0.3, 0.999])
def test_of_data_that_is_cut_short_everything_readable_is_in_and_the_rest_is_told(home, pack, share):
    whole = pack(records(20_000).encode())
    [line] = load(home, whole[: int(len(whole) * share)], "a.jsonl.gz")
    read, new, *_, refused = counts(line)
    assert refused <= 1 and read == new + refused  # the line where the data ends
    assert 20_000 * (share - 0.12) < new < 20_000
    [note] = line.notes
    assert note.startswith("a.jsonl.gz: the compressed data is damaged or cut short")
    [line] = load(home, whole, "a.jsonl.gz")
    assert counts(line) == (20_000, 20_000 - new, new, 0, 0) and line.notes == []


def test_compressed_data_of_which_nothing_can_be_read_is_refused(home):
    with pytest.raises(Unreadable, match="damaged or cut short"):
        load(home, gzip.compress(records(3).encode())[:12])
    assert not list(home.rglob("*.parquet"))


def test_a_member_that_cannot_be_read_does_not_keep_out_the_others(home):
    link = zipfile.ZipInfo("link.jsonl")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    packed = bytearray(zipped([("bad.jsonl", records(200)), (link, "/etc/passwd"), ("good.jsonl", records(3, 1))]))
    packed[200] ^= 0xFF
    with pytest.raises(Unreadable, match=r"link\.jsonl: a link, which is not followed"):
        load(home, bytes(packed), "a.zip")
    loaded = list(load_known(home))
    assert "a.zip/good.jsonl" in loaded


@pytest.mark.parametrize("file", [io.BytesIO, Pipe])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
def test_of_an_archive_that_is_cut_short_what_can_be_read_is_in(home, share, file):
    logs = {f"{number}.jsonl": records(2_000, 2_000 * number) for number in range(5)}
    whole = zipped([("folder/", b""), (".DS_Store", b"x"), *logs.items()], file)
    with pytest.raises(Unreadable) as told:
        load(home, whole[: int(len(whole) * share)], "a.zip")
    assert str(told.value).endswith("what could be read of it is in: send it again")
    loaded = [json.loads(path.read_text()) for path in home.glob("archive/*/load.json")]
    assert len(loaded) == int(5 * share) + 1  # the last one in part, with a note
    assert [load["notes"] != [] for load in loaded].count(True) == 1
    assert 10_000 * (share - 0.1) < sum(load["read_records"] for load in loaded) < 10_000 * (share + 0.01)
    load(home, whole, "a.zip")
    assert len(attempts(home)) == 10_000


def load_known(home):
    return [json.loads(path.read_text())["source_name"] for path in home.glob("archive/*/load.json")]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("../../etc/cron.d/x.jsonl", "a.zip/etc/cron.d/x.jsonl"),
        ("/etc/x.jsonl", "a.zip/etc/x.jsonl"),
        ("..\\..\\x.jsonl", "a.zip/x.jsonl"),
        ("x\x1b[31m.jsonl", "a.zip/x?[31m.jsonl"),
        ("y" * 5000, "a.zip/" + "y" * 120),
    ],
)
def test_names_in_an_archive_are_labels_and_never_paths(home, name, label):
    before = set(home.parent.rglob("*"))
    [line] = load(home, zipped([(name, records(3))]), "a.zip")
    assert line.source_name == label
    assert all(home in path.parents or path == home for path in set(home.parent.rglob("*")) - before)


def test_two_files_of_one_name_are_both_loaded(home):
    with pytest.warns(UserWarning, match="Duplicate name"):
        packed = zipped([("a.jsonl", records(3)), ("a.jsonl", records(3, 1))])
    assert [counts(line)[0] for line in load(home, packed)] == [3, 3]


def test_an_encrypted_member_is_told(home):
    packed = bytearray(zipped([("a.jsonl", records(3))]))
    packed[6] |= 1
    packed[packed.rfind(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(Unreadable, match="encrypted"):
        load(home, bytes(packed))


def test_a_table_of_contents_that_is_no_logs_is_refused(home):
    with pytest.raises(Unreadable, match="more than 10,000 files"):
        load(home, zipped([(str(number), b"") for number in range(10_001)]))


BOMB = """
import gzip, io, pathlib, resource, sys, time, zipfile, zstandard
from ingest.chunk import Unreadable
from ingest.load import Loader
kind, home = sys.argv[1:]
blocks = {
    "text": b"x" * (1 << 20), "row": b"x" * (1 << 20), "lines": b"{}\\n" * 350_000, "array": b"[{},{},{}]" * 100_000,
    "table": b"a,b,c\\n" * 170_000, "commas": b"," * (1 << 20), "blank rows": b"\\n" * (1 << 20),
}
block = blocks.get(kind, bytes(1 << 20))
packed = io.BytesIO()
if kind == "zip":
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", block * 40)
else:
    before = b"a,b,c\\n1,2,3\\n" if kind in ("row", "commas", "blank rows") else b""
    pack = zstandard.compress if kind == "zstd" else gzip.compress
    packed.write(pack(before) + pack(block) * 1024)
list(Loader(pathlib.Path(home)).load_stream(io.BufferedReader(io.BytesIO(b'{"x": 1}\\n')), "warm"))
def kilobytes(what):
    return int(pathlib.Path("/proc/self/status").read_text().split(what + ":")[1].split()[0])
before, held = time.process_time(), kilobytes("VmRSS")
try:
    list(Loader(pathlib.Path(home)).load_stream(io.BufferedReader(io.BytesIO(packed.getvalue())), "bomb"))
except Unreadable as error:
    print(error)
print(time.process_time() - before, kilobytes("VmHWM") - held)
"""


@pytest.mark.parametrize(
    ("kind", "longest", "most"),
    [
        *(("gzip", 2, 150), ("zstd", 2, 150), ("zip", 2, 150), ("text", 2, 150), ("lines", 4, 150)),
        *(("array", 4, 150), ("table", 4, 150), ("row", 2, 150), ("commas", 2, 150), ("blank rows", 2, 150)),
    ],
)
def test_a_bomb_is_refused_at_once_and_in_little_memory(home, kind, longest, most):
    """Seconds of processor time, and megabytes beyond those of a reader that has read a log.

    Those are some 150, of which the machine decides: they are mostly pages of libraries that it has at hand. Refused
    records cost the most time: each is looked at by itself.
    """
    said = subprocess.run([sys.executable, "-c", BOMB, kind, str(home)], capture_output=True, text=True, check=True)
    sentence, figures = said.stdout.splitlines()
    assert "bomb" in sentence or "not text" in sentence
    seconds, kilobytes = map(float, figures.split())
    assert seconds < longest and kilobytes < most * 1000, said.stdout


def test_a_log_that_repeats_itself_is_no_bomb(home):
    line = json.dumps(GOOD | {"request_id": "req_1", "feature": "x" * 150}) + "\n"
    packed = zstandard.compress(line.encode() * 100_000)
    assert len(line) * 100_000 > max(Limits().free_bytes, Limits().ratio * len(packed))
    [loaded] = load(home, packed)
    assert counts(loaded) == (100_000, 1, 99_999, 0, 0)


def test_a_bomb_behind_good_records_leaves_the_records(home):
    [line] = load(home, gzip.compress(records(100).encode() + b"\n" * (200 << 20)))
    assert counts(line) == (100, 100, 0, 0, 0)
    assert "it looks like a decompression bomb and was left after line" in line.notes[0]


def test_the_limits_can_be_set(home):
    packed = gzip.compress(records(1000).encode())
    loader = Loader(home, Options(), Limits(bytes_out=10_000))
    [outcome] = loader.load_stream(io.BufferedReader(io.BytesIO(packed)), "a")
    assert "unpacks to more than 10,000 bytes" in outcome.landed.notes[0]
