"""Signals over logs whose every number is known: what is flagged, what is not, when, and why."""

from collections import defaultdict
from datetime import date, datetime, timedelta

import pytest
from attempts import a_failure, an_attempt, fill

from queries import Filters, read
from queries.signals import find

FIRST = datetime(2026, 9, 7)  # a Monday
# claude-opus-5-5 costs $5 a million tokens in and $25 out: a call of 1,000 and 200 tokens costs one cent.
CENT = {"uncached_input_tokens": 1_000, "output_tokens": 200, "model_raw": "claude-opus-4-5"}


def calls(day, count, hours=range(8, 18), **what):
    """So many calls spread evenly over the hours of a day."""
    seconds = len(hours) * 3600
    for number in range(count):
        moment = FIRST + timedelta(days=day, hours=hours[0], seconds=seconds * number / count)
        yield an_attempt(**CENT | {"started_at": moment, "feature": "chat", "retry_count": 0} | what)


def steady(days=40, count=200, skip=(), **what):
    """Two hundred calls on each day: $2."""
    for day in range(days):
        if day not in skip:
            yield from calls(day, count, **what)


@pytest.fixture
def found(con):
    """found(attempts, **filters): what there is to tell about them."""

    def look(attempts, **filters):
        fill(con, list(attempts))
        return find(lambda metric, asked: read(con, metric, asked), Filters(**filters))

    return look


def told(findings, kind="feature"):
    return {(of.metric, of.slice) for of in findings.signals if of.slice_kind == kind}


def test_a_flat_series_is_silent(found):
    assert found(steady()).signals == ()


def test_an_empty_log_has_nothing_to_tell(found):
    assert found([]).signals == ()


def test_one_day_of_five_times_the_requests_is_told_with_its_numbers(found):
    findings = found([*steady(skip=(30,)), *calls(30, 1_000)])
    [cost] = [of for of in findings.signals if of.metric == "cost" and of.slice == "chat"]
    assert cost.start.date() == date(2026, 10, 7), "the thirty-first day"
    assert cost.cause == "requests"
    assert 7.5 < cost.parts["requests"] < 8.5, "1,000 calls instead of 200, a cent each"
    assert abs(sum(cost.parts.values()) - cost.parts["requests"]) < 0.01
    assert cost.start < cost.raised_at <= cost.end
    assert "chat: cost $" in cost.sentence
    assert "expected $" in cost.sentence


def test_weekends_are_no_news(found):
    """Two hundred calls on working days, twenty at weekends, for eight weeks."""
    findings = found(call for day in range(56) for call in calls(day, 20 if day % 7 >= 5 else 200))
    assert findings.signals == ()


def test_a_weekly_job_is_no_news(found):
    job = [call for day in range(1, 56, 7) for call in calls(day, 500, hours=range(2, 4), feature="weekly")]
    assert told(found([*steady(56), *job])) == set()


def test_a_launch_has_two_weeks_of_grace(found):
    launch = [call for day in range(20, 34) for call in calls(day, 40 * (day - 19), feature="new")]
    assert not {name for _, name in told(found([*steady(34), *launch]))} & {"new"}


def test_a_hole_in_the_log_is_not_a_drop(found):
    """Nothing at all from noon to five on one day, in either of two features."""
    whole = [*steady(), *steady(feature="search")]
    noon = FIRST + timedelta(days=30, hours=12)
    findings = found(call for call in whole if not noon <= call["started_at"] < noon + timedelta(hours=5))
    assert told(findings) == set()


def test_a_feature_that_falls_silent_alone_is_a_drop(found):
    whole = [*steady(), *steady(feature="search"), *steady(feature="other")]
    nine = FIRST + timedelta(days=30, hours=9)
    silent = [c for c in whole if c["feature"] != "chat" or not nine <= c["started_at"] < nine + timedelta(hours=9)]
    findings = found(silent)
    assert ("requests", "chat") in told(findings)
    assert {name for _, name in told(findings)} == {"chat"}


def test_a_new_level_becomes_the_usual(found):
    """From day 30 on there are twice as many calls; three weeks later that is how it is."""
    findings = found(call for day in range(60) for call in calls(day, 400 if day >= 30 else 200))
    cost = [of for of in findings.signals if of.metric == "cost" and of.slice == "chat"]
    assert cost[0].start == FIRST + timedelta(days=30) or cost[0].start.date() == date(2026, 10, 7)
    assert max(of.end for of in cost) < FIRST + timedelta(days=50)


def test_a_level_too_small_for_any_one_day_is_seen_by_the_run_of_its_days(found):
    """Every day differs by up to a fifth from 200 calls; from day 30 on there are 1.7 times as many."""
    wobble = (0.8, 1.1, 0.95, 1.2, 0.9, 1.15, 1.0, 0.85, 1.05, 0.9)
    findings = found(
        call for day in range(45) for call in calls(day, int(200 * wobble[day % 10] * (1.7 if day >= 30 else 1)))
    )
    requests = [of for of in findings.signals if of.metric == "requests" and of.slice == "chat"]
    assert requests and all(of.actual > of.expected for of in requests)
    since = FIRST + timedelta(days=30)
    assert since <= requests[0].start < since + timedelta(days=3), "it is told since when"


def test_what_happens_at_the_same_hours_every_week_is_told_once_at_most(found):
    """A job that joins a busy feature on Sunday evenings, from the fourth on."""
    sundays = [call for day in (27, 34, 41, 48) for call in calls(day, 300, hours=range(19, 23))]
    findings = found([*steady(days=56), *sundays])
    rises = [of for of in findings.signals if of.metric in ("cost", "requests") and of.score > 0]
    assert {of.start.date() for of in rises} <= {date(2026, 10, 4), date(2026, 10, 11)}


def test_a_rise_and_a_fall_on_one_day_are_two_signals_with_their_own_figures(found):
    """A morning of five times the calls, an evening without any: not one event that came to what is usual."""
    day = [*calls(30, 400, hours=range(8, 12)), *calls(30, 0)]
    findings = found([*steady(count=400, hours=range(24), skip=(30,)), *day])
    for of in findings.signals:
        if of.metric in ("cost", "requests"):
            assert not of.low <= of.actual <= of.high, of.sentence


@pytest.mark.parametrize(
    ("metric", "cause", "change"),
    [
        ("tokens_per_request", "input", {"uncached_input_tokens": 3_000}),
        ("tokens_per_request", "output", {"output_tokens": 1_500}),
        ("cost_per_request", "price", {"model_raw": "claude-haiku-4-5"}),
        ("truncation_rate", None, {"stop_reason": "max_tokens"}),
        ("latency_p95", None, {"latency_ms": 9_000.0}),
    ],
)
def test_what_changed_is_named(found, metric, cause, change):
    usual = {"latency_ms": 2_000.0}
    log = [call for day in range(36) for call in calls(day, 200, **(usual | change if day >= 33 else usual))]
    named = {of.metric: of.cause for of in found(log).signals if of.slice == "chat"}
    assert metric in named
    assert named[metric] == cause


def test_a_cold_cache_is_named(found):
    def cached(day, reads):
        kind = "cache_read_tokens" if reads else "cache_write_5m_tokens"
        return calls(day, 200, **{kind: 10_000})

    log = [call for day in range(36) for call in cached(day, reads=day < 33)]
    named = {of.metric: of.cause for of in found(log).signals if of.slice == "chat"}
    assert named["cache_hit_rate"] == named["cost"] == "cache_hit_rate"


def test_errors_that_retries_hide_are_told(found):
    log = []
    for day in range(36):
        for number, call in enumerate(calls(day, 200)):
            if day >= 33 and number % 8 == 0:
                call |= {"call_id": f"c{day}-{number}", "attempt_no": 2}
                log.append(a_failure(call_id=call["call_id"], attempt_no=1, retry_count=0, feature="chat",
                                     model_raw=CENT["model_raw"], started_at=call["started_at"]))  # fmt: skip
            log.append(call)
    assert {("masked_error_rate", "chat"), ("error_rate", "chat")} <= told(found(log))


def test_the_user_who_drives_a_spike_is_named(found):
    def mixed(day, count):
        return [call | {"user_id": f"u{number % 10}"} for number, call in enumerate(calls(day, count))]

    log = [call for day in range(36) for call in mixed(day, 400)]
    log += calls(34, 2_000, user_id="u3")
    drivers = {of.driver_user for of in found(log).signals if of.slice == "chat" and of.metric in ("cost", "requests")}
    assert drivers == {"u3"}


def test_many_steady_slices_stay_silent(found):
    """Forty features whose calls vary by a third from day to day: nobody is told."""
    log = [
        call
        for feature in range(40)
        for day in range(30)
        for call in calls(day, 40 + (feature * 7 + day * 11) % 21, feature=f"f{feature}")
    ]
    assert told(found(log)) == set()


def test_looking_back_tells_what_was_told_then(found, con):
    """What was raised before a moment is what a look at that moment's log raises."""
    log = [*steady(skip=(30, 31)), *calls(30, 1_000), *calls(31, 900), *steady(feature="search")]
    cut = FIRST + timedelta(days=33)
    whole = found(log)
    con.execute("delete from store.attempts where started_at >= $cut", {"cut": cut})
    part = find(lambda metric, asked: read(con, metric, asked), Filters())
    known = [of for of in whole.signals if of.raised_at < cut - timedelta(days=1)]
    raised = {(of.slice, of.metric, of.start, of.raised_at) for of in part.signals}
    assert known
    assert {(of.slice, of.metric, of.start, of.raised_at) for of in known} <= raised


def test_a_user_who_runs_away_within_hours_is_told_though_no_feature_stands_out(found):
    """Ten features with forty calls each; one user's calls, spread over all of them, treble for four hours."""
    log = [
        call | {"user_id": f"u{number % 8}", "feature": f"f{number % 10}"}
        for day in range(34) for number, call in enumerate(calls(day, 400))
    ]  # fmt: skip
    log += [
        call | {"user_id": "u3", "feature": f"f{number % 10}"}
        for number, call in enumerate(calls(33, 60, hours=range(10, 14)))
    ]
    log += calls(34, 1)
    hours = [of for of in found(log).signals if of.slice_kind == "user"]
    assert {(of.slice, of.metric, of.driver_user) for of in hours} == {("u3", "cost", "u3"), ("u3", "requests", "u3")}
    assert all(0.3 < of.stake_usd < 0.9 for of in hours), "sixty calls of a cent more than usual, in dollars"
    assert min(of.raised_at for of in hours) <= FIRST + timedelta(days=33, hours=14), "before the day is over"


@pytest.mark.parametrize(("kind", "by"), [("total", None), ("model", "model_raw"), ("team", "team")])
def test_what_runs_away_within_hours_in_many_small_features_is_told_of_the_whole(found, kind, by):
    """Thirty features; for four hours each has eight calls more, too little to tell of any of them."""
    mine = {"model_raw": "claude-sonnet-4-5", "team": "red"} if by else {}
    other = {"model_raw": "claude-haiku-4-5", "team": "blue"}
    log = []
    for day in range(34):
        extra = calls(day, 240, hours=range(10, 14)) if day == 33 else ()
        log += [call | mine | {"feature": f"f{n % 30}"} for n, call in enumerate([*calls(day, 300), *extra])]
        log += [call | other for call in calls(day, 50, feature="other")]
    log += calls(34, 1, **other)
    signals = [of for of in found(log).signals if of.metric in ("cost", "requests")]
    assert {of.slice_kind for of in signals} >= {kind}
    early = [of for of in signals if of.slice_kind == kind]
    assert min(of.raised_at for of in early) <= FIRST + timedelta(days=33, hours=14)


def test_expected_holds_what_was_spent_on_flat_days(found):
    findings = found(steady())
    days = [of for of in findings.expected if of.slice == "chat" and of.day >= FIRST + timedelta(days=14)]
    assert len(days) == 25, "forty days, but for two weeks and the last, which is not over"
    assert all(of.low_usd < of.cost_usd < of.high_usd for of in days)
    assert all(abs(of.expected_usd - 2) < 0.01 for of in days), "200 calls of a cent"


def test_a_period_tells_only_its_own_signals(found):
    log = [*steady(skip=(20, 30)), *calls(20, 1_000), *calls(30, 1_000)]
    findings = found(log, since=date(2026, 10, 1))
    days = defaultdict(set)
    for of in findings.signals:
        days[of.start.date()].add(of.metric)
    assert set(days) == {date(2026, 10, 7)}


FAILED = {"http_status": 500, "error_type": "api_error", "uncached_input_tokens": 0, "output_tokens": 0}


@pytest.mark.parametrize(
    ("metric", "what", "said"),
    [
        ("error_rate", FAILED, "attempts that failed 50.0 % from Wed 07 Oct 12:00 until Wed 07 Oct 13:00"),
        ("truncation_rate", {"stop_reason": "max_tokens"}, "answers cut off 50.0 % from Wed 07 Oct 12:00"),
        ("typical_latency", {"latency_ms": 16_000.0}, "the typical call took 4.0 s from Wed 07 Oct 12:00"),
        ("tokens_per_request", {"uncached_input_tokens": 400_000}, "typical tokens per request"),
    ],
)  # fmt: skip
def test_a_bad_hour_of_a_quiet_day_is_told_within_two(found, metric, what, said):
    """Every other of the forty calls between noon and one is bad; the day before and after it are as ever."""
    fine = {"latency_ms": 1_000.0, "stop_reason": "end_turn", "http_status": 200}
    noon = FIRST + timedelta(days=30, hours=12)
    attempts = [
        attempt | what if noon <= attempt["started_at"] < noon + timedelta(hours=1) and number % 2 else attempt
        for number, attempt in enumerate(steady(31, 400, **fine))
    ]
    [bad] = [of for of in found(attempts).signals if of.metric == metric and of.slice == "chat"]
    assert (bad.start, bad.end) == (noon, noon + timedelta(hours=1))
    assert noon < bad.raised_at <= noon + timedelta(hours=2)
    assert said in bad.sentence


def test_a_cache_that_goes_cold_for_an_hour_is_told(found):
    def cached(day, number):
        is_cold = day == 30 and 160 <= number < 200
        return {"cache_read_tokens": 0 if is_cold else 9_000, "cache_write_5m_tokens": 9_000 if is_cold else 0}

    attempts = [c | cached(day, n) for day in range(31) for n, c in enumerate(calls(day, 400))]
    [cold] = [of for of in found(attempts).signals if of.metric == "cache_hit_rate" and of.slice == "chat"]
    assert (cold.start.hour, cold.end.hour, cold.actual) == (12, 13, 0.0)
    assert cold.cause == "cache_hit_rate"


def test_an_hour_that_fails_every_day_is_no_news(found):
    """Half of what is asked between noon and one fails, on every day."""
    attempts = [
        attempt | FAILED if attempt["started_at"].hour == 12 and number % 2 else attempt
        for number, attempt in enumerate(steady(40, 400))
    ]
    assert found(attempts).signals == ()


def test_a_user_whose_calls_begin_to_fail_is_told_though_no_feature_stands_out(found):
    """Forty features with twenty calls each, of eight users; from noon to two on one day all calls of one fail."""
    noon = FIRST + timedelta(days=33, hours=12)
    log = [
        call | {"user_id": f"u{number % 8}", "feature": f"f{number // 8 % 40}"}
        for day in range(35) for number, call in enumerate(calls(day, 800, hours=range(10, 14)))
    ]  # fmt: skip
    failing = [c | FAILED if c["user_id"] == "u3" and 0 <= (c["started_at"] - noon).seconds < 7_200
               and c["started_at"].date() == noon.date() else c for c in log]  # fmt: skip
    [error] = [of for of in found(failing).signals if of.slice_kind == "user"]
    assert (error.slice, error.metric, error.actual) == ("u3", "error_rate", 1.0)
    assert (error.start, error.end) == (noon, noon + timedelta(hours=2))
    assert noon < error.raised_at <= noon + timedelta(hours=1)
    assert -0.6 < error.stake_usd < -0.4, "fifty calls of a cent that cost nothing"
