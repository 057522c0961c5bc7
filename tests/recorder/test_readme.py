"""The README's ten lines and the commands beside them, run as they are printed: the dashboard fills within a minute."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.dashboard.test_cli import outlay

README = (Path(__file__).parents[2] / "recorder" / "README.md").read_text(encoding="utf-8")
PATIENCE = 120  # seconds: the minute, and as much again where other tests run beside this one
SECTION = README.partition("## Ten lines")[2].partition("\n## ")[0]


def printed(language: str) -> str:
    return re.search(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_ten_lines_fill_the_dashboard(api, home, tmp_path):
    """Run twice, before the follower and beside it. The one change to the commands: a free port, and no browser."""
    environment = os.environ | {
        "ANTHROPIC_BASE_URL": api.url, "ANTHROPIC_API_KEY": "sk-ant-CANARY", "OUTLAY_HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }  # fmt: skip
    here = {"env": environment, "cwd": tmp_path, "stdout": subprocess.DEVNULL}
    commands = printed("sh").replace("serve --open", f"serve --port {free_port()}")
    assert len([line for line in printed("python").splitlines() if line.strip()]) <= 10 and "serve --port" in commands

    subprocess.run([sys.executable, "-c", printed("python")], check=True, timeout=60, **here)
    begun = time.monotonic()
    beside = subprocess.Popen(["sh", "-c", commands], start_new_session=True, **here)
    try:
        subprocess.run([sys.executable, "-c", printed("python")], check=True, timeout=60, **here)
        told = ""
        while "search,2" not in told and time.monotonic() - begun < PATIENCE:
            if (home / "server.json").exists():  # the server answers for the home from then on
                told = outlay(
                    home, "query", "select feature, calls from metrics.spend_by_feature", "--format", "csv"
                ).stdout
            time.sleep(0.2)  # paces the asking
        assert told == "feature,calls\nsearch,2\n"
    finally:
        os.killpg(beside.pid, signal.SIGTERM)
        beside.wait(timeout=30)
