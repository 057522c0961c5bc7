"""`outlay check`, `budgets` and `alerts` as processes: statuses, words, and what is left behind."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.dashboard.alerts.test_delivery import SECRET, Receiver, receiver
from tests.dashboard.alerts.test_readings import lines
from tests.ingest.loading import load

__all__ = ["receiver"]

RECENT = datetime.now(UTC) - timedelta(hours=1)
SPEND = """
[channels.hook]
kind = "webhook"
url_env = "HOOK_URL"
secret_env = "HOOK_SECRET"

[budgets.all]
amount_usd = "0.0075"
period = "2 days"

[alerts.dear]
kind = "metric"
metric = "spend"
column = "cost_usd"
above = 0.007
window = "24 hours"
channels = ["hook"]
"""


def outlay(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from dashboard.cli import main; main()", "--home", str(home), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=os.environ | variables)


@pytest.fixture
def watched(home: Path) -> Path:
    """A home with one recent call of $0.0075, and a rule that it breaks."""
    load(home, lines((RECENT, 1, {})))
    (home / "rules.toml").write_text(SPEND)
    return home


def test_the_status_says_what_cron_and_ci_need(watched: Path, receiver: Receiver) -> None:
    given = {"HOOK_URL": receiver.url, "HOOK_SECRET": SECRET}
    fires = outlay(watched, "check", **given)
    assert (fires.returncode, receiver.events) == (1, ["fired"])
    assert fires.stdout.startswith("firing  dear: Spend: $0.007500 in the last 1 day (the line is above $0.007000).")
    again = outlay(watched, "check", "--format", "json", **given)
    told = json.loads(again.stdout)
    assert (again.returncode, told["delivered"], told["faults"], len(told["firing"])) == (1, 0, [], 1)

    (watched / "rules.toml").write_text(SPEND.replace("above = 0.007", "above = 1"))
    fine = outlay(watched, "check", **given)
    assert (fine.returncode, fine.stdout) == (0, "nothing fires; 1 rules\n")
    assert receiver.events == ["fired", "resolved"]


def test_a_dry_run_leaves_nothing_behind_and_no_send_leaves_it_to_the_next(watched: Path, receiver: Receiver) -> None:
    given = {"HOOK_URL": receiver.url, "HOOK_SECRET": SECRET}
    elsewhere = watched.parent / "proposed.toml"
    elsewhere.write_text(SPEND)
    assert outlay(watched, "check", "--rules", str(elsewhere), "--dry-run", **given).returncode == 1
    assert not (watched / "outlay.sqlite").exists()

    assert outlay(watched, "check", "--no-send", **given).returncode == 1
    assert receiver.events == []
    assert outlay(watched, "check", **given).returncode == 1
    assert receiver.events == ["fired"]


def test_mistakes_and_undelivered_messages_are_faults(watched: Path) -> None:
    lost = outlay(watched, "check")
    assert lost.returncode == 2
    assert "outlay: hook: the environment variable HOOK_URL is not set where Outlay runs" in lost.stderr

    (watched / "rules.toml").write_text(SPEND.replace("cost_usd", "cost_eur"))
    wrong = outlay(watched, "check")
    assert wrong.returncode == 2
    assert "rules.toml:14: alerts.dear.column: totals has no number called 'cost_eur'; did you mean" in wrong.stderr


def test_the_server_watches_by_itself_and_a_check_beside_it_tells_nothing_twice(
    watched: Path, receiver: Receiver, server: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_URL", receiver.url)
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    server(watched)
    for _ in range(600):
        if receiver.got:
            break
        time.sleep(0.1)  # it looks for the first time after some seconds; this only paces the asking
    assert outlay(watched, "check").returncode == 1
    assert receiver.events == ["fired"]


def test_budgets_are_exported_exactly(watched: Path) -> None:
    said = outlay(watched, "budgets", "--format", "csv")
    header, row = (line.split(",") for line in said.stdout.splitlines())
    told = dict(zip(header, row, strict=True))
    assert (told["spent_usd"], told["mark_percent"]) == ("0.007500000000", "100")
    assert told["breached_on"] == RECENT.date().isoformat()


def test_a_test_message_says_whether_it_arrived(watched: Path, receiver: Receiver) -> None:
    good = outlay(watched, "alerts", "test", "hook", HOOK_URL=receiver.url, HOOK_SECRET=SECRET)
    assert (good.returncode, good.stdout, receiver.events) == (0, "hook: delivered\n", ["test"])
    assert outlay(watched, "alerts", "test", "hook").returncode == 2
    assert "no channel is called team; the rules file has: hook" in outlay(watched, "alerts", "test", "team").stderr
    log = json.loads(outlay(watched, "alerts", "log", "--format", "json").stdout)
    assert [row["status"] for row in log] == ["failed", "sent"]
    [rule] = json.loads(outlay(watched, "alerts", "list", "--format", "json").stdout)
    assert rule["state"] == "not looked at yet"
