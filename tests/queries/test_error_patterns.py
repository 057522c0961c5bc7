"""Whether errors pass or stay: the right answer on simulated fortnights, and on a log."""

from datetime import datetime, timedelta
from functools import partial

import numpy as np
import pytest
from attempts import a_failure, an_attempt

from queries import Filters, read
from queries.error_patterns import judge, patterns

DAYS, FORTNIGHTS = 14, 60


def constant(random, tries):
    return random.binomial(tries, 0.1)


def wobbling(random, tries):
    return random.binomial(tries, np.clip(0.1 * np.exp(random.normal(0, 0.35, (DAYS, 1))), 0, 1))


def one_bad_day(random, tries):
    rate = np.full(tries.shape, 0.003)
    rate[random.integers(DAYS)] = 0.4
    return random.binomial(tries, rate)


def limited_at_peak(random, tries):
    rate = np.full(tries.shape, 0.001)
    rate[:, 4:9] = 0.2
    return random.binomial(tries, rate)


def broken_since_a_deploy(random, tries):
    rate = np.full(tries.shape, 0.002)
    rate[random.integers(5, 11) :] = 0.1
    return random.binomial(tries, rate)


def clean(random, tries):
    return random.binomial(tries, 0.003)


@pytest.mark.parametrize(
    ("failures", "pattern"),
    [
        (constant, "systematic"),
        (wobbling, "systematic"),
        (one_bad_day, "transient"),
        (limited_at_peak, "systematic, under load"),
        (broken_since_a_deploy, "new and lasting"),
        (clean, "quiet"),
    ],
)
@pytest.mark.parametrize("calls_an_hour", [20, 200])
def test_the_pattern_is_named_right(failures, pattern, calls_an_hour):
    random = np.random.default_rng(7)
    rhythm = 1 + 0.8 * np.sin(np.arange(24) / 24 * 2 * np.pi)
    right = 0
    for _ in range(FORTNIGHTS):
        tries = random.poisson(calls_an_hour * rhythm, (DAYS, 24))
        right += judge(failures(random, tries), tries).pattern == pattern
    assert right >= 0.9 * FORTNIGHTS


def test_a_steady_tenth_that_always_retries_through_is_systematic(given, con):
    """Ten days of 30 calls, every tenth of which fails at first and then succeeds: nobody saw an error."""
    log = []
    for number in range(300):
        at = datetime(2026, 11, 1) + timedelta(hours=0.8 * number)
        if number % 10 == 0:
            log.append(a_failure(feature="chat", call_id=f"c{number}", attempt_no=1, retry_count=0, started_at=at))
        at += timedelta(seconds=2)
        log.append(an_attempt(feature="chat", call_id=f"c{number}", attempt_no=2, retry_count=0, started_at=at))
    given(*log)
    verdict = patterns(partial(read, con), "feature", Filters())["chat"]
    assert (verdict.pattern, verdict.attempts, verdict.failed_attempts) == ("systematic", 330, 30)


@pytest.mark.parametrize(("status", "pattern"), [(400, "systematic"), (529, "transient")])
def test_a_burst_of_refused_requests_does_not_pass_by_itself(given, con, status, pattern):
    """Ten days of 30 calls; ten in a row fail: the API has a new version, or is overloaded."""
    given(*(
        (a_failure if 130 <= number < 140 else an_attempt)(
            feature="chat", call_id=f"c{number}", attempt_no=1, retry_count=0,
            started_at=datetime(2026, 11, 1) + timedelta(hours=0.8 * number),
        ) | ({"http_status": status} if 130 <= number < 140 else {})
        for number in range(300)
    ))  # fmt: skip
    verdict = patterns(partial(read, con), "feature", Filters())["chat"]
    assert (verdict.pattern, verdict.failed_attempts) == (pattern, 10)


def test_nothing_is_said_without_data_or_failures(given, con):
    assert patterns(partial(read, con), "feature", Filters()) == {}
    given(an_attempt())
    assert patterns(partial(read, con), "feature", Filters()) == {}
