"""Tables: every row is a record, in CSV of every dialect and in Parquet."""

import datetime as dt
import gzip
import io
import json
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest import tables
from ingest.chunk import CHUNK_BYTES, LONGEST_LINE, Unreadable
from tests.ingest.loading import attempts, counts, load, refusals

HEADER = "timestamp,request_id,model,input_tokens,output_tokens,feature"
ROW = "2026-11-22T10:00:00Z,req_1,claude-opus-5-5,812,256,search"


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADER}\n{ROW}\n",
        f"\ufeff{HEADER}\r\n{ROW}\r\n",
        f"{HEADER}\n{ROW}",
        f"{HEADER}\n{ROW}\n".replace(",", ";"),
        f"{HEADER}\n{ROW}\n".replace(",", "\t"),
        f"{HEADER.upper()}\n{ROW}\n",
        '"' + HEADER.replace(",", '","') + '"\n"' + ROW.replace(",", '","') + '"\n',
    ],
)
def test_every_dialect_of_csv(home, text):
    [line] = load(home, text, "a.csv")
    assert counts(line) == (1, 1, 0, 0, 0), refusals(home)
    [attempt] = attempts(home)
    assert (attempt["uncached_input_tokens"], attempt["feature"], attempt["source_line"]) == (812, "search", 2)


def test_a_cell_may_hold_line_breaks_and_rows_keep_their_line_numbers(home):
    rows = [ROW.replace("search", '"a\nb\nc"'), "", ROW.replace("req_1", "req_2").replace("812", "many")]
    [line] = load(home, "\n".join([HEADER, *rows]), "a.csv")
    assert counts(line) == (2, 1, 0, 0, 1)
    assert refusals(home) == [(6, "input_tokens is not a whole number")]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("blank", [1, 70_000, 200_000])  # lines; they are passed over by the buffer of 64 KB
def test_blank_lines_between_rows_are_counted_and_hold_nothing(home, blank, end):
    bad = ROW.replace("req_1", "req_2").replace("812", "many")
    [line] = load(home, HEADER + end * (blank + 1) + ROW + end * (blank + 1) + bad + end, "a.csv")
    assert counts(line) == (2, 1, 0, 0, 1)
    assert refusals(home) == [(3 + 2 * blank, "input_tokens is not a whole number")]


def test_a_row_that_is_shifted_is_refused_and_not_read_askew(home):
    [line] = load(home, f"{HEADER}\n{ROW},\n{ROW.replace('req_1', 'req_2')}\nreq_3\n", "a.csv")
    assert counts(line) == (3, 1, 0, 0, 2)
    assert refusals(home) == [(2, "a row of 7 cells below a header of 6"), (4, "a row of 1 cells below a header of 6")]


def test_a_cell_longer_than_any_record_is_refused_and_the_rest_is_read(home):
    long = ROW.replace("search", "x" * (17 << 20))
    [line] = load(home, f"{HEADER}\n{long}\n{ROW}\n", "a.csv")
    assert counts(line) == (2, 1, 0, 0, 1)


@pytest.mark.parametrize(
    "text",
    ["a log line, with, commas\nand another one\n", "x\ny\n", '{"a": 1}\n', "1,2,3\n4,5,6\n", f"{HEADER}\rx\n{ROW}\n"],
)
def test_text_that_is_no_table(text):
    assert not tables.is_csv(text.encode())


def parquet(table, **options):
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return out.getvalue()


def rows_of(data):
    stream = io.BufferedReader(io.BytesIO(data))
    return [
        json.loads(text)
        for chunk in tables.parquet_rows(stream, iter([data]), "a.parquet")
        for text in chunk.texts.to_pylist()
    ]


TABLE = pa.table({
    "timestamp": pa.array([dt.datetime(2026, 11, 22, 10, tzinfo=dt.UTC)] * 2, pa.timestamp("us", "UTC")),
    "request_id": ["req_1", "req_2"],
    "model": pa.array(["claude-opus-5-5"] * 2).dictionary_encode(),
    "input_tokens": pa.array([812, None], pa.uint64()),
    "output_tokens": pa.array([256, 7], pa.int32()),
    "cost_usd": pa.array([Decimal("0.000000000001"), None], pa.decimal128(38, 12)),
})  # fmt: skip


def test_rows_of_parquet_are_records(home, tmp_path):
    [line] = load(home, parquet(TABLE), "a.parquet")
    assert counts(line) == (2, 2, 0, 0, 0), refusals(home)
    first, second = attempts(home)
    assert (first["uncached_input_tokens"], first["cost_reported_usd"]) == (812, Decimal("0.000000000001"))
    assert str(first["started_at"]) == "2026-11-22 10:00:00" and line.notes == []
    assert (second["source_line"], "uncached_input_tokens" in second) == (2, False)
    [again] = load(home, gzip.compress(parquet(TABLE)), "a.parquet.gz")
    assert again.load_id == line.load_id


def test_parquet_keeps_maps_lists_structs_and_every_digit():
    usage = pa.map_(pa.string(), pa.decimal128(38, 12))
    [row] = rows_of(parquet(pa.table({
        "usage": pa.array([[("input", Decimal("0.000000000123"))]], usage),
        "tags": pa.array([["a", None]]),
        "at": pa.array([{"ns": 1795341600123456789}], pa.struct([("ns", pa.timestamp("ns"))])),
        "nan": [float("nan")],
    })))  # fmt: skip
    assert row["usage"] == {"input": 0.000000000123} and row["tags"] == ["a", None] and row["nan"] is None
    assert row["at"] == {"ns": "2026-11-22 10:00:00.123456789"}


def test_parquet_is_read_in_chunks_over_row_groups():
    table = pa.table({"n": pa.arange(0, 120_000)})
    data = parquet(table, row_group_size=50_000)
    stream = io.BufferedReader(io.BytesIO(data))
    found = list(tables.parquet_rows(stream, iter([data]), "a.parquet"))
    assert [chunk.last_line for chunk in found] == [20_000, 40_000, 60_000, 80_000, 100_000, 120_000]
    assert found[1].lines[0].as_py() == 20_001 and json.loads(found[1].texts[0].as_py()) == {"n": 20_000}


def test_a_damaged_parquet_file_says_so(home):
    with pytest.raises(Unreadable, match="damaged, cut short"):
        load(home, parquet(TABLE)[:-20], "a.parquet")


def test_a_row_that_is_too_long_is_refused_and_the_next_one_is_read(home):
    rows = ["timestamp,model,input_tokens,output_tokens", *["2026-11-22T10:00:00Z,m,5,7"] * 2]
    rows.insert(2, "x" * (LONGEST_LINE + 10))
    [line] = load(home, "\n".join(rows) + "\n")
    assert counts(line) == (3, 1, 1, 0, 1)
    [(number, reason)] = refusals(home)
    assert number == 3 and "longer than 16 MB" in reason


@pytest.mark.parametrize("wrong", [b"\n", b",", b'"' + b"\n" * (1 << 20) + b'"'], ids=["blank", "commas", "quoted"])
def test_a_csv_is_given_out_in_chunks_even_where_it_holds_nothing(wrong):
    data = b"timestamp,model,input_tokens\n" + wrong * (4 * CHUNK_BYTES // len(wrong))
    told = [chunk.last_line for chunk in tables.csv_rows(iter([data]))]
    assert len(told) >= 4 and told == sorted(told)
