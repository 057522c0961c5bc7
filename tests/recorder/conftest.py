"""The real SDK against a Messages API on this machine, and what the recorder wrote of it."""

import json
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import anthropic
import jsonschema
import outlay_recorder
import pytest

from tests.fake_messages_api import FakeMessagesApi, Turn, fake_messages_api

CANARY = "CANARY"  # stands in every prompt, answer, error message and key of these tests
ASK: dict[str, Any] = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 100,
    "system": "CANARY system prompt",
    "messages": [{"role": "user", "content": "CANARY question"}],
}
SCHEMA = jsonschema.Draft202012Validator(json.loads((files("outlay_recorder") / "schema.json").read_text()))

Lines = list[dict[str, Any]]
Recorded = Callable[[], Lines]


@pytest.fixture
def api() -> Iterator[FakeMessagesApi]:
    with fake_messages_api() as running:
        yield running


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "claude.jsonl"


@pytest.fixture
def recorded(log: Path) -> Recorded:
    """What is in the log by now; every line keeps to the schema, and none holds what it must not."""

    def lines() -> Lines:
        assert outlay_recorder.flush()
        return read(log)

    return lines


def read(log: Path) -> Lines:
    text = log.read_text()
    assert CANARY not in text
    found = [json.loads(line) for line in text.splitlines()]
    for line in found:
        SCHEMA.validate(line)
    return found


def client(api: FakeMessagesApi, **options: Any) -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key="sk-ant-CANARY", base_url=api.url, **options)


def async_client(api: FakeMessagesApi, **options: Any) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(api_key="sk-ant-CANARY", base_url=api.url, **options)


def soon(status: int, **more: Any) -> Turn:
    """An error after which the SDK waits ten milliseconds and not half a second."""
    return Turn(status, headers={"retry-after-ms": "10"}, **more)


def of(lines: Lines, kind: str) -> Lines:
    return [line for line in lines if line["kind"] == kind]
