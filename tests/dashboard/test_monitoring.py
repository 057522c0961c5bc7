"""`/metrics`: what it says is so, who may read it, and what is never in it."""

import contextlib
import io
import json
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.middleware import Middleware

from dashboard import monitoring
from dashboard.cli import main
from dashboard.gate import Gate
from dashboard.login.ways import Passwords
from dashboard.owner import Owner
from ingest.load import Loader
from tests.conftest import free_port
from tests.dashboard.asking import answering
from tests.ingest.loading import load

SENT = {
    "timestamp": "2026-11-20T10:00:00Z",
    "user": "secret",
    "feature": "secret",
    "input_tokens": 1,
    "output_tokens": 1,
}
SENT_AT = datetime(2026, 11, 20, 10, tzinfo=UTC).timestamp()


def log() -> str:
    """Three attempts, one without a price, and a line that is refused."""
    models = ("claude-opus-5-5", "claude-opus-5-5", "secret-model")
    records = [SENT | {"request_id": f"req_{i}", "model": model} for i, model in enumerate(models)]
    return "".join(json.dumps(record) + "\n" for record in records) + "rubbish\n"


def values(text: str) -> dict[str, float]:
    return {sample.name: sample.value for family in text_string_to_metric_families(text) for sample in family.samples}


def test_a_server_says_how_it_does_and_names_nobody(home: Path, server: Callable[[Path], str]) -> None:
    load(home, log())
    with urllib.request.urlopen(f"{server(home)}/metrics") as answer:
        assert answer.headers["content-type"].startswith("text/plain; version=")
        text = answer.read().decode()
    told = values(text)
    expected = {
        "loads": 1, "loads_set_aside": 0, "lines_read": 4, "records_read": 4, "records_refused": 1, "attempts": 3,
        "attempts_unpriced": 1, "sessions": 0, "last_attempt_timestamp_seconds": SENT_AT, "fold_seconds_count": 0,
        "archive_bytes": sum(file.stat().st_size for file in (home / "archive").glob("*/*")),
    }  # fmt: skip
    assert {name: told[f"outlay_{name}"] for name in expected} == expected
    assert told["process_resident_memory_bytes"] > 1e7 and told["outlay_disk_free_bytes"] > 0
    assert "secret" not in text


def test_what_is_not_known_yet_is_left_out_and_folds_are_timed(home: Path) -> None:
    def told() -> dict[str, list[float]]:
        return {
            family.name: [sample.value for sample in family.samples] for family in monitoring.Figures(owner).collect()
        }

    with contextlib.closing(Owner(home)) as owner:
        before = told()
        assert before["outlay_attempts"] == [0] and before["outlay_last_load_timestamp_seconds"] == []
        list(Loader(home).load_stream(io.BufferedReader(io.BytesIO(log().encode())), "a"))
        owner.fold()
        owner.fold()
        folds, seconds = told()["outlay_fold_seconds"]
        assert folds == 1 and 0 < seconds < 60
        assert abs(told()["outlay_last_load_timestamp_seconds"][0] - datetime.now(UTC).timestamp()) < 60


def test_where_there_is_a_login_a_scraper_has_a_token(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = CliRunner().invoke(main, ["--home", str(home), "metrics", "token"]).stdout.strip()
    port, way = free_port(), Passwords(home)
    with contextlib.closing(Owner(home)) as owner:
        app = Starlette(
            routes=[monitoring.route(owner, way)],
            middleware=[Middleware(Gate, hosts=frozenset({f"127.0.0.1:{port}"}), way=way)],
        )
        with answering(app, port) as ask:
            for wrong in ("", token, "Bearer ", f"Bearer {token[:-1]}", f"Basic {token}"):
                refused = ask("/metrics", authorization=wrong)
                assert refused.status == 401 and b"outlay_" not in refused.body
            assert values(ask("/metrics", authorization=f"Bearer {token}").body.decode())["outlay_attempts"] == 0
            monkeypatch.setenv("OUTLAY_METRICS_TOKEN", "given by hand, twenty or more")
            assert ask("/metrics", authorization=f"Bearer {token}").status == 401
            assert ask("/metrics", authorization="Bearer given by hand, twenty or more").status == 200
    monkeypatch.setenv("OUTLAY_METRICS_TOKEN", "hunter2")
    said = CliRunner().invoke(main, ["--home", str(home), "serve"])
    assert said.exit_code == 2 and "fewer than 20 characters" in said.stderr and "hunter2" not in said.stderr
