"""The product as a person meets it: a real server, a real browser, real logs."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import settled
from tests.dashboard.test_judging import days
from tests.ingest.loading import load

pytestmark = pytest.mark.browser
PAGES = (
    "", "signals", "spend", "compare", "cache", "latency", "truncation", "reliability", "budgets", "alerts", "data",
    "upload",
)  # fmt: skip
HOSTILE = "<img src=x onerror=alert(1)> ![beacon](http://beacon.invalid/x.png) [pay](http://evil.invalid)"


def traffic() -> str:
    """Ten days of calls for three features, one of them named to do harm; $0.006 each."""
    records = [
        {
            "timestamp": f"2026-11-{day:02}T{hour:02}:00:00Z", "request_id": f"req_{day}_{hour}_{number}",
            "model": "claude-opus-5-5", "input_tokens": 1000, "output_tokens": 100, "stop_reason": "end_turn",
            "latency_ms": 1000 + 10 * hour, "retries_taken": number % 2, "feature": feature, "user_id": f"u_{hour}",
        }
        for day in range(11, 21) for hour in range(8, 18)
        for number, feature in enumerate(("chat", "search", HOSTILE))
    ]  # fmt: skip
    return "".join(json.dumps(record) + "\n" for record in records)


def test_every_page_opens_stays_at_home_and_fits(home: Path, page: Page, server: Callable[[Path], str]) -> None:
    """300 calls at $0.006 are $1.80; no page asks anything of another host, and a phone needs no sideways scrolling."""
    load(home, traffic())
    address = server(home)
    outside: list[str] = []
    page.on(
        "request",
        lambda request: None if request.url.startswith((address, "data:", "blob:")) else outside.append(request.url),
    )
    page.on("dialog", lambda dialog: outside.append(dialog.message))
    for name in PAGES:
        page.goto(f"{address}/{name}")
        settled(page)
        assert page.get_by_test_id("stException").count() == 0, name
    page.goto(f"{address}/spend?range=All+time")
    settled(page)
    expect(page.get_by_text("$1.80").first).to_be_visible()
    assert page.locator('a[href*="evil.invalid"]').count() == 0 and page.locator("img[src*=beacon]").count() == 0
    page.set_viewport_size({"width": 375, "height": 900})
    page.goto(address)
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert outside == []


def test_the_address_is_the_view(home: Path, page: Page, browser: Browser, server: Callable[[Path], str]) -> None:
    load(home, traffic())
    address = server(home)
    page.goto(f"{address}/?range=7+days&feature=chat&zone=Asia%2FKolkata")
    settled(page)
    page.get_by_role("link", name="Spend").click()
    page.wait_for_url(re.compile(r"/spend\?.*feature=chat"))
    settled(page)
    told = page.get_by_test_id("stMetric").all_inner_texts()
    other = browser.new_context(viewport={"width": 1440, "height": 1800}).new_page()
    other.goto(page.url)
    settled(other)
    expect(other.get_by_test_id("stMetric").first).to_contain_text("$0.42")  # 7 days of 10 calls at $0.006
    assert other.get_by_test_id("stMetric").all_inner_texts() == told
    other.context.close()


def test_a_view_and_its_charts_are_saved_as_files(home: Path, page: Page, server: Callable[[Path], str]) -> None:
    """300 calls at $0.006 are $1.80, in the workbook of the menu and in the CSV of the table; a chart as a picture."""
    load(home, traffic())
    page.goto(f"{server(home)}/spend?range=All+time&by=User")
    settled(page)

    def saved(button: Locator) -> bytes:
        with page.expect_download(timeout=60_000) as download:
            button.click()
        return Path(download.value.path()).read_bytes()

    table = saved(page.get_by_role("button", name="CSV", exact=True)).decode()
    assert table.splitlines()[-1].startswith("Total,1.80000")
    page.get_by_role("button", name="Export").click()
    book = openpyxl.load_workbook(io.BytesIO(saved(page.get_by_role("button", name="Workbook (XLSX)"))))
    assert [cell.value for cell in book["Spend by user"][12]][:2] == ["Total", 1.8]  # ten users
    assert saved(page.get_by_role("button", name="One page (PDF)")).startswith(b"%PDF")
    page.get_by_text("SVG", exact=True).click()
    settled(page)
    page.keyboard.press("Escape")
    page.locator(".js-plotly-plot").first.hover()
    assert b"<svg" in saved(page.locator(".modebar-btn").first)[:200]


def test_a_mark_opens_its_signal_and_the_signal_its_comparison(
    home: Path, page: Page, server: Callable[[Path], str]
) -> None:
    """A hundred calls of a cent a day, five hundred on 7 October; the same weekday before had a hundred."""
    load(home, days(0, 32, odd=30))
    address = server(home)
    page.goto(f"{address}/signals?feature=chat")
    expect(page.get_by_text("1 open.")).to_be_visible()
    page.goto(f"{address}/spend?feature=chat")
    settled(page)
    mark = page.locator(".scatterlayer .point").last.bounding_box(timeout=60_000)
    assert mark
    at = mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2
    page.mouse.move(*at)
    expect(page.locator(".hoverlayer")).to_contain_text("Feature chat: cost $5.00 on Wed 07 Oct")
    page.mouse.click(*at)
    page.wait_for_url(re.compile(r"/signals\?.*signal=\w+"))
    settled(page)
    page.get_by_role("button", name="Compare with the same weekdays before").click(timeout=60_000)
    page.wait_for_url(re.compile(r"/compare\?.*dates=2026-10-07"))
    settled(page)
    expect(page.get_by_text("from $1.00 on 30 Sep 2026 to $5.00 on 7 Oct 2026")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    told = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert told[-1].startswith("Total,1.00,5.00,4.00,")
    assert "feature=chat" in page.url


def row(page: Page, name: str) -> Locator:
    return page.locator(".job", has=page.locator(".name", has_text=re.compile(f"^{re.escape(name)}$")))


def test_dropped_files_give_their_arithmetic_though_the_page_is_left(
    home: Path, page: Page, server: Callable[[Path], str], tmp_path: Path
) -> None:
    """300 calls told twice, and a line of rubbish; a CSV that no format knows; a file that is cancelled."""
    log, unknown, long = tmp_path / "app.jsonl", tmp_path / "costs.csv", tmp_path / "long.jsonl"
    log.write_text(traffic() + "rubbish\n" + traffic(), encoding="utf-8")
    unknown.write_text("when,what\n2026-11-20,much\n", encoding="utf-8")
    long.write_text(traffic() * 200, encoding="utf-8")
    address = server(home)
    page.goto(address)
    settled(page)
    expect(page.get_by_text("outlay ingest").first).to_be_visible()  # an empty store says what to do
    page.goto(f"{address}/upload")
    page.locator("input[type=file]").set_input_files([long, log, unknown])
    row(page, "long.jsonl").get_by_role("button", name="Cancel").click()
    expect(row(page, "long.jsonl").get_by_text("nothing of it was taken")).to_be_visible()

    page.get_by_role("link", name="Data", exact=True).click()  # away, and back by another tab
    settled(page)
    other = page.context.new_page()
    other.goto(f"{address}/upload")
    expect(row(other, "app.jsonl").locator(".sum")).to_have_text(
        "601 read = 300 new + 300 already known + 0 folded + 1 refused", timeout=60_000
    )
    expect(row(other, "costs.csv").get_by_text("Outlay does not know this format")).to_be_visible()
    with other.expect_download() as download:
        row(other, "app.jsonl").get_by_role("link", name="Refused lines").click()
    told = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert told == ["file,line,reason,preview", "app.jsonl,301,no record in this line,xxxxxxx"]
    row(other, "long.jsonl").get_by_role("button", name="Dismiss").click()
    expect(row(other, "long.jsonl")).to_have_count(0)
    other.close()
    page.goto(f"{address}/spend?range=All+time")
    settled(page)
    expect(page.get_by_text("$1.80").first).to_be_visible()


def test_the_columns_of_an_unknown_table_can_be_told(
    home: Path, page: Page, server: Callable[[Path], str], tmp_path: Path
) -> None:
    """Ten calls of 1,000,000 input tokens at $4 a million are $40.00; words of the table are shown masked."""
    table = tmp_path / "usage.csv"
    rows = "".join(f"2026-11-{day}T10:00:00Z,claude-opus-5-5,1000000,0,Alice\n" for day in range(11, 21))
    table.write_text(f"happened,llm,tokens_in,tokens_out,who\n{rows}", encoding="utf-8")
    address = server(home)
    page.goto(f"{address}/upload")
    page.locator("input[type=file]").set_input_files(table)
    row(page, "usage.csv").get_by_role("button", name="Choose columns").click(timeout=60_000)
    page.get_by_role("combobox", name="Time", exact=False).first.click(timeout=60_000)
    page.get_by_role("option", name="happened").click()
    expect(page.get_by_text("Of the first 10 records, 10 can be read.")).to_be_visible()
    assert page.get_by_text("Alice").count() == 0
    page.get_by_role("button", name="Load", exact=True).click()
    expect(row(page, "usage.csv").locator(".sum")).to_have_text(
        "10 read = 10 new + 0 already known + 0 folded + 0 refused", timeout=60_000
    )
    page.goto(f"{address}/spend?range=All+time")
    settled(page)
    expect(page.get_by_text("$40.00").first).to_be_visible()


def test_every_answer_carries_the_headers_and_strangers_get_none(
    home: Path, page: Page, server: Callable[[Path], str]
) -> None:
    address = server(home)
    answer = page.request.get(address)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["referrer-policy"] == "no-referrer"
    assert page.request.get(address, headers={"Host": "evil.invalid"}).status == 404
    assert page.request.get(f"{address}/_stcore/metrics").status == 404
    assert page.request.post(f"{address}/api/query", data="select 1").status == 404


def test_a_budget_is_set_up_changed_and_watched_in_the_browser(
    home: Path, page: Page, server: Callable[[Path], str]
) -> None:
    """What is typed into a form that is closed without saving shows up in no other; the file says what was saved."""
    load(home, traffic())
    address = server(home)
    page.goto(f"{address}/budgets")
    settled(page)
    page.get_by_role("button", name="Set up a budget").click()
    form = page.get_by_role("dialog")
    form.get_by_role("textbox", name="Name").fill("everything")
    form.get_by_role("textbox", name="Amount in US dollars").fill("2.50")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="everything")).to_be_visible()
    assert (home / "rules.toml").read_text().endswith('[budgets.everything]\namount_usd = "2.50"\nperiod = "month"\n')

    page.get_by_role("button", name="Edit").click()
    form.get_by_role("textbox", name="Amount in US dollars").fill("777")
    form.get_by_label("Close").click()
    expect(form).to_have_count(0)
    settled(page)
    page.get_by_role("button", name="Edit").click()
    expect(form.get_by_role("textbox", name="Amount in US dollars")).to_have_value("2.50")
    form.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No budgets yet")).to_be_visible()

    page.goto(f"{address}/alerts?show=File")
    settled(page)
    editor = page.get_by_label("Rules", exact=True)
    editor.fill('[alerts.silence]\nkind = "missing"\nafter = "an hour"\n')
    page.get_by_role("button", name="Check and save").click()
    expect(page.get_by_text("rules.toml:3: alerts.silence.after: 'an hour' is no length of time")).to_be_visible()
    editor.fill('[alerts.silence]\nkind = "missing"\nafter = "1 hour"\n')
    page.get_by_role("button", name="Check and save").click()
    expect(page.get_by_text("Saved. The next look goes by these rules.")).to_be_visible()
    page.goto(f"{address}/alerts")
    expect(page.get_by_text("No call is logged for 1 hour.")).to_be_visible()
