"""A labelled company: thirty features, sixty days, and one anomaly of each kind whose place is known.

Written from a description, not from another program: request counts are overdispersed around an hour-by-weekday
profile with day noise, weekly drift and growth; tokens are log-normal with a heavy tail; the prompt cache is simulated
call by call; calls are tried up to three times; some features fail at a constant tenth. What must not alarm is in
there too: nightly and weekly jobs, launches, holes in the log, one holiday, growth. Where the description leaves room
every seed draws anew (profiles, who is hit), or there are several readings of it (`READINGS`: how unequal the features
are, how noisy, which of them are hit, how long what lasts does last).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

DAYS = 60
FIRST = datetime(2026, 9, 7)  # a Monday
FEATURES = 30
CALLS_A_DAY = 16_000
MODELS = ("claude-haiku-4-5", "claude-sonnet-4-5", "claude-opus-4-5")
KINDS = {
    "office": 9, "consumer": 6, "agent": 4, "nightly": 3, "weekly": 2, "hourly": 3, "sparse": 3,
}  # fmt: skip
# kind of anomaly: the metrics that may tell of it, and its cause (None where no money moves)
ANOMALIES: dict[str, tuple[tuple[str, ...], str | None]] = {
    "spike": (("cost", "requests"), "requests"),
    "level_shift": (("cost", "requests"), "requests"),
    "drift": (("tokens_per_request", "cost_per_request", "cost"), "input"),
    "prompt_bloat": (("tokens_per_request", "cost_per_request", "cost"), "input"),
    "retry_loop": (("cost", "attempts_per_request"), "attempts_per_request"),
    "cache_break": (("cache_hit_rate", "cost_per_request", "cost"), "cache_hit_rate"),
    "model_swap": (("cost_per_request", "cost"), "price"),
    "traffic_drop": (("requests", "cost"), "requests"),
    "truncation_rise": (("truncation_rate",), None),
    "masked_error_rise": (("masked_error_rate", "error_rate"), None),
    "latency_rise": (("latency",), None),
}
PERSISTENT = ("level_shift", "prompt_bloat", "cache_break", "model_swap")  # to be seen in their first 72 hours
# 10, 25, 50, 75, 90 % quantiles of the log noise of a day's requests, week over week
DAY_NOISE = {"calm": (0.07, 0.11, 0.16, 0.23, 0.31), "wild": (0.14, 0.21, 0.35, 0.47, 0.64)}
HOUR_NOISE = {"calm": (0.20, 0.30), "wild": (0.25, 0.42)}
WEEK_STEP = {"calm": (0.02, 0.10), "wild": (0.0, 0.27)}  # mean and spread of the log change of level in a week
TOKEN_WOBBLE = {"calm": (0.01, 0.04), "wild": (0.02, 0.13)}  # day to day spread of the mean log tokens, as a range


@dataclass(frozen=True)
class Reading:
    """One reading of what the description leaves open."""

    volume_spread: tuple[float, float] = (0.4, 1.0)  # of the logarithm of the features' sizes
    least_calls: float = 80.0  # a day, but for sparse features
    hits_small: bool = False  # anomalies also befall nightly jobs and sparse features
    lasts_days: tuple[float, float] | None = None  # a lasting change is taken back after so long; None is never
    day_noise: float = 0.85  # part of the noise of a day that is new each day; the rest is the level's walk
    machine_noise: float = 0.6  # jobs' part of it, on calm data
    spread_of_drivers: tuple[float, float] = (0.3, 0.8)  # how unequal a feature's users are
    gaps: tuple[int, int] = (1, 4)  # holes in the log, from and below
    cached: float = 0.55  # part of the features that use the prompt cache


READINGS = {
    "plain": Reading(),
    "uneven": Reading(volume_spread=(1.1, 1.5), least_calls=25.0),
    "small": Reading(volume_spread=(0.8, 1.2), least_calls=40.0, hits_small=True),
    "passing": Reading(lasts_days=(4.0, 14.0), gaps=(3, 6)),
    "noisy": Reading(day_noise=1.0, machine_noise=1.0, spread_of_drivers=(0.8, 1.4)),
    "cached": Reading(cached=0.9, day_noise=0.95, volume_spread=(0.7, 1.1)),
}


@dataclass(frozen=True)
class Truth:
    """One anomaly: what, where, when; who drove it, and which factor of the cost moved."""

    kind: str
    feature: str
    start: datetime
    end: datetime
    cause: str | None
    user: str | None = None


@dataclass(frozen=True)
class Draw:
    """The attempts of a company and the truth about them."""

    attempts: pa.Table
    truths: tuple[Truth, ...]
    holiday: int
    launched: dict[str, int]  # feature: its first day
    gap_days: tuple[int, ...]


def draw(seed: int, noise: str = "calm", reading: str = "plain") -> Draw:
    """One company. `noise` is calm, or wild: as noisy as the median of real API clients."""
    how = READINGS[reading]
    rng = np.random.default_rng([seed, noise == "wild"])
    kinds = [kind for kind, count in KINDS.items() for _ in range(count)]
    volumes = np.exp(rng.normal(0, rng.uniform(*how.volume_spread), FEATURES))
    volumes[-3:] = 0
    volumes = volumes / volumes.sum() * CALLS_A_DAY * rng.uniform(0.85, 1.05)
    volumes = np.maximum(volumes, how.least_calls)
    volumes[-3:] = rng.uniform(10, 60, 3)
    holiday = int(rng.integers(16, 55))
    while holiday % 7 > 4:
        holiday -= 1
    quiet = [index for index in range(FEATURES) if kinds[index] in ("office", "consumer", "agent", "hourly")]
    launched = {int(index): int(rng.integers(5, 40)) for index in rng.choice(quiet, 2, replace=False)}
    gaps = [(int(rng.integers(3 * 24, (DAYS - 2) * 24)), rng.uniform(3, 9)) for _ in range(rng.integers(*how.gaps))]
    placed = _place(rng, kinds, how, set(launched))
    parts, truths = [], []
    for index, kind in enumerate(kinds):
        anomaly = placed.get(index)
        columns, truth = _feature(
            rng, how, index, kind, volumes[index], noise, holiday, launched.get(index, 0), anomaly
        )
        parts.append(columns)
        truths += [truth] if truth else []
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    seconds = whole["at"]
    kept = np.ones(len(seconds), bool)
    for start, hours in gaps:
        begin = (start + rng.random()) * 3600
        kept &= (seconds < begin) | (seconds >= begin + hours * 3600)
    kept &= seconds < DAYS * 86400
    order = np.flatnonzero(kept)[np.argsort(seconds[kept], kind="stable")]
    table = _table({name: values[order] for name, values in whole.items()})
    gap_days = sorted({day for start, hours in gaps for day in (start // 24, int(start + hours + 1) // 24)})
    return Draw(
        table, tuple(truths), holiday, {_name(index, kinds[index]): day for index, day in launched.items()},
        tuple(gap_days),
    )  # fmt: skip


def _name(index: int, kind: str) -> str:
    return f"{kind}_{index:02}"


def _place(rng: np.random.Generator, kinds: list[str], how: Reading, taken: set[int]) -> dict[int, str]:
    """Each kind of anomaly on a feature of its own."""
    free = [index for index in range(len(kinds)) if index not in taken and kinds[index] != "weekly"]
    placed: dict[int, str] = {}
    for kind in sorted(ANOMALIES):
        able = [i for i in free if i not in placed]
        if kind in ("spike", "traffic_drop", "retry_loop") and not how.hits_small:
            able = [i for i in able if kinds[i] not in ("nightly",)]
        if kind not in ("spike", "level_shift") and not how.hits_small:
            able = [i for i in able if kinds[i] != "sparse"]
        placed[int(rng.choice(able))] = kind
    return placed


def _profile(rng: np.random.Generator, kind: str) -> Any:
    """Weights of the 168 hours of a week, Monday first, with mean 1 over a day."""
    hour = np.arange(24)
    day = np.zeros((7, 24))
    if kind == "office":
        shape = np.exp(-(((hour - rng.uniform(12, 14.5)) / rng.uniform(3.2, 4.5)) ** 2)) + 0.01
        day[:] = shape
        day[5:] *= rng.uniform(0.05, 0.3)
    elif kind in ("consumer", "sparse"):
        shape = np.exp(-((((hour - rng.uniform(19, 21) + 12) % 24 - 12) / rng.uniform(4, 6)) ** 2)) + 0.12
        day[:] = shape
        day[5:] *= rng.uniform(1.0, 1.6)
    elif kind == "agent":
        day[:] = np.exp(-(((hour - rng.uniform(11, 16)) / rng.uniform(4, 7)) ** 2)) + 0.05
        day[5:] *= rng.uniform(0.2, 0.9)
    elif kind == "nightly":
        start = int(rng.integers(0, 5))
        day[:, start : start + int(rng.integers(1, 4))] = 1
    elif kind == "weekly":
        start = int(rng.integers(1, 8))
        day[int(rng.integers(0, 5)), start : start + int(rng.integers(2, 5))] = 1
    else:
        day[:] = rng.uniform(0.9, 1.1, 24)
    return (day / day.sum() * 7).reshape(-1)


def _quantile(rng: np.random.Generator, quantiles: tuple[float, ...]) -> float:
    return float(np.interp(rng.uniform(0.05, 0.95), (0.1, 0.25, 0.5, 0.75, 0.9), quantiles))


def _feature(
    rng: np.random.Generator, how: Reading, index: int, kind: str, volume: float, noise: str, holiday: int, launch: int,
    anomaly: str | None,
) -> tuple[dict[str, Any], Truth | None]:  # fmt: skip
    name = _name(index, kind)
    machine = kind in ("nightly", "weekly", "hourly")
    profile = _profile(rng, kind)
    day_noise = _quantile(rng, DAY_NOISE[noise])
    day_noise *= how.machine_noise if machine and noise == "calm" else how.day_noise
    mean_step, spread = WEEK_STEP[noise]
    level = np.exp(np.repeat(np.cumsum(rng.normal(0, spread, DAYS // 7 + 2)), 7)[:DAYS] * 0.7)
    growth = np.exp(np.arange(DAYS) / 7 * rng.normal(mean_step, 0.02))
    daily = level * growth * np.exp(rng.normal(0, day_noise, DAYS))
    daily *= 1 / np.median(daily)
    daily[:launch] = 0
    if launch:
        daily[launch:] *= np.minimum(1, (np.arange(DAYS - launch) + 1) / rng.uniform(1, 10))
    if kind in ("office", "consumer", "agent"):
        daily[holiday] *= rng.uniform(0.15, 0.4) if kind == "office" else rng.uniform(0.6, 1.3)
    hour_noise = rng.uniform(*HOUR_NOISE[noise]) if not machine else 0.1
    shape = rng.uniform(0.5, 2.0) if kind == "agent" else 1 / hour_noise**2
    rate = volume * np.tile(profile, DAYS // 7 + 1)[: DAYS * 24] * np.repeat(daily, 24)
    rate *= rng.gamma(shape, 1 / shape, DAYS * 24)
    start, hours = _window(rng, how, anomaly, rate)
    inside = np.zeros(DAYS * 24)
    if anomaly:
        edges = np.arange(DAYS * 24)
        inside = np.clip(np.minimum(edges + 1, start + hours) - np.maximum(edges, start), 0, 1)
    extra = 0.0 * rate
    if anomaly == "spike":
        extra = rate * inside * (rng.uniform(3, 10) - 1)
    elif anomaly == "level_shift":
        rate = rate * (1 + inside * (rng.uniform(1.6, 3) - 1))
    elif anomaly == "traffic_drop":
        rate = rate * (1 - inside * (1 - rng.uniform(0, 0.1)))
    users = int(np.clip(volume / 8 * rng.uniform(0.5, 2), 4, 150)) if not machine else 1
    weights = 1 / np.arange(1, users + 1) ** rng.uniform(*how.spread_of_drivers)
    counts = rng.poisson(rate)
    calls = np.repeat(np.arange(DAYS * 24), counts) * 3600.0
    at = calls + rng.random(len(calls)) * 3600
    user = rng.choice(users, len(at), p=weights / weights.sum())
    driver = None
    if anomaly == "spike":
        added = rng.poisson(extra)
        more = np.repeat(np.arange(DAYS * 24), added) * 3600.0
        low, high = start * 3600, (start + hours) * 3600
        more = np.clip(more + rng.random(len(more)) * 3600, low, high)
        alone = int(rng.integers(users)) if not machine and rng.random() < 0.5 else None
        by = np.full(len(more), alone) if alone is not None else rng.choice(users, len(more), p=weights / weights.sum())
        driver = f"{name}_u{alone}" if alone is not None else None
        at, user = np.concatenate([at, more]), np.concatenate([user, by])
    order = np.argsort(at)
    at, user = at[order], user[order]
    n = len(at)
    when = anomaly is not None
    hit = (at >= start * 3600) & (at < (start + hours) * 3600) if when else np.zeros(n, bool)
    day = (at // 86400).astype(int).clip(0, DAYS - 1)
    wobble = rng.uniform(*TOKEN_WOBBLE[noise])
    token_days = np.exp(rng.normal(0, wobble, DAYS))
    uncached = np.exp(rng.normal(rng.uniform(5.8, 7.8), rng.uniform(0.5, 1.0), n))
    uncached *= np.where(rng.random(n) < 0.003, rng.uniform(5, 30, n), 1) * token_days[day]
    cached = anomaly == "cache_break" or (anomaly != "model_swap" and rng.random() < how.cached)
    prefix = rng.uniform(1500, 9000) if cached else 0.0
    output = np.exp(rng.normal(rng.uniform(4.8, 6.3), rng.uniform(0.5, 0.9), n)) * token_days[day] ** 0.7
    ceiling = float(np.quantile(output, rng.uniform(0.97, 0.999))) if n else 1024.0
    factor = np.ones(n)
    if anomaly == "prompt_bloat":
        factor[hit] = 1.5
    elif anomaly == "drift":
        factor[hit] = (1 + rng.uniform(0.02, 0.04)) ** ((at[hit] - start * 3600) / 86400)
    uncached = uncached * factor
    size = np.round(prefix * (factor if anomaly in ("prompt_bloat", "drift") else 1.0))
    truncated = output > ceiling
    if anomaly == "truncation_rise":
        truncated |= hit & (rng.random(n) < rng.uniform(0.08, 0.25))
    output = np.where(truncated, ceiling, output)
    model = np.full(n, int(rng.choice(3, p=(0.3, 0.45, 0.25))))
    if anomaly == "model_swap":
        model[:] = 0
        model[hit] = 2
    latency = 500 + output * rng.uniform(12, 25)
    latency *= np.exp(rng.normal(0, rng.uniform(0.15, 0.35), n)) * np.exp(rng.normal(0, 0.03, DAYS))[day]
    if anomaly == "latency_rise":
        latency[hit] *= rng.uniform(1.6, 3)
    failing = np.full(n, 0.1 if rng.random() < 0.1 and anomaly != "masked_error_rise" else rng.uniform(0.002, 0.015))
    if anomaly == "masked_error_rise":
        failing[hit] = rng.uniform(0.07, 0.15)
    failures = np.minimum((rng.random((n, 3)) < failing[:, None]).cumprod(axis=1).sum(axis=1), 3)
    repeats = np.zeros(n, int)
    if anomaly == "retry_loop":
        looped = hit & (rng.random(n) < 0.5)
        repeats[looped] = rng.integers(5, 21, looped.sum())
    tries = np.where(failures == 3, 3, failures + 1 + repeats)
    call = np.repeat(np.arange(n), tries)
    number = np.arange(len(call)) - np.repeat(np.cumsum(tries) - tries, tries)
    failed = number < failures[call]
    moment = at[call] + number * rng.uniform(1, 4, len(call)) + latency[call] / 1000 * (number > failures[call])
    reads = _reads(moment, failed, prefix > 0, hit[call] if anomaly == "cache_break" else None)
    prefix_tokens = size if np.ndim(size) else np.full(n, size)
    columns = {
        "at": moment, "call": call + index * 10_000_000, "attempt": number + 1,
        "feature": np.full(len(call), name), "user": user[call].astype(np.int32), "model": model[call],
        "input": np.where(failed, 0, np.maximum(uncached[call], 20)).astype(np.int64),
        "read": np.where(reads & ~failed, prefix_tokens[call], 0).astype(np.int64),
        "write": np.where(~reads & ~failed, prefix_tokens[call], 0).astype(np.int64),
        "output": np.where(failed, 0, np.maximum(output[call], 2)).astype(np.int64),
        "truncated": truncated[call] & ~failed, "failed": failed,
        "latency": np.where(failed, 400.0, latency[call]), "ceiling": np.full(len(call), int(max(ceiling, 2))),
    }  # fmt: skip
    if not anomaly:
        return columns, None
    begin = FIRST + timedelta(hours=float(start))
    cause = ANOMALIES[anomaly][1]
    return columns, Truth(anomaly, name, begin, begin + timedelta(hours=float(hours)), cause, driver)


def _window(rng: np.random.Generator, how: Reading, anomaly: str | None, rate: Any) -> tuple[float, float]:
    """When an anomaly starts and how long it lasts, in hours; short ones start where there is traffic."""
    if anomaly is None:
        return 0.0, 0.0
    lengths = {
        "spike": (2, 7), "retry_loop": (2, 11), "traffic_drop": (6, 24), "drift": (14 * 24, 20 * 24),
        "truncation_rise": (24, 10 * 24), "masked_error_rise": (24, 7 * 24), "latency_rise": (24, 7 * 24),
    }  # fmt: skip
    if anomaly in lengths:
        hours = float(rng.uniform(*lengths[anomaly]))
        last = DAYS * 24 - hours - 24
    else:
        hours, last = 24 * rng.uniform(*how.lasts_days) if how.lasts_days else 0.0, (DAYS - 5) * 24.0
    choices = np.arange(15 * 24, int(last))
    if anomaly in ("spike", "retry_loop", "traffic_drop"):
        usual = rate[choices] + 1e-9
        start = float(rng.choice(choices, p=usual / usual.sum()))
    else:
        start = float(rng.choice(choices))
    return start, min(hours or DAYS * 24.0, DAYS * 24 - start)


def _reads(moment: Any, failed: Any, cached: bool, broken: Any) -> Any:
    """Which tries read the prefix from the cache: those within five minutes of the use before, unless it is broken."""
    if not cached:
        return np.zeros(len(moment), bool)
    order = np.argsort(moment)
    used = order[~failed[order]]
    gap = np.diff(moment[used], prepend=-np.inf)
    reads = np.zeros(len(moment), bool)
    reads[used] = gap <= 300
    return reads & ~broken if broken is not None else reads


def _table(columns: dict[str, Any]) -> pa.Table:
    """The attempts as the columns of the stored row; in the order of time."""
    features = pa.array(columns["feature"])
    failed = columns["failed"]
    stop = np.where(columns["truncated"], "max_tokens", "end_turn").astype(object)
    stop[failed] = None
    micros = (np.datetime64(FIRST, "us") + (columns["at"] * 1e6).astype("timedelta64[us]")).astype("datetime64[us]")
    users = pa.array([f"{feature}_u{user}" for feature, user in zip(columns["feature"], columns["user"], strict=True)])
    return pa.table({
        "started_at": pa.array(micros), "call_id": pa.array(columns["call"].astype(str)),
        "attempt_no": pa.array(columns["attempt"]), "latency_ms": pa.array(np.round(columns["latency"], 1)),
        "model_raw": pa.array(np.array(MODELS)[columns["model"]]),
        "uncached_input_tokens": pa.array(columns["input"], mask=failed),
        "cache_read_tokens": pa.array(columns["read"], mask=failed),
        "cache_write_5m_tokens": pa.array(columns["write"], mask=failed),
        "output_tokens": pa.array(columns["output"], mask=failed),
        "max_tokens": pa.array(columns["ceiling"]), "stop_reason": pa.array(stop, pa.string()),
        "http_status": pa.array(np.where(failed, 529, 200)), "feature": features, "user_id": users,
    })  # fmt: skip


def log_lines(attempts: pa.Table) -> Iterator[str]:
    """The attempts as an application would log them: one JSON line for each try."""
    for number, row in enumerate(attempts.to_pylist()):
        failed = row["http_status"] != 200
        yield json.dumps({
            "started_at": row["started_at"].isoformat(timespec="milliseconds") + "Z", "request_id": f"req_{number}",
            "call_id": row["call_id"], "attempt": row["attempt_no"], "model": row["model_raw"],
            "input_tokens": row["uncached_input_tokens"], "cache_read_input_tokens": row["cache_read_tokens"],
            "cache_creation_input_tokens": row["cache_write_5m_tokens"], "output_tokens": row["output_tokens"],
            "stop_reason": row["stop_reason"], "max_tokens": row["max_tokens"], "latency_ms": row["latency_ms"],
            "status": row["http_status"], "error_type": "overloaded_error" if failed else None,
            "feature": row["feature"], "user_id": row["user_id"],
        }) + "\n"  # fmt: skip


def write_log(path: Path, attempts: pa.Table) -> None:
    """Write the attempts as a log."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(log_lines(attempts))
