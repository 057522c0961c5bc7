"""What rules see in real data: figures over a window, budgets to the last digit, silence, and signals."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from dashboard import decisions
from dashboard.alerts import evaluation, ledger
from dashboard.alerts.evaluation import evaluate, see
from dashboard.alerts.parsing import parse
from dashboard.alerts.readings import Look, Sight, look
from dashboard.budgets import row, standing
from dashboard.owner import Owner, filters_from
from queries import Filters
from tests.ingest.loading import load

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
# 1,000 tokens in at $5 and 100 out at $25 a million: $0.0075.
CALL = {"model": "claude-opus-4-8", "input_tokens": 1000, "output_tokens": 100, "stop_reason": "end_turn"}
EACH = Decimal("0.0075")


def lines(*calls: tuple[datetime, int, dict[str, object]]) -> str:
    """So many equal calls at each moment."""
    records = [
        CALL | {"timestamp": at.isoformat(), "request_id": f"req_{at:%m%d%H%M}_{number}_{sorted(more.items())}"} | more
        for at, count, more in calls
        for number in range(count)
    ]
    return "".join(json.dumps(record) + "\n" for record in records)


@pytest.fixture
def owner(home: Path):
    owners: list[Owner] = []

    def over(text: str) -> Owner:
        load(home, text)
        owners.append(Owner(home))
        owners[-1].fold()
        return owners[-1]

    yield over
    for of in owners:
        of.close()


def sight(owner: Owner, signals: tuple[object, ...] | None = (), settled: tuple[str, ...] = ()) -> Sight:
    return Sight(owner.read, lambda zone: signals, lambda found: settled)


def saw(owner: Owner, rule: str, now: datetime = NOW, **given: object) -> Look:
    rules = parse(f"[alerts.it]\n{rule}")
    return look(rules.alerts["it"], rules, sight(owner, **given), now)


SPEND = 'kind = "metric"\nmetric = "spend"\ncolumn = "cost_usd"\nwindow = "6 hours"\n'


def test_a_window_is_cut_to_the_minute(owner) -> None:
    """Calls at 06:29 and 06:30, and at 12:29 and 12:30: the six hours before 12:30 hold the second and the third."""
    reads = owner(lines(*[(NOW - back, 1, {}) for back in (6 * HOUR + timedelta(minutes=1), 6 * HOUR)],
                        (NOW - timedelta(minutes=1), 1, {}), (NOW, 1, {})))  # fmt: skip
    [reading] = saw(reads, f"{SPEND}above = {2 * EACH}").readings
    assert (reading.seen, reading.value) == ("ok", "$0.02"), "0.015 is not above 0.015"
    [reading] = saw(reads, f"{SPEND}above = {2 * EACH - Decimal('0.000000000001')}").readings
    assert reading.seen == "firing"
    assert reading.sentence == "Spend: $0.02 in the last 6 hours (the line is above $0.01)."


def test_a_rate_equal_to_its_line_is_not_above_it(owner) -> None:
    """One failed call of twenty is exactly 5 %."""
    failed = {"status": 529, "error_type": "overloaded_error", "output_tokens": None, "stop_reason": None}
    reads = owner(lines((NOW - HOUR, 19, {"feature": "chat"}), (NOW - HOUR, 1, failed | {"feature": "chat"}),
                        (NOW - HOUR, 1, failed | {"feature": "few"})))  # fmt: skip
    rule = (
        'kind = "metric"\nmetric = "reliability"\ncolumn = "final_error_rate"\nwindow = "6 hours"\neach = "feature"\n'
    )
    seen = {of.subject: of for of in saw(reads, f"{rule}above = 0.05\nleast_count = 2").readings}
    assert seen["chat"].seen == "ok"
    assert seen["few"].seen == "no data" and "only 1 calls, too little to tell" in seen["few"].sentence
    seen = {of.subject: of for of in saw(reads, f"{rule}above = 0.0499").readings}
    assert seen["chat"].seen == seen["few"].seen == "firing"
    assert "feature=chat" in seen["chat"].link and seen["chat"].link.startswith("/reliability?range=Custom&dates=2026")


@pytest.mark.parametrize(
    "rule, fires",
    [("rises_by_percent = 49.9", True), ("rises_by_percent = 50", False), ("falls_by_percent = 10", False)],
)
def test_a_change_is_against_as_long_a_time_just_before(owner, rule: str, fires: bool) -> None:
    """Four calls in the window before, six in this one: up by half."""
    reads = owner(lines((NOW - 7 * HOUR, 4, {}), (NOW - HOUR, 6, {})))
    [reading] = saw(reads, f"{SPEND}{rule}").readings
    assert (reading.seen == "firing") == fires
    assert "+50.0% against the 6 hours before" in reading.sentence


def test_without_logs_nothing_is_known(owner) -> None:
    seen = saw(owner(lines((NOW - 7 * HOUR, 1, {}))), f"{SPEND}below = 1")
    assert [of.seen for of in seen.readings] == ["no data"]
    assert seen.absent == "no data"


def test_users_are_named_only_where_the_rule_allows_it(owner) -> None:
    reads = owner(lines((NOW - HOUR, 1, {"user_id": "u_secretive"})))
    rule = f'{SPEND}above = 0\neach = "user"\n'
    [silent], [named] = saw(reads, rule).readings, saw(reads, f"{rule}names_users = true").readings
    assert "secretive" not in silent.sentence + silent.link + silent.value
    assert "u_secretive" in named.sentence and "user=u_secretive" in named.link


@pytest.mark.parametrize(
    "narrowed, seen", [("", "ok"), ('features = ["chat"]', "ok"), ('features = ["search"]', "firing")]
)
def test_logs_that_stay_away_are_told_for_all_or_for_a_feature(owner, narrowed: str, seen: str) -> None:
    reads = owner(lines((NOW - HOUR, 1, {"feature": "chat"}), (NOW - 9 * HOUR, 1, {"feature": "search"})))
    [reading] = saw(reads, f'kind = "missing"\nafter = "6 hours"\n{narrowed}').readings
    assert reading.seen == seen


def test_moments_reach_a_running_server_as_they_are() -> None:
    """Through JSON, as the command line asks it."""
    told = {"since": NOW.isoformat(), "until": None, "zone": "UTC", "features": ["a"]}
    asked = filters_from(told)
    assert (asked.since, asked.features) == (NOW, ("a",))
    assert filters_from(told | {"since": "2026-11-23"}).since == date(2026, 11, 23)
    assert Filters(since=NOW - HOUR, until=NOW).previous() == Filters(since=NOW - 2 * HOUR, until=NOW - HOUR)


def budget(more: str):
    return parse(f"[budgets.it]\n{more}").budgets["it"]


def test_a_budget_is_exact_and_cut_in_its_own_zone(owner) -> None:
    """23:30 UTC on 31 October is already November in Berlin; three calls of $0.0075 are $0.0225, 90 % of $0.025."""
    late = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
    reads = owner(lines((late, 1, {}), (NOW - HOUR, 2, {}), (NOW - HOUR, 5, {"model": "house-model"})))
    how = standing(reads.read, budget('amount_usd = "0.025"\nperiod = "month"\nzone = "Europe/Berlin"'), NOW)
    assert how.spent_usd == 3 * EACH == Decimal("0.0225")
    assert how.left_usd == Decimal("0.0025")
    assert (how.percent, how.mark, how.breached_on, how.unpriced_attempts) == (90, 80, None, 5)
    assert standing(reads.read, budget('amount_usd = "0.025"\nperiod = "month"'), NOW).spent_usd == 2 * EACH


@pytest.mark.parametrize("amount, mark, day", [("0.0225", 100, date(2026, 11, 22)), ("0.022500000001", 80, None)])
def test_a_budget_is_used_up_on_the_day_that_reaches_it(owner, amount: str, mark: int, day: date | None) -> None:
    reads = owner(lines((NOW - 48 * HOUR, 1, {}), (NOW - 24 * HOUR, 2, {})))
    how = standing(reads.read, budget(f'amount_usd = "{amount}"\nperiod = "month"'), NOW)
    assert (how.mark, how.breached_on) == (mark, day)


def test_only_the_spend_that_is_meant_counts(owner) -> None:
    reads = owner(lines((NOW - HOUR, 1, {"feature": "chat", "team": "a"}), (NOW - HOUR, 2, {"feature": "search"})))
    for narrowed, calls in (
        ("", 3),
        ('features = ["chat"]', 1),
        ('features = ["search", "chat"]', 3),
        ('teams = ["a"]', 1),
    ):
        how = standing(reads.read, budget(f'amount_usd = 1\nperiod = "7 days"\n{narrowed}'), NOW)
        assert how.spent_usd == calls * EACH


def test_a_steady_budget_runs_out_when_arithmetic_says(owner) -> None:
    """Two calls every day since 14 September, $0.015 a day: 23 November's are the month's 23rd; $0.405 is 27 days."""
    days = [(NOW - timedelta(days=back), 2, {}) for back in range(70)]
    read = owner(lines(*days)).read
    how = standing(read, budget('amount_usd = "0.405"\nperiod = "month"'), NOW)
    assert how.spent_usd == 23 * 2 * EACH
    assert how.expected_on == date(2026, 11, 27)
    assert how.path is not None and how.path.earliest_on is not None
    assert date(2026, 11, 25) <= how.path.earliest_on <= how.expected_on
    assert how.path.expected_usd[-1] == pytest.approx(float(30 * 2 * EACH))
    assert how.path.low_usd[-1] < how.path.expected_usd[-1] < how.path.high_usd[-1]
    lasting = standing(read, budget('amount_usd = "0.46"\nperiod = "month"'), NOW)
    assert lasting.expected_on is None and row(lasting)["breached_on"] is None


def test_a_rolling_budget_lets_old_days_go(owner) -> None:
    """A dear day eight days ago lies outside a window of 7 days; the steady days within it make 7 * $0.015."""
    days = [(NOW - timedelta(days=back), 2, {}) for back in range(30)] + [
        (NOW - timedelta(days=8), 100, {"user_id": "x"})
    ]
    how = standing(owner(lines(*days)).read, budget('amount_usd = "0.2"\nperiod = "7 days"'), NOW)
    assert how.spent_usd == 7 * 2 * EACH
    assert how.path is not None and len(how.path.days) == 7


def test_with_too_little_history_nothing_is_foretold(owner) -> None:
    days = [(NOW - timedelta(days=back), 1, {}) for back in range(5)]
    how = standing(owner(lines(*days)).read, budget('amount_usd = "0.05"\nperiod = "month"'), NOW)
    assert how.path is None and how.expected_on is None


BUDGETS = """
[budgets.chat]
amount_usd = "0.03"
period = "month"
[alerts.it]
kind = "budget"
projected = true
"""


def test_each_mark_is_told_once_and_a_new_month_begins_anew(home: Path, owner) -> None:
    """Two, one and one calls of $0.0075: $0.015 is 50 %, $0.0225 75 %, $0.03 100 %."""
    at = datetime(2026, 9, 3, 12, tzinfo=UTC)
    reads = owner(lines((at, 2, {}), (at + 24 * HOUR, 1, {}), (at + 48 * HOUR, 1, {}), (at + 720 * HOUR, 4, {})))
    rules = parse(BUDGETS)
    for day in range(34):
        for hour in (1, 2):
            assert evaluate(home, rules, sight(reads), at + timedelta(days=day, hours=hour)) == {}
    told = [(of["event"], of["sentence"]) for of in reversed(ledger.history(home))]
    assert [event for event, _ in told] == ["fired", "fired", "resolved", "fired"]
    assert "$0.02 of $0.03 (50.0%) is spent" in told[0][1]
    assert "(100.0%) is spent, for 1 – 30 Sep 2026. The mark of 100% is passed." in told[1][1]
    assert told[2][1].endswith("Its period is over.")
    assert "for 1 – 31 Oct 2026. The mark of 100% is passed" in told[3][1]


@dataclass(frozen=True)
class Told:
    """As much of a signal as a rule looks at."""

    signal_id: str = "a"
    slice_kind: str = "feature"
    slice: str = "chat"
    metric: str = "cost"
    start: datetime = datetime(2026, 11, 22)
    end: datetime = datetime(2026, 11, 23)
    actual: float = 100.0
    score: float = 6.0
    stake_usd: float = 60.0
    driver_user: str | None = "u_secretive"

    @property
    def sentence(self) -> str:
        return f"{self.slice_kind} {self.slice}: much, mostly {self.driver_user}."


@pytest.mark.parametrize(
    "signal, rule, fires",
    [
        (Told(), "", True),
        (Told(), "least_usd = 60", True),
        (Told(), "least_usd = 60.01", False),
        (Told(stake_usd=-70.0), "least_usd = 60.01", True),
        (Told(metric="requests"), "", False),
        (Told(metric="requests"), 'metrics = ["requests"]', True),
        (Told(), 'slices = ["total"]', False),
        (Told(), 'features = ["chat"]', True),
        (Told(), 'features = ["search"]', False),
        (Told(end=datetime(2026, 11, 20)), "", False),
        (Told(end=datetime(2026, 11, 20)), 'recent = "7 days"', True),
        (Told(signal_id="settled"), "", False),
    ],
)
def test_signals_are_told_by_stake_slice_and_metric_unless_settled(owner, signal: Told, rule: str, fires: bool) -> None:
    seen = saw(owner(lines((NOW, 1, {}))), f'kind = "signals"\n{rule}', signals=(signal,), settled=("settled",))
    assert bool(seen.readings) == fires
    assert not any("secretive" in reading.sentence for reading in seen.readings)


def test_what_happens_to_a_slice_is_told_once_however_many_metrics_show_it(owner) -> None:
    """Requests rise first; cost follows a day later and leads; errors stay below what the rule asks for."""
    told = (
        Told(signal_id="later", start=datetime(2026, 11, 22)),
        Told(signal_id="first", metric="requests", start=datetime(2026, 11, 21), stake_usd=55.0),
        Told(signal_id="small", metric="error_rate", stake_usd=1.0),
        Told(signal_id="other", slice="search"),
    )
    rule = 'kind = "signals"\nmetrics = ["cost", "requests", "error_rate"]\nleast_usd = 50'
    readings = {of.subject: of for of in saw(owner(lines((NOW, 1, {}))), rule, signals=told).readings}

    assert set(readings) == {"first", "other"}
    assert readings["first"].sentence.endswith("It shows in requests too.")
    assert readings["first"].link.endswith("signal=later")
    assert "It shows" not in readings["other"].sentence


def test_what_was_settled_on_the_signals_page_stays_silent_until_it_is_taken_back(home: Path, owner) -> None:
    reads = owner(lines((NOW, 1, {})))
    rules = parse('[alerts.it]\nkind = "signals"\n')
    seeing = evaluation.sight(home, reads.read, lambda zone: (Told(),))

    def fires() -> bool:
        return bool(look(rules.alerts["it"], rules, seeing, NOW).readings)

    assert fires()
    decisions.decide(home, "acknowledged", [Told()], "Ann")
    assert not fires()
    decisions.undo(home, decisions.standing(home), "Ann")
    assert fires()


def test_before_the_first_judgement_nothing_resolves(owner) -> None:
    assert saw(owner(lines((NOW, 1, {}))), 'kind = "signals"', signals=None).absent == "no data"


def test_a_rule_that_cannot_look_keeps_no_other_from_it(owner) -> None:
    reads = owner(lines((NOW - HOUR, 1, {})))

    def broken(zone: str) -> None:
        raise RuntimeError("no judge")

    rules = parse(f'[alerts.a]\nkind = "signals"\n[alerts.b]\n{SPEND}above = 0')
    seen, problems = see(rules, Sight(reads.read, broken, lambda found: ()), NOW)
    assert [of.seen for of in seen["b"].readings] == ["firing"]
    assert problems == {"a": "it could not be evaluated (RuntimeError: no judge)"}
