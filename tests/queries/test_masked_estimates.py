"""Errors that retries hid in logs that link nothing: the estimate beside the truth of simulated traffic.

What the page and the view say of the error of the estimate is what is held here.
"""

from datetime import datetime, timedelta

import numpy as np
import pytest
from attempts import a_failure, an_attempt

FIRST = datetime(2026, 11, 2, 8)


def traffic(calls_a_minute, error_rate, users, minutes=60):
    """Tries as an SDK makes them: up to three, half a second and then a second apart. And how many were masked."""
    random = np.random.default_rng([calls_a_minute, users])
    log, masked, calls = [], 0, 0
    for _ in range(random.poisson(calls_a_minute * minutes)):
        at = FIRST + timedelta(minutes=float(random.uniform(0, minutes)))
        who = {"feature": "chat", "user_id": f"u{random.integers(users)}" if users else None}
        failures = int((random.random(3) < error_rate).cumprod().sum())
        for number in range(min(failures + 1, 3)):
            milliseconds = float(random.uniform(200, 400) if number < failures else random.lognormal(7, 0.5))
            a_try = a_failure if number < failures else an_attempt
            log.append(a_try(started_at=at, latency_ms=milliseconds, **who))
            at += timedelta(milliseconds=milliseconds, seconds=0.5 * 2**number * float(random.uniform(0.75, 1)))
        masked += 0 < failures < 3
        calls += 1
    return log, masked / calls


@pytest.mark.parametrize("calls_a_minute", [5, 30, 60])
@pytest.mark.parametrize("error_rate", [0.02, 0.1])
def test_with_users_the_estimate_is_right_to_a_third_of_a_point(given, ask, calls_a_minute, error_rate):
    log, truth = traffic(calls_a_minute, error_rate, users=20)
    given(*log)
    [found] = ask("masked_estimates_by_feature")
    assert found["estimated_masked_rate"] == pytest.approx(truth, abs=0.0035)


def test_without_users_the_range_holds_the_truth(given, ask):
    log, truth = traffic(60, 0.1, users=0)
    given(*log)
    [found] = ask("masked_estimates_by_feature")
    assert found["estimated_masked_rate_low"] <= truth <= found["estimated_masked_rate_high"] + 0.0035
