"""Which days and hours are worth a look: every metric of every slice against what was expected of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from queries.signals.bursts import Hourly, burst_flags, spread_of_one
from queries.signals.hours import Hours, expect_hours
from queries.signals.levels import Level, expect
from queries.signals.ratios import Judged, creep, expect_rate, expect_ratio, judged, slow_share
from queries.signals.rules import (
    Flag,
    Rule,
    day_flags,
    hour_flags,
    shared_days,
    shared_hours,
    step_flags,
    user_flags,
)
from queries.signals.series import Series
from queries.signals.slate import Array, Slate

GRACE_DAYS = 14  # a slice's first days: too early to know what is usual
FLOOR_USD, FLOOR_SHARE = 0.25, 0.002  # what a flag must be about: dollars, and part of the mean daily spend
ENOUGH = 0.6  # of the usual requests: with fewer, the cache is cold and every request dearer for that reason alone
RULES = {
    "cost": Rule(4.6, down=True),
    "requests": Rule(4.6, down=True),
    "tokens_per_request": Rule(3.7),
    "cost_per_request": Rule(4.6, down=True),
    "attempts_per_request": Rule(4.6),
    "truncation_rate": Rule(4.6),
    "error_rate": Rule(5.75),
    "masked_error_rate": Rule(5.2),
    "cache_hit_rate": Rule(5.0, up=False, down=True),
}
RATES = (
    ("truncation_rate", "truncated_responses", "responses"),
    ("error_rate", "failed_attempts", "attempts"),
    ("masked_error_rate", "masked_calls", "retry_known_calls"),
)  # metric: how many of how many
WARM_CALLS = 30  # an hour: with fewer, a cache that lives for five minutes goes cold by itself
CREEP, SLOWER, SLOW_SHARE = Rule(4.5), Rule(5.0), Rule(5.75)
SHRINK = Rule(4.6, up=False, down=True)  # shorter prompts harm nobody: they must stand out more


@dataclass(frozen=True)
class Verdict:
    """The flags, and what was expected: of each day's cost and requests, and of each of their hours."""

    flags: list[Flag]
    cost: Level
    requests: Level
    cost_hours: Hours
    request_hours: Hours


def judge(series: Series, slate: Slate | None = None, told: Iterable[Flag] = ()) -> Verdict:
    """Judge every slice of a series, each day and hour as it could have been known at its end.

    With a slate that an earlier look has filled in, only its last days are judged; `told` are the earlier look's flags.
    """
    slate = slate or Slate(series.covered.shape[0])
    first = slate.first
    days, weekend, whole, slices = series.days, series.weekend, series.whole_days, series.slices
    cost_usd, calls = days["cost_usd"], days["calls"]
    floor = floor_of(series)
    day = np.arange(cost_usd.shape[1])
    known = series.covered.sum(axis=1) >= 8
    old = day - series.born[:, None] >= GRACE_DAYS
    grown = old & (day < whole) & known
    flags = [flag for flag in told if flag.raised <= 24 * first]
    with np.errstate(divide="ignore", invalid="ignore"):
        grain = np.where(cost_usd > 0, days["cost_squares"] / cost_usd, 0)
        logged = _logged(series)
        cost = expect(cost_usd, grain, logged, series.born, weekend, whole, slate.of("cost"))
        requests = expect(calls, np.ones(calls.shape), logged, series.born, weekend, whole, slate.of("requests"))
        each = np.nan_to_num(np.where(requests.whole > 0, cost.whole / requests.whole, 0))
        shared = shared_days(requests.score, slices)
        worth = np.abs(calls / requests.expected - 1) * cost.expected >= floor
        hourly = (series.covered, weekend, series.whole_hours)
        request_hours = expect_hours(series.hours["calls"], requests, *hourly, slate.of("request hours"))
        cost_hours = expect_hours(series.hours["cost_usd"], cost, *hourly, slate.of("cost hours"))
        quiet = shared_hours(series.hours["calls"].reshape(len(calls), -1), request_hours.expected, slices)
        flags += [
            *day_flags("cost", RULES["cost"], judged(cost, cost_usd),
                       grown & (np.abs(cost_usd - cost.expected) >= floor), slices, first, shared),
            *day_flags("requests", RULES["requests"], judged(requests, calls),
                       grown & worth & (np.abs(calls - requests.expected) >= 10), slices, first, shared),
            *step_flags("cost", cost, cost_usd, 1.5 * floor, grown, slices, shared, first),
            *step_flags("requests", requests, calls, 15 + 0 * floor, grown & worth, slices, shared, first),
            *hour_flags("cost", series.hours["cost_usd"], cost_hours, cost, 0 * each + 1, floor, old, None, slices,
                        shared, first),
            *hour_flags("requests", series.hours["calls"], request_hours, requests, each, floor, old, quiet, slices,
                        shared, first),
            *user_flags(series, requests, floor, grown, first),
        ]  # fmt: skip
        ratios = _ratios(series, cost, requests, floor, slate)
        for metric, rule, what, matters in ratios:
            flags += day_flags(metric, rule, what, matters & grown, slices, first)
        usual = {metric: what.expected for metric, _, what, _ in reversed(ratios)}
        for burst in _bursts(series, usual, cost_hours, request_hours, floor):
            flags += burst_flags(burst, slices, old, series.whole_hours, slate.of(f"{burst.metric} hours"), first)
    return Verdict(flags, cost, requests, cost_hours, request_hours)


def _ratios(
    series: Series, cost: Level, requests: Level, floor: Array, slate: Slate
) -> list[tuple[str, Rule, Judged, Array]]:
    """Every ratio and rate: metric, rule, what was expected, and on which days a difference would matter."""
    days, weekend, whole = series.days, series.weekend, series.whole_days
    calls, cost_usd, sized = days["calls"], days["cost_usd"], days["sized_attempts"]
    busy = calls > ENOUGH * requests.expected
    busier = calls > requests.expected / ENOUGH
    mean = np.where(sized >= 5, days["log_tokens"] / sized, np.nan)
    sample = np.maximum(days["log_tokens_squares"] / sized - mean**2, 0.01) / sized
    tokens = expect_ratio(mean, sample, weekend, whole, slate.of("tokens"))
    moved = np.abs(tokens.actual / tokens.expected - 1)
    rise, steady = creep(mean, sample, tokens, slate.of("creep"))
    crept = Judged(tokens.actual, tokens.actual / np.exp(rise), tokens.low, tokens.high, steady)
    grown_old = np.arange(calls.shape[1]) - series.born[:, None] >= 21
    billed = days["billed_attempts"]
    each = np.where((calls >= 5) & (cost_usd > 0), np.log(cost_usd / calls), np.nan)
    spread = np.maximum(days["cost_squares"] * billed / cost_usd**2 - 1, 0.01) / billed
    per_call = expect_ratio(each, spread, weekend, whole, slate.of("cost per request"))
    dearer = np.abs(per_call.actual / per_call.expected - 1)
    known = days["retry_known_calls"]
    tries = days["retry_known_attempts"] / known
    scatter = np.maximum(days["retry_known_squares"] / known - tries**2, 0.01) / tries**2 / known
    again = np.where(known >= 5, np.log(tries), np.nan)
    attempts = expect_ratio(again, scatter, weekend, whole, slate.of("attempts"))
    attempts = replace(attempts, low=np.maximum(attempts.low, 1))  # a request is at least one attempt
    found = [
        ("tokens_per_request", RULES["tokens_per_request"], tokens,
         (moved >= 0.15) & (moved * cost.expected >= floor / 2)),
        ("tokens_per_request", SHRINK, tokens, (moved >= 0.15) & (moved * cost.expected >= floor / 2)),
        ("tokens_per_request", CREEP, crept,
         grown_old & (rise >= np.log(1.18)) & (np.abs(rise) * cost.expected >= floor / 2)),
        ("cost_per_request", RULES["cost_per_request"], per_call,
         (dearer >= 0.15) & (dearer * cost.expected >= floor) & busy & ((each > np.log(per_call.expected)) | ~busier)),
        ("attempts_per_request", RULES["attempts_per_request"], attempts, attempts.actual - attempts.expected >= 0.05),
    ]  # fmt: skip
    for metric, hits, trials in RATES:
        rate = expect_rate(days[hits], days[trials], None, whole, 0.002, 0.05, slate.of(metric))
        matters = (rate.actual - rate.expected >= 0.02) & (days[hits] >= 5) & (days[trials] >= 20)
        found.append((metric, RULES[metric], rate, matters))
    cacheable = days["cache_read_tokens"] + days["cache_write_tokens"]
    answers = np.where(cacheable > 0, sized, 0)
    hits = np.nan_to_num(days["cache_read_tokens"] / cacheable) * answers
    rate = expect_rate(hits, answers, weekend, whole, 0.01, 0.2, slate.of("cache hits"))
    found.append(("cache_hit_rate", RULES["cache_hit_rate"], rate, (rate.actual - rate.expected <= -0.1) & busy))
    return found + _latencies(series, slate)


def _latencies(series: Series, slate: Slate) -> list[tuple[str, Rule, Judged, Array]]:
    """Latency, seen in two ways: all tries slower, or more of them slow. Told as the day's 95 % percentile."""
    days, weekend, whole = series.days, series.weekend, series.whole_days
    timed = days["timed_attempts"]
    mean = np.where(timed >= 5, days["log_latency"] / timed, np.nan)
    error = np.maximum(days["log_latency_squares"] / timed - mean**2, 0.01) / timed
    latency = expect_ratio(mean, error, weekend, whole, slate.of("latency"))
    slow, own, usual = slow_share(series.latencies, whole, slate.of("slow"))
    percentile, usual = 2 ** ((own + 0.5) / 8), 2 ** ((usual + 0.5) / 8)
    low, high = usual * latency.low / latency.expected, usual * latency.high / latency.expected
    rate = expect_rate(slow, series.latencies.sum(axis=2), None, whole, 0.005, 0.1, slate.of("slow share"))
    slower = latency.actual / latency.expected >= 1.25
    more_slow = (rate.actual - rate.expected >= 0.07) & (slow >= 8)
    return [
        ("latency_p95", SLOWER, Judged(percentile, usual, low, high, latency.score), slower),
        ("latency_p95", SLOW_SHARE, Judged(percentile, usual, low, high, rate.score), more_slow),
        ("typical_latency", SLOWER, latency, np.zeros(slow.shape, bool)),  # told by its percentile, but for hours
    ]


def _bursts(series: Series, usual: dict[str, Array], cost: Hours, requests: Hours, floor: Array) -> Iterator[Hourly]:
    """Every ratio by hour, against what was expected of its day."""
    days, hours = series.days, series.hours
    calls, due, due_usd = (
        np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
        for values in (hours["calls"].reshape(len(hours["calls"]), -1), requests.expected, cost.expected)
    )

    def costs(row: Array, start: Array, end: Array, more: Array) -> Array:
        return np.expm1(more) * (due_usd[row, end] - due_usd[row, start]) >= floor[(end - 1) // 24] / 2

    def is_warm(row: Array, start: Array, end: Array, _: Array) -> Array:
        made, usually = (total[row, end] - total[row, start] for total in (calls, due))
        return (made >= ENOUGH * usually) & (made >= WARM_CALLS * (end - start))

    for metric, hits, trials in RATES:
        yield Hourly(metric, 6.0, 0.1, hours[hits], hours[trials], usual[metric])
    cacheable = hours["cache_read_tokens"] + hours["cache_write_tokens"]
    answers = np.where(cacheable > 0, hours["sized_attempts"], 0)
    misses = np.nan_to_num(hours["cache_write_tokens"] / cacheable) * answers
    yield Hourly("cache_hit_rate", 6.0, 0.2, misses, answers, 1 - usual["cache_hit_rate"], None, is_warm, True)
    for metric, least, total, count, matters in (
        ("tokens_per_request", 1.3, "log_tokens", "sized_attempts", costs),
        ("typical_latency", 1.5, "log_latency", "timed_attempts", None),
    ):
        variance = spread_of_one(days[f"{total}_squares"], days[total], days[count])
        mean = np.log(usual[metric])
        yield Hourly(metric, 5.0, np.log(least), hours[total], hours[count], mean, variance, matters)


def _logged(series: Series) -> Array:
    """(S, D): the part of each day's usual spend that falls into hours that the log covers."""
    hourly = series.hours["cost_usd"]
    part = np.array(np.broadcast_to(series.covered.mean(axis=1), hourly.shape[:2]))
    for day in np.flatnonzero((series.covered < 1).any(axis=1)):
        past = slice(max(day - 28, 0), day)
        alike = hourly[:, past][:, series.weekend[past] == series.weekend[day]].sum(axis=1)
        total = alike.sum(axis=1)
        part[:, day] = np.where(total > 0, alike @ series.covered[day] / np.maximum(total, 1e-12), part[:, day])
    return part


def floor_of(series: Series) -> Array:
    """(D,): dollars that a flag must at least be about, from the mean daily spend of the four weeks before."""
    spend = series.days["cost_usd"][next(row for row, of in enumerate(series.slices) if of.kind == "total")]
    running = np.cumsum(np.pad(spend, (1, 0)))
    days = np.arange(len(spend))
    first = np.maximum(days - 28, 0)
    return np.maximum(FLOOR_USD, FLOOR_SHARE * (running[days] - running[first]) / np.maximum(days - first, 1))
