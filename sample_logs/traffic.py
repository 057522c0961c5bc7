"""Draws the calls of the company's features: when they come, how large they are, how each attempt of them ends."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sample_logs.company import (
    BASE_ERROR_RATE,
    END,
    FAILURES,
    FIRST,
    GROWTH_PER_WEEK,
    INCIDENTS,
    OVERLOADED,
    Failure,
    Feature,
    Incident,
    local,
    pace,
)
from sample_logs.dice import Dice, to_millisecond

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Piles of tokens that do not overlap, as they are billed."""

    uncached_input: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    output: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One HTTP try."""

    number: int
    started_at: datetime
    latency_ms: float
    ttft_ms: float | None
    request_id: str | None
    status: int | None
    error_type: str | None
    stop_reason: str | None
    tokens: Tokens | None  # None: no answer, nothing billed

    @property
    def ended_at(self) -> datetime:
        """When the answer was complete."""
        return to_millisecond(self.started_at + timedelta(milliseconds=self.latency_ms))


@dataclass(frozen=True, slots=True)
class Call:
    """What the application asked for once, with every attempt it took."""

    number: str
    call_id: str
    message_id: str
    feature: Feature
    attributed: bool
    model: str
    user_id: str | None
    inference_geo: str
    speed: str
    attempts: tuple[Attempt, ...]

    @property
    def last(self) -> Attempt:
        """The attempt that decided the call."""
        return self.attempts[-1]

    @property
    def waited_ms(self) -> float:
        """What the caller waited: all attempts and the pauses between them."""
        return round(
            (self.last.started_at - self.attempts[0].started_at) / timedelta(milliseconds=1) + self.last.latency_ms, 1
        )


class PromptCache:
    """Which prompt prefixes are warm. One prefix per model, refreshed by every use."""

    def __init__(self, feature: Feature) -> None:
        """Start cold."""
        self._feature = feature
        self._last_used: dict[str, datetime] = {}

    def use(self, model: str, when: datetime, tail: int, is_broken: bool) -> tuple[int, int]:
        """Tokens read and written by a call now; the tail is newly cached conversation behind a warm prefix."""
        prefix = self._feature.cached_prefix
        if prefix < (4096 if "haiku-4" in model else 512):
            return 0, 0
        last_used = self._last_used.get(model)
        if is_broken:
            return 0, prefix
        self._last_used[model] = when
        if last_used is not None and when - last_used < self._feature.cache_ttl:
            return prefix, tail
        return 0, prefix


def calls(
    feature: Feature, seed: int, scale: float = 1.0, incidents: tuple[Incident, ...] = INCIDENTS
) -> Iterator[Call]:
    """Every call of a feature, in the order they start."""
    cache = PromptCache(feature)
    for when, number, user_id in arrivals(feature, seed, scale, incidents):
        touching = [incident for incident in incidents if incident.covers(feature.name, when)]
        yield draw_call(feature, when, number, user_id, cache, touching, Dice(seed, feature.name, number))


def arrivals(
    feature: Feature, seed: int, scale: float, incidents: tuple[Incident, ...]
) -> list[tuple[datetime, str, str | None]]:
    """When calls come, each with a name of its own; extra calls of incidents are named apart.

    The names seed the draws, so leaving an incident out changes no other call.
    """
    dice, found, start = Dice(seed, feature.name, "arrivals"), list[tuple[datetime, str, str | None]](), FIRST
    while start < END:
        rate = hourly_rate(feature, start) * scale
        found += [(when, "", None) for when in poisson(dice, start, start + HOUR, rate)]
        start += HOUR
    found = [(when, str(number), user_id) for number, (when, _, user_id) in enumerate(found)]
    for incident in incidents:
        if incident.extra_calls_per_hour and incident.feature == feature.name:
            extra = poisson(
                Dice(seed, incident.name), incident.since, incident.until, incident.extra_calls_per_hour * scale
            )
            found += [(when, f"{incident.name}-{n}", incident.extra_user) for n, when in enumerate(extra)]
    return sorted(found)


def hourly_rate(feature: Feature, hour: datetime) -> float:
    """Calls expected in this hour: rhythm of the day and of the week, and growth."""
    here = local(hour)
    share_of_day = feature.hours[here.hour] / sum(feature.hours)
    growth = GROWTH_PER_WEEK ** ((hour - FIRST).days // 7)
    return feature.calls_per_day * feature.weekdays[here.weekday()] * share_of_day * growth


def poisson(dice: Dice, since: datetime, until: datetime, per_hour: float) -> list[datetime]:
    """Independent events of a steady rate."""
    times, when = list[datetime](), since
    while per_hour > 0:
        when += HOUR * dice.gap(per_hour)
        if when >= until:
            break
        times.append(to_millisecond(when))
    return times


def draw_call(
    feature: Feature,
    when: datetime,
    number: str,
    user_id: str | None,
    cache: PromptCache,
    incidents: list[Incident],
    dice: Dice,
) -> Call:
    """One call with its attempts. Sizes are drawn before anything can fail, so failures change no sizes."""
    user_id = user_id or draw_user(feature, dice)
    model = dice.weighted(next(era.models for era in reversed(feature.eras) if era.since <= when))
    model = next((incident.model for incident in incidents if incident.model), model)
    tokens, stop_reason = draw_answer(feature, model, when, cache, incidents, dice)
    is_fast = dice.chance(feature.fast_share) and "opus-5" in model
    inference_geo = "us" if dice.chance(feature.us_share) else "global"
    slowness = product([incident.latency_factor for incident in incidents])
    ttft_ms, latency_ms = draw_latency(model, tokens, slowness * (0.5 if is_fast else 1.0), dice)
    attributed = not dice.chance(feature.forgotten_share)
    call_id, message_id = dice.identifier("call_", when), dice.identifier("msg_", when)

    attempts = list[Attempt]()
    overload_rate = max([incident.overload_rate for incident in incidents], default=0.0)
    while True:
        request_id = dice.identifier("req_", when)
        failure = draw_failure(feature, overload_rate, dice)
        if failure is None:
            attempts.append(
                Attempt(len(attempts) + 1, when, latency_ms, ttft_ms, request_id, 200, None, stop_reason, tokens)
            )
            break
        took_ms = round(dice.between(*failure.takes_ms), 1)
        attempts.append(
            Attempt(
                len(attempts) + 1,
                when,
                took_ms,
                None,
                request_id if failure.status else None,
                failure.status,
                failure.error_type,
                None,
                None,
            )
        )
        if not failure.retried or len(attempts) > feature.max_retries:
            break
        when = to_millisecond(when + timedelta(milliseconds=took_ms) + pause(failure, len(attempts), dice))
    return Call(
        number,
        call_id,
        message_id,
        feature,
        attributed,
        model,
        user_id,
        inference_geo,
        "fast" if is_fast else "standard",
        tuple(attempts),
    )


def draw_user(feature: Feature, dice: Dice) -> str | None:
    """A user: few ask often, many ask seldom."""
    if not feature.users:
        return None
    if feature.e_mail_users and dice.chance(0.12):
        return dice.pick(feature.e_mail_users)
    return f"{feature.user_prefix}{100 + int(feature.users * dice.between(0, 1) ** 2.2):04d}"


def draw_answer(
    feature: Feature, model: str, when: datetime, cache: PromptCache, incidents: list[Incident], dice: Dice
) -> tuple[Tokens, str]:
    """Token piles and stop reason of a call that succeeds."""
    uncached = dice.log_normal(*feature.input_tokens) * product([incident.input_factor for incident in incidents])
    output = dice.log_normal(*feature.output_tokens) * product([incident.output_factor for incident in incidents])
    tail = int(dice.log_normal(900, 0.4)) if dice.chance(0.35) else 0
    read, written = cache.use(model, when, tail, any(incident.cache_broken for incident in incidents))
    is_short_lived = feature.cache_ttl < HOUR
    stop_reason = "tool_use" if dice.chance(feature.tool_use_share) else "end_turn"
    if output >= feature.max_tokens:
        output, stop_reason = feature.max_tokens, "max_tokens"
    if dice.chance(feature.refusal_share):
        output, stop_reason = 0, "refusal"
    return Tokens(
        uncached_input=max(1, round(uncached)),
        cache_read=read,
        cache_write_5m=written if is_short_lived else 0,
        cache_write_1h=0 if is_short_lived else written,
        output=round(output) if stop_reason == "refusal" else max(1, round(output)),
    ), stop_reason


def draw_latency(model: str, tokens: Tokens, factor: float, dice: Dice) -> tuple[float, float]:
    """Time to first token and to the last, in ms: reading the prompt, then writing at the model's pace."""
    speed = pace(model)
    prompt_ms = (tokens.uncached_input + tokens.cache_write_5m + tokens.cache_write_1h) / 25 + tokens.cache_read / 250
    first = (speed.first_token_ms * dice.log_normal(1, 0.28) + prompt_ms) * factor
    writing = tokens.output / speed.tokens_per_second * 1000 * dice.log_normal(1, 0.2) * factor
    return round(first, 1), round(first + writing, 1)


def draw_failure(feature: Feature, overload_rate: float, dice: Dice) -> Failure | None:
    """How this attempt fails, if it does. Batches fail item by item only in ways that never reach a log."""
    if feature.service_tier == "batch":
        return None
    if dice.chance(overload_rate):
        return OVERLOADED
    return dice.weighted(FAILURES) if dice.chance(BASE_ERROR_RATE) else None


def pause(failure: Failure, failed_attempts: int, dice: Dice) -> timedelta:
    """What the SDK sleeps before it tries again: what the server asks for, else 0.5 s doubling up to 8 s."""
    if failure.retry_after_seconds:
        return timedelta(seconds=dice.whole(int(failure.retry_after_seconds[0]), int(failure.retry_after_seconds[1])))
    return timedelta(seconds=min(0.5 * 2 ** (failed_attempts - 1), 8.0) * dice.between(0.75, 1.0))


def product(factors: list[float]) -> float:
    """All factors multiplied; 1 when there are none."""
    result = 1.0
    for factor in factors:
        result *= factor
    return result
