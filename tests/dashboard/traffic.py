"""A little traffic with everything in it that the pages show, as log lines."""

import json
import random
from datetime import datetime, timedelta
from typing import Any

LAST_DAY = datetime(2026, 11, 20)
HOSTILE = "<img src=x onerror=alert(1)>[click](http://evil.example) **bold** :material/warning: $x$"


def lines(days: int = 40, calls_a_day: int = 6) -> str:
    """The same calls every time: two features, one with a hostile name, and calls without one; errors and retries,
    cached prompts, answers cut off, a model that has no price, and one expensive day."""
    dice = random.Random(5)
    records: list[dict[str, Any]] = []
    for day in range(days):
        for number in range(calls_a_day):
            started_at = LAST_DAY - timedelta(days=day) + timedelta(hours=8 + number, seconds=dice.randrange(3600))
            records += _call(f"{day}-{number}", started_at, dice, ten_times=day == 3)
    return "\n".join(json.dumps(record) for record in records)


def _call(name: str, started_at: datetime, dice: random.Random, ten_times: bool) -> list[dict[str, Any]]:
    feature = dice.choice(["chat", "search", HOSTILE, None])
    call: dict[str, Any] = {
        "timestamp": f"{started_at.isoformat()}Z",
        "request_id": f"req_{name}",
        "model": dice.choice(["claude-sonnet-5", "claude-haiku-4-5", "house-model-1"]),
        "input_tokens": dice.randrange(500, 3000) * (10 if ten_times else 1),
        "cache_read_input_tokens": dice.choice([0, 0, 2000]),
        "cache_creation_input_tokens": dice.choice([0, 0, 1500]),
        "output_tokens": dice.randrange(50, 400),
        "stop_reason": dice.choice(["end_turn", "end_turn", "max_tokens"]),
        "latency_ms": dice.randrange(400, 9000),
        "max_tokens": 400,
        "feature": feature,
        "user_id": f"u_{dice.randrange(12):03d}",
        "team": dice.choice(["support", "growth"]),
        "environment": "production",
        "call_id": f"call_{name}",
        "attempt": 1,
    }
    if dice.random() < 0.2:
        failed = {key: call[key] for key in ("timestamp", "model", "feature", "user_id", "team", "call_id")}
        failed |= {"status": 529, "error_type": "overloaded_error", "attempt": 1, "request_id": f"req_{name}_1"}
        later = f"{(started_at + timedelta(seconds=2)).isoformat()}Z"
        return [failed, call | {"attempt": 2, "timestamp": later}]
    return [call]
