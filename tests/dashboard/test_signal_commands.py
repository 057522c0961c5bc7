"""outlay signals, explain and forecast, as processes over a log with one bad day."""

import csv
import io
import json
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from tests.dashboard.test_cli import outlay

FIRST = datetime(2026, 9, 7)


def lines():
    """Two hundred calls of a cent each day; on the 31st day a thousand, most of them by one user."""
    for day in range(40):
        count = 1_000 if day == 30 else 200
        for number in range(count):
            yield json.dumps({
                "timestamp": (FIRST + timedelta(days=day, seconds=28_800 + 36_000 * number / count)).isoformat() + "Z",
                "request_id": f"req_{day}_{number}", "model": "claude-opus-4-5", "input_tokens": 1_000,
                "output_tokens": 200, "stop_reason": "end_turn", "latency_ms": 900, "feature": "chat", "retries": 0,
                "user_id": "u_loop" if day == 30 and number % 10 else f"u_{number % 7}",
            })  # fmt: skip


@pytest.fixture(scope="module")
def bad_day(tmp_path_factory):
    folder = tmp_path_factory.mktemp("signals")
    (folder / "app.jsonl").write_text("\n".join(lines()) + "\n", encoding="utf-8")
    assert outlay(folder / "home", "ingest", folder / "app.jsonl").returncode == 0
    return folder / "home"


def rows(said):
    assert said.returncode == 0, said.stderr
    return list(csv.DictReader(io.StringIO(said.stdout)))


def test_signals_as_csv(bad_day):
    found = rows(outlay(bad_day, "signals", "--format", "csv"))
    [cost] = [row for row in found if row["metric"] == "cost" and row["slice"] == "chat"]
    assert cost["slice_kind"] == "feature"
    assert cost["start"].startswith("2026-10-07")
    assert cost["raised_at"] > cost["start"]
    assert (cost["cause"], cost["driver_user"]) == ("requests", "u_loop")
    assert float(cost["low"]) < float(cost["expected"]) < float(cost["high"]) < float(cost["actual"])
    assert "chat" in outlay(bad_day, "signals").stdout


def test_a_signal_is_settled_by_its_id(bad_day):
    [cost] = [row for row in rows(outlay(bad_day, "signals", "--format", "csv")) if row["metric"] == "cost"]
    said = outlay(bad_day, "decide", "mute", cost["signal_id"], "--days", "7", "--by", "ann")
    assert said.stdout.startswith("muted: Feature chat: cost $10.00 on Wed 07 Oct")
    assert "cost" not in {row["metric"] for row in rows(outlay(bad_day, "signals", "--format", "csv"))}
    assert "settled; --all shows them" in outlay(bad_day, "signals").stdout
    told = {row["metric"]: row["state"] for row in rows(outlay(bad_day, "signals", "--all", "--format", "csv"))}
    assert (told["cost"], told["requests"]) == ("muted", "open")
    assert outlay(bad_day, "decide", "undo", cost["signal_id"]).stdout.startswith("open again: ")
    assert "cost" in {row["metric"] for row in rows(outlay(bad_day, "signals", "--format", "csv"))}
    unknown = outlay(bad_day, "decide", "acknowledge", "nonsense")
    assert unknown.returncode == 1
    assert "there is no signal nonsense" in unknown.stderr


def test_what_was_expected_as_csv(bad_day):
    found = rows(outlay(bad_day, "signals", "--expected", "--format", "csv"))
    flat = [row for row in found if row["slice"] == "chat" and "2026-09-21" <= row["day"] < "2026-10-07"]
    assert len(flat) == 16
    assert all(float(row["low_usd"]) <= float(row["cost_usd"]) <= float(row["high_usd"]) for row in flat)


def test_before_the_bad_day_there_was_nothing_to_tell(bad_day):
    assert rows(outlay(bad_day, "signals", "--until", "2026-10-06", "--format", "csv")) == []


def test_explain_adds_up(bad_day):
    week = ("--since", "2026-10-05", "--until", "2026-10-11")
    found = rows(outlay(bad_day, "explain", *week, "--format", "csv"))
    assert sum(Decimal(row["change_usd"]) for row in found) == Decimal("8"), "800 calls more, a cent each"
    assert {row["cause"] for row in found} == {"requests"}
    said = outlay(bad_day, "explain", *week).stdout
    assert "+8.000000 USD" in said
    assert "Mostly: chat." in said


def test_forecast_is_a_sentence(bad_day):
    said = outlay(bad_day, "forecast")
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("October 2026: $")


def test_too_little_to_forecast_is_said(tmp_path):
    said = outlay(tmp_path, "forecast")
    assert said.returncode == 1
    assert "less than a week of history" in said.stderr
