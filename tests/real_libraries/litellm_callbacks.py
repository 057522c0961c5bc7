# /// script
# requires-python = ">=3.11"
# dependencies = ["litellm==1.109.1"]
#
# [tool.uv]
# override-dependencies = ["certifi"]
# ///
"""Writes the fixture of LiteLLM's logging payloads, made by LiteLLM itself against a Messages API on this machine.

    uv run --script tests/real_libraries/litellm_callbacks.py

`tests/ingest/fixtures/litellm_callbacks/` gets `payloads.jsonl`, the StandardLoggingPayload that a custom callback was
given for each call, and `truth.json`, what the server did. LiteLLM asks for a newer certifi than every index has;
certificates play no part on this machine, so any will do.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]
os.environ |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "ANTHROPIC_API_KEY": "CANARY"}

import litellm  # noqa: E402
import openai  # noqa: E402
from litellm.integrations.custom_logger import CustomLogger  # noqa: E402
from otel_spans import FIXTURES, MODEL, served  # noqa: E402

from tests.fake_messages_api import Turn, fake_messages_api  # noqa: E402

CALLS = [
    ("answered", False, Turn()),
    ("streamed", True, Turn()),
    ("truncated", False, Turn(stop_reason="max_tokens")),
    ("wrong request", False, Turn(400)),
    ("overloaded", False, Turn(529)),
]


class Payloads(CustomLogger):
    """Keeps what LiteLLM hands to its callbacks."""

    def __init__(self) -> None:
        super().__init__()
        self.payloads: list[dict[str, Any]] = []

    def log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        """Of an answer."""
        self.payloads.append(kwargs["standard_logging_object"])

    log_failure_event = log_success_event


def main() -> None:
    """All calls, one after the other."""
    log = Payloads()
    litellm.callbacks = [log]
    truth = []
    with fake_messages_api(*(turn for _, _, turn in CALLS)) as api:
        for number, (name, is_streamed, turn) in enumerate(CALLS, 1):
            try:
                answer = litellm.completion(
                    model=f"anthropic/{MODEL}",
                    messages=[{"role": "user", "content": "CANARY question"}],
                    max_tokens=100,
                    stream=is_streamed,
                    api_base=api.url,
                    num_retries=0,
                    max_retries=0,
                    metadata={"tags": ["feature:search"]},
                )
                for _ in answer if is_streamed else ():
                    pass
            except openai.APIError as error:
                print(f"  raised {type(error).__name__}")
            deadline = time.monotonic() + 10  # callbacks run in a thread of their own
            while len(log.payloads) < number and time.monotonic() < deadline:
                time.sleep(0.01)
            if (len(api.requests), len(log.payloads)) != (number, number):
                sys.exit(f"{name}: {len(api.requests)} requests and {len(log.payloads)} payloads, not {number}")
            truth.append({"call": name, "model": MODEL, "is_streamed": is_streamed, "attempts": [served(number, turn)]})
    folder = FIXTURES / "litellm_callbacks"
    folder.mkdir(exist_ok=True)
    for payload in log.payloads:
        if payload.get("error_information"):  # a stack trace names the folders of who ran this
            payload["error_information"].pop("traceback", None)
    lines = (json.dumps(payload, default=str) for payload in log.payloads)
    (folder / "payloads.jsonl").write_text("".join(line + "\n" for line in lines))
    (folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")


if __name__ == "__main__":
    main()
