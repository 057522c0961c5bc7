"""Reports of the bill: every form they come in, what is refused, how they are kept, and how they are fetched."""

import gzip
import json
import threading
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.bill import kept
from ingest.bill.fetch import fetch
from ingest.bill.report import NoBill, Report
from ingest.chunk import Unreadable
from ingest.load import Loader
from ingest.store import create_tables

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
DAY = {"starting_at": "2026-11-19T00:00:00Z", "ending_at": "2026-11-20T00:00:00Z"}
NEXT = {"starting_at": "2026-11-20T00:00:00Z", "ending_at": "2026-11-21T00:00:00Z"}
# As the documentation of the three families writes them.
COST = {
    **DAY,
    "group": {"model": "claude-opus-5-5", "workspace_id": "wrkspc_demo"},
    "cost": {"amount": "1234.5", "list_amount": "1371.67", "currency": "USD", "requests": 410},
}
LEGACY_COST = {
    **DAY,
    "results": [
        {"amount": "123.45", "currency": "USD", "cost_type": "tokens", "model": "claude-opus-5-5", "new_key": 1}
    ],
}
LEGACY_USAGE = {
    **DAY,
    "results": [
        {
            "uncached_input_tokens": 1_500,
            "cache_creation": {"ephemeral_1h_input_tokens": 1_000, "ephemeral_5m_input_tokens": 500},
            "cache_read_input_tokens": 200,
            "output_tokens": 0,
            "server_tool_use": {"web_search_requests": 10},
            "model": "claude-opus-5-5",
            "service_tier": "batch",
        }
    ],
}


def page(*rows, has_more=False, **more) -> str:
    return json.dumps({"data": rows, "has_more": has_more, "next_page": "p2" if has_more else None, **more})


def read(text: str) -> list[Report]:
    return kept.read(text.encode(), "bill", NOW)


def amounts(text: str) -> list[Decimal]:
    return [Decimal(row.amount_usd) for report in read(text) for row in report.rows if row.amount_usd]


def test_cents_become_dollars_in_both_families():
    assert amounts(page(COST)) == [Decimal("12.345")]
    assert amounts(page(LEGACY_COST)) == [Decimal("1.2345")]
    [report] = read(page(COST))
    assert report.rows[0].list_usd == "13.716700000000"
    assert Decimal(report.step_usd) == Decimal("0.0001")  # a hundredth of a cent is the last digit written


def test_a_usage_report_is_tokens_by_class():
    [report] = read(page(LEGACY_USAGE))
    assert {row.token_class: row.tokens for row in report.rows} == {
        "input": 1_500,
        "cache_read": 200,
        "cache_write_5m": 500,
        "cache_write_1h": 1_000,
        "web_search": 10,
    }
    assert {row.service_tier for row in report.rows} == {"batch"}


@pytest.mark.parametrize(
    "join",
    [
        lambda pages: "\n".join(pages),
        lambda pages: "".join(pages),
        lambda pages: f"[{','.join(pages)}]",
        lambda pages: f'{{"status": 200, "pages": [{",".join(pages)}]}}',
        lambda pages: "\ufeff" + "\r\n\r\n".join(pages),
    ],
)
def test_pages_are_read_however_they_are_put_together(join):
    second = {**COST, **NEXT}
    assert amounts(join([page(COST, has_more=True), page(second)])) == [Decimal("12.345")] * 2


def test_rows_alone_are_a_report_too():
    assert amounts("\n".join(json.dumps(row) for row in (COST, {**COST, **NEXT}))) == [Decimal("12.345")] * 2


def test_a_page_that_is_there_twice_counts_once():
    [report] = read(page(COST) + page(COST))
    assert len(report.rows) == 1
    assert report.notes == ["1 rows were there twice and count once"]


def test_a_day_without_rows_is_covered_and_costs_nothing():
    [report] = read(page(LEGACY_COST, {**NEXT, "results": []}))
    assert list(report.days) == ["2026-11-19", "2026-11-20"]


def test_usage_and_cost_in_one_file_are_two_reports():
    assert {report.kind for report in read(page(COST) + page(LEGACY_USAGE))} == {"cost", "usage"}


def test_a_report_holds_as_of_when_it_says_else_as_of_its_file():
    assert read(page(COST, data_refreshed_at="2026-11-20T07:00:00+01:00"))[0].made_at == "2026-11-20T06:00:00"
    assert read(page(COST))[0].made_at == "2026-11-22T09:00:00"


CSV_COST = (
    "usage_date_utc,model,workspace,api_key,usage_type,token_type,cost_usd,list_price_usd,cost_type\n"
    "2026-11-19,Claude Haiku 4.5,Default,key-1,message,input_no_cache,1.25,1.50,token\n"
    "2026-11-21,Claude Haiku 4.5,Research,key-1,batch,output,0.5,,token\n"
)


def test_the_consoles_costs_are_dollars():
    [report] = read(CSV_COST)
    assert amounts(CSV_COST) == [Decimal("1.25"), Decimal("0.5")]
    assert [(row.workspace_id, row.service_tier, row.token_class) for row in report.rows] == [
        (None, "standard", "input"),
        ("Research", "batch", "output"),
    ]
    assert list(report.days) == ["2026-11-19", "2026-11-20", "2026-11-21"]


def test_the_consoles_tokens():
    [report] = read(
        "usage_date_utc,model_version,workspace,usage_type,usage_input_tokens_no_cache,usage_output_tokens\r\n"
        "2026-11-19,claude-haiku-4-5-20251001,Default,message,1000,20\r\n"
    )
    assert {row.token_class: row.tokens for row in report.rows} == {"input": 1_000, "output": 20}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no report of the bill"),
        ("2026-11-19 INFO request done", "`outlay ingest`"),
        ('{"model": "claude-opus-5-5", "usage": {"input_tokens": 3}}', "without any row"),
        (page(COST)[:-9], "bill:1: no JSON from here on"),
        (page(COST, has_more=True), "there are more"),
        (page({**DAY, "results": []}), "without any row"),
        (page({**COST, "ending_at": "2026-11-21T00:00:00Z"}), "one UTC day"),
        (page({**COST, "cost": {"amount": "12,5"}}), "no amount of money"),
        (page({**COST, "cost": {"amount": "NaN"}}), "no amount of money"),
        (page({**COST, "cost": {"amount": "1", "currency": "EUR"}}), "US dollars"),
        (page({**DAY, "results": [{"model_breakdown": []}]}), "neither an amount nor tokens"),
        (CSV_COST.replace("1.25", "$1.25"), "bill:2: '$1.25' is no amount"),
        (CSV_COST.replace(",token\n2026-11-21", "\n2026-11-21"), "bill:2: 8 columns, not 9"),
        (CSV_COST.split("\n")[0], "without any row"),
    ],
)
def test_what_is_no_whole_report_is_refused_with_a_sentence(text, says):
    with pytest.raises(NoBill, match=says.replace("$", r"\$").replace("(", r"\(")):
        read(text)


@given(st.text(max_size=200) | st.recursive(st.none() | st.integers() | st.text(max_size=5), st.lists).map(json.dumps))
def test_nothing_else_than_a_refusal_comes_of_anything_else(text):
    with pytest.raises(NoBill):
        read(text)


@given(st.decimals("-99999999", "99999999", places=8))
def test_every_digit_of_an_amount_survives(cents):
    row = {**COST, "cost": {"amount": f"{cents:f}"}}
    [report] = read(page(row))
    assert Decimal(report.rows[0].amount_usd) * 100 == cents


def a_store() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("attach ':memory:' as store")
    create_tables(con)
    return con


def test_a_report_is_kept_once_and_the_tables_can_be_made_anew(tmp_path: Path):
    assert [it.is_known for it in kept.keep(tmp_path, read(page(COST)) * 2)] == [False, True]
    for con in (a_store(), a_store()):
        for _ in range(2):
            kept.fold(con, tmp_path)
        assert con.execute("select amount_usd, list_usd from store.billed").fetchall() == [
            (Decimal("12.345"), Decimal("13.7167"))
        ]
        assert con.execute("from store.model_names").fetchall() == [("claude-opus-5-5",)]


def test_a_damaged_file_is_set_aside_and_keeps_nothing_else_back(tmp_path: Path):
    kept.keep(tmp_path, read(page(COST)))
    (tmp_path / "bills" / "0.json").write_text("{")
    con = a_store()
    for _ in range(2):
        kept.fold(con, tmp_path)
    assert con.execute("select count(*) from store.billed").fetchall() == [(1,)]
    [(reason,)] = con.execute("select reason from store.set_aside").fetchall()
    assert "damaged" in reason


@pytest.mark.parametrize("text", [page(COST), page(LEGACY_USAGE), CSV_COST])
def test_a_bill_among_logs_is_never_counted_as_calls(tmp_path: Path, text: str):
    path = tmp_path / "bill.json"
    path.write_text(text)
    with pytest.raises(Unreadable, match="outlay bill import"):
        list(Loader(tmp_path / "home").load_path(path))
    assert not list((tmp_path / "home").glob("archive/*"))


class Api(ThreadingHTTPServer):
    """Answers as the Usage and Cost Analytics API does: two pages a report, one 429, 401 for any other key."""

    def __init__(self, answers: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.answers, self.asked, self.has_turned_away = answers, [], False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    server: Api

    def do_GET(self) -> None:
        where = urlsplit(self.path)
        asked = parse_qs(where.query)
        self.server.asked.append((where.path, asked, self.headers["anthropic-beta"]))
        if self.headers["authorization"] != "Bearer sk-ant-admin-canary":
            self._send(401, '{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}')
        elif self.server.answers != 200:
            self._send(self.server.answers, "{}", {"x-should-retry": "false"})
        elif not self.server.has_turned_away:
            self.server.has_turned_away = True
            self._send(429, "{}", {"retry-after-ms": "1"})
        else:
            row = COST if where.path.endswith("/cost") else {**DAY, "group": {}, "usage": LEGACY_USAGE["results"][0]}
            is_first = "page" not in asked
            self._send(200, page(row if is_first else {**row, **NEXT}, has_more=is_first))

    def _send(self, status: int, body: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ({"content-type": "application/json"} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_the_bill_is_fetched_page_by_page_and_month_by_month(api: Api):
    reports = list(fetch("sk-ant-admin-canary", date(2026, 11, 1), date(2026, 12, 1), api.url))

    assert [(report.kind, len(report.days)) for report in reports] == [
        ("cost", 30), ("usage", 30), ("cost", 1), ("usage", 1)
    ]  # fmt: skip
    assert [Decimal(row.amount_usd) for row in reports[0].rows] == [Decimal("12.345")] * 2
    path, asked, beta = api.asked[1]
    assert path == "/v1/organizations/analytics/cost"
    assert beta == "analytics-usage-cost-2026-08-24"
    assert asked["starting_at"] == ["2026-11-01T00:00:00+00:00"]
    assert asked["ending_at"] == ["2026-12-01T00:00:00+00:00"]
    assert asked["time_bucket_width"] == ["1d"]
    assert api.asked[2][1]["page"] == ["p2"]


@pytest.mark.parametrize(
    ("status", "says"), [(401, "does not know this key"), (403, "may not read"), (500, "answered 500")]
)
def test_what_the_api_refuses_is_told_without_the_key(api: Api, status: int, says: str):
    key = "sk-ant-wrong-canary" if status == 401 else "sk-ant-admin-canary"
    api.answers = status
    with pytest.raises(NoBill, match=says) as told:
        list(fetch(key, date(2026, 11, 1), date(2026, 11, 2), api.url))
    assert "canary" not in str(told.value)


def packed(path: Path, **files: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_a_zip_of_reports_is_read_member_by_member(tmp_path: Path):
    found = kept.read_file(
        packed(tmp_path / "all.zip", **{"a/cost.json": page(COST), "../usage.json": page(LEGACY_USAGE)})
    )

    assert [(report.source_name, report.kind) for report in found] == [
        ("all.zip/a/cost.json", "cost"), ("all.zip/usage.json", "usage"),
    ]  # fmt: skip
    inner = packed(tmp_path / "inner.zip", **{"cost.json": page(COST)})
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as archive:
        archive.write(inner, "inner.zip")
    (tmp_path / "cost.json.gz").write_bytes(gzip.compress(page(COST).encode()))
    for name in ("outer.zip", "cost.json.gz"):
        assert [report.rows for report in kept.read_file(tmp_path / name)] == [found[0].rows]


def test_a_zip_with_anything_else_is_refused_by_name_and_whole(tmp_path: Path):
    path = packed(tmp_path / "all.zip", **{"cost.json": page(COST), "notes.txt": "hello", "cut.json": page(COST)[:-5]})
    with pytest.raises(NoBill, match=r"all.zip/notes.txt: no report of the bill.*all.zip/cut.json:1: no JSON"):
        kept.read_file(path)


@pytest.mark.parametrize("start", ["", page(COST)[:-1] + ","])
def test_a_bomb_is_left_before_it_is_large(tmp_path: Path, start: str):
    """300 MB of spaces, in 300 KB."""
    path = packed(tmp_path / "bomb.zip", **{"cost.json": start + " " * (300 << 20)})
    tracemalloc.start()
    with pytest.raises(NoBill, match=r"bomb.zip/cost.json: it unpacks to more than 250 times its size"):
        kept.read_file(path)
    largest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert largest < 100 << 20
