"""The views against a second calculation over the sample logs: plain Python over the raw lines, to the last digit.

The calculation below shares nothing with the product but the two lists of prices and spellings. It reads the files in
its own plain way, all at once and in memory; what it must agree with are the documented rules, not the product's code.
"""

import ast
import csv
import gzip
import io
import json
import math
import re
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import zstandard

from dashboard.owner import Owner
from ingest.load import Loader, inputs
from queries import Filters

ROOT = Path(__file__).parent.parent
LOGS = ROOT / "sample_logs" / "logs"
LISTS = ROOT / "queries" / "lists"

UNATTRIBUTED = "(unattributed)"
REFUSALS_FREE_SINCE = datetime(2026, 6, 2)
LARGEST_COUNT = 100_000_000
WEB_SEARCH_USD = Decimal("0.01")

Record = dict[str, Any]


# ---- what a log says ----------------------------------------------------------------------------------------------


class Piles(NamedTuple):
    """Tokens as they are billed; the piles do not overlap."""

    input: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    cache_write_unknown_ttl: int
    output: int

    @property
    def prompt(self) -> int:
        return sum(self) - self.output


@dataclass
class Attempt:
    """One HTTP try, as one record tells of it."""

    at: datetime  # as logged
    model: str | None
    parts: list[tuple[str, Piles]]  # one, or one for each iteration that produced the answer
    failed: bool
    feature: str
    user: str | None = None
    stop_reason: str | None = None
    max_tokens: int | None = None
    web_searches: int = 0
    tier: str | None = None
    speed: str | None = None
    geo: str | None = None
    request_id: str | None = None
    message_id: str | None = None
    call_id: str | None = None
    hidden_retries: int | None = None  # None: nobody knows
    begun_at: datetime | None = None  # None: the log does not tell how long it took
    latency_ms: float | None = None
    ttft_ms: float | None = None
    is_sidechain: bool = False
    written: str = ""  # the record itself, where no id tells it from others

    @property
    def tokens(self) -> int:
        return sum(sum(piles) for _, piles in self.parts)


class Refused(Exception):
    """A line that should tell of a request and cannot."""


@dataclass
class Sample:
    """Everything in the sample logs."""

    tellings: list[Attempt] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)  # by file


def read_samples() -> Sample:
    sample = Sample()
    for path in sorted(path for path in LOGS.rglob("*") if path.is_file()):
        for name, text in contents(path):
            values = values_in(name, text)
            if any(isinstance(value, dict) and "sessionId" in value for value in values):
                sample.tellings += transcript(values)
                continue
            for line, carried_at in whole_lines(values):
                for record, at in records_in(line, carried_at):
                    try:
                        sample.tellings.append(told(record, at))
                    except Refused:
                        sample.refused[name] += 1
    return sample


def contents(path: Path) -> Iterator[tuple[str, str]]:
    """Name and text of a file, or of each file packed in it."""
    packed = path.read_bytes()
    if path.suffix == ".zip":
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            for name in archive.namelist():
                yield name, archive.read(name).decode()
    elif path.suffix == ".gz":
        yield path.name, gzip.decompress(packed).decode()
    elif path.suffix == ".zst":
        yield path.name, zstandard.ZstdDecompressor().stream_reader(packed).read().decode()
    else:
        yield path.name, packed.decode()


def values_in(name: str, text: str) -> list[Any]:
    """The rows of a table, the JSON values one after another, or else the lines as they are."""
    if name.endswith(".csv"):
        return list(csv.DictReader(io.StringIO(text)))
    if text.startswith(("{", "[")):
        try:
            return list(json_values(text))
        except ValueError:
            pass  # not JSON from beginning to end: a line may be damaged or of another kind
    return [line for line in text.split("\n") if line.strip()]


def json_values(text: str) -> Iterator[Any]:
    """JSON values with any space between them, or none; an array stands for its items."""
    decoder, position = json.JSONDecoder(), 0
    while position < len(text):
        value, position = decoder.raw_decode(text, position)
        yield from value if isinstance(value, list) else [value]
        while text[position : position + 1].isspace():
            position += 1


CONTAINER_LINE = re.compile(r"(?P<time>\S+Z) (?:stdout|stderr) (?P<tag>[PF]) (?P<piece>.*)")


def whole_lines(values: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    """Each line with its carrier's time; what a container runtime cut into pieces is one line again."""
    begun = ""
    for value in values:
        if isinstance(value, str) and (cut := CONTAINER_LINE.fullmatch(value)):
            begun, time, is_whole = begun + cut["piece"], cut["time"], cut["tag"] == "F"
        elif isinstance(value, dict) and value.keys() == {"log", "stream", "time"}:
            begun, time, is_whole = begun + value["log"], value["time"], value["log"].endswith("\n")
        else:
            yield value, None
            continue
        if is_whole:
            yield begun, time
            begun = ""


def records_in(line: Any, at: Any) -> Iterator[tuple[Record, Any]]:
    """The records inside a line, however they are wrapped, each with the time of its innermost wrapping."""
    if isinstance(line, str):
        line = record_in_text(line)
    if line.get("messageType") == "CONTROL_MESSAGE":
        return
    if "logEvents" in line or "events" in line:
        for event in line.get("logEvents") or line["events"]:
            yield from records_in(event["message"], event["timestamp"])
    elif isinstance(line.get("data"), list):
        for entry in line["data"]:
            yield entry["attributes"]["attributes"], entry["attributes"]["timestamp"]
    elif "MESSAGE" in line:
        yield from records_in(line["MESSAGE"], int(line["__REALTIME_TIMESTAMP"]) // 1000)
    elif "record" in line:
        yield line["record"]["extra"], line["record"]["time"]["repr"]
    elif str(line.get("message")).startswith("{"):
        yield from records_in(line["message"], at)
    else:
        yield line, at


COLOUR = re.compile(r"\x1b\[\d+m")
LEADING_TIME = re.compile(r"\d{4}-\d\d-\d\dT\S+Z(?= )")
PAIR = re.compile(r"(\w+)=(\S*)")


def record_in_text(text: str) -> Record:
    """JSON, a Python dictionary or key=value pairs, whatever stands before them; empty if there is nothing to read."""
    text = COLOUR.sub("", text)
    time = LEADING_TIME.match(text)
    known = {"timestamp": time[0]} if time else {}
    if "{" not in text:
        return known | {name: value for name, value in PAIR.findall(text) if value not in ("", "None")}
    inner = text[text.index("{") : text.rfind("}") + 1]
    for read in (json.loads, ast.literal_eval):
        try:
            return known | read(inner)
        except (ValueError, SyntaxError):
            pass
    return {}


def told(record: Record, carried_at: Any) -> Attempt:
    """The attempt that a record tells of: flat, or a captured response with or without its request."""
    request, response = record.get("request") or {}, record.get("response") or {}
    body = record if record.get("type") == "message" else response
    usage = body.get("usage") or record.get("usage") or record
    model = body.get("model") or request.get("model") or record.get("model")
    time = record.get("timestamp") or record.get("asctime") or carried_at
    if not model or not time:
        raise Refused
    has_id = body.get("id") or record.get("request_id")
    latency_ms = milliseconds(record.get("latency_ms"))
    # An application writes its line when the call is over; a captured exchange bears the time of its request.
    told_after_ms = 0 if body or "request" in record else latency_ms or 0
    return Attempt(
        at=moment(time),
        begun_at=moment(time) - timedelta(milliseconds=told_after_ms),
        model=model,
        parts=billed_parts(usage, model),
        failed=int(record.get("status") or 200) >= 400 or bool(record.get("error_type")),
        feature=record.get("feature") or UNATTRIBUTED,
        user=record.get("user_id") or (request.get("metadata") or {}).get("user_id"),
        stop_reason=body.get("stop_reason") or record.get("stop_reason") or None,
        max_tokens=int(request.get("max_tokens") or record.get("max_tokens") or 0) or None,
        web_searches=(usage.get("server_tool_use") or {}).get("web_search_requests", 0),
        tier=usage.get("service_tier"),
        speed=usage.get("speed"),
        geo=usage.get("inference_geo"),
        request_id=record.get("request_id") or None,
        message_id=body.get("id"),
        call_id=record.get("call_id"),
        hidden_retries=hidden_retries(record),
        latency_ms=latency_ms,
        ttft_ms=milliseconds(record.get("ttft_ms")),
        written="" if has_id else json.dumps(record, sort_keys=True),
    )


def milliseconds(logged: Any) -> float | None:
    return None if logged in (None, "") else float(logged)


def hidden_retries(record: Record) -> int | None:
    """What the log says itself; none where it gives every attempt a line of its own."""
    if record.get("retries_taken") not in (None, ""):
        return int(record["retries_taken"])
    return 0 if record.get("call_id") and record.get("attempt") else None


def moment(time: str | int) -> datetime:
    """UTC: from milliseconds, or from text that names its zone or else means UTC."""
    if isinstance(time, int):
        return datetime.fromtimestamp(time / 1000, UTC).replace(tzinfo=None)
    when = datetime.fromisoformat(time.replace(",", "."))
    return when.astimezone(UTC).replace(tzinfo=None) if when.tzinfo else when


def billed_parts(usage: Record, model: str) -> list[tuple[str, Piles]]:
    """Model and tokens of each iteration; of the whole, where there was only one.

    A model that hands over without a word has declined: its iteration is free, and no part of the answer's usage.
    """
    iterations = usage.get("iterations")
    if not iterations:
        whole = piles(usage)
        return [(model, whole)] if sum(whole) else []
    return [
        (item.get("model") or model, piles(item))
        for number, item in enumerate(iterations, start=1)
        if item["output_tokens"] or number == len(iterations)
    ]


def piles(usage: Record) -> Piles:
    """The counts of a usage object. What is written without a lifetime is what the total says beyond its two parts."""
    split = usage.get("cache_creation") or {}
    for_5m, for_1h = count(split, "ephemeral_5m_input_tokens"), count(split, "ephemeral_1h_input_tokens")
    return Piles(
        input=count(usage, "input_tokens"),
        cache_read=count(usage, "cache_read_input_tokens"),
        cache_write_5m=for_5m,
        cache_write_1h=for_1h,
        cache_write_unknown_ttl=count(usage, "cache_creation_input_tokens") - for_5m - for_1h,
        output=count(usage, "output_tokens"),
    )


def count(usage: Record, name: str) -> int:
    number = int(usage.get(name) or 0)
    if not 0 <= number <= LARGEST_COUNT:
        raise Refused
    return number


# ---- Claude Code ----------------------------------------------------------------------------------------------------


def transcript(lines: list[Record]) -> Iterator[Attempt]:
    """The attempts of a session. Every failed one has its line, and belongs to the answer that follows it."""
    waiting: list[Attempt] = []
    for line in lines:
        attempt = session_attempt(line)
        if attempt is None:
            continue
        waiting.append(attempt)
        if line["type"] == "assistant":
            for one in waiting:
                one.call_id = attempt.message_id or attempt.request_id
            yield from waiting
            waiting = []
    yield from waiting


def session_attempt(line: Record) -> Attempt | None:
    """An answer, a failed attempt, or what the tool says after the last one; None for all that is no request."""
    if line.get("subtype") == "api_error":
        return session_line(line, request_id=line["error"]["requestID"])
    if line.get("isApiErrorMessage"):
        return session_line(line, request_id=line["uuid"])
    if line["type"] != "assistant":
        return None
    message = line["message"]
    return session_line(
        line,
        failed=False,
        model=message["model"],
        parts=billed_parts(message["usage"], message["model"]),
        stop_reason=message["stop_reason"],
        tier=message["usage"]["service_tier"],
        geo=message["usage"]["inference_geo"],
        request_id=line["requestId"],
        message_id=message["id"],
    )


def session_line(line: Record, **said: Any) -> Attempt:
    """An attempt with what every line of a session says; a failed one unless told otherwise."""
    return Attempt(
        at=moment(line["timestamp"]),
        feature=Path(line["cwd"]).name,
        hidden_retries=0,
        is_sidechain=line["isSidechain"],
        **({"failed": True, "model": None, "parts": []} | said),
    )


# ---- once each ------------------------------------------------------------------------------------------------------


def once(tellings: list[Attempt]) -> list[Attempt]:
    """Each attempt once: tellings that share a message id or a request id, or are the very same record, are one."""
    by_message = best_of_each(tellings, lambda a: a.message_id)
    by_request = best_of_each(by_message, lambda a: a.request_id)
    return best_of_each(by_request, lambda a: None if a.message_id or a.request_id else a.written)


def best_of_each(tellings: list[Attempt], key: Callable[[Attempt], Hashable | None]) -> list[Attempt]:
    """The best telling for each key, and all that have none.

    A stream's beginning holds placeholders, so most tokens are best; a sub-agent's replay is not the original.
    """
    best: dict[Hashable, Attempt] = {}
    for number, telling in enumerate(tellings):
        name = key(telling) or number
        if name not in best or rank(telling) >= rank(best[name]):
            best[name] = telling
    return list(best.values())


def rank(telling: Attempt) -> tuple[bool, int]:
    return not telling.is_sidechain, telling.tokens


# ---- money ----------------------------------------------------------------------------------------------------------


@dataclass
class Bill:
    """What an attempt costs at list price, and what the same tokens would have cost without caching."""

    by_class: dict[str, Decimal]
    read_saving: Decimal = Decimal(0)
    write_premium: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        return sum(self.by_class.values(), Decimal(0))


PRICE_COLUMN = {
    "input": "input_usd_mtok",
    "cache_read": "cache_read_usd_mtok",
    "cache_write_5m": "cache_write_5m_usd_mtok",
    "cache_write_1h": "cache_write_1h_usd_mtok",
    "cache_write_unknown_ttl": "cache_write_5m_usd_mtok",  # an assumption, and the views say so
    "output": "output_usd_mtok",
}
WRITES = ("cache_write_5m", "cache_write_1h", "cache_write_unknown_ttl")


def bill(attempt: Attempt) -> Bill | None:
    """None when a model has no price."""
    silent_refusal = attempt.stop_reason == "refusal" and not any(piles.output for _, piles in attempt.parts)
    if attempt.failed or (silent_refusal and attempt.at >= REFUSALS_FREE_SINCE):
        return Bill({})
    whole = Bill(defaultdict(Decimal, web_search=WEB_SEARCH_USD * attempt.web_searches))
    for model, tokens in attempt.parts:
        usd = usd_per_token(
            model, attempt.at.date(), tokens.prompt, attempt.speed == "fast", attempt.tier == "batch", attempt.geo
        )
        if usd is None:
            return None
        for name, number in tokens._asdict().items():
            whole.by_class[name] += number * usd[name]
        whole.read_saving += tokens.cache_read * (usd["input"] - usd["cache_read"])
        whole.write_premium += sum(getattr(tokens, pile) * (usd[pile] - usd["input"]) for pile in WRITES)
    return whole


def usd_per_token(
    logged_model: str, day: date, prompt: int, is_fast: bool, is_batch: bool, geo: str | None
) -> dict[str, Decimal] | None:
    """Dollars per token of each pile, with every factor; None without a price."""
    model, region = listed_model(logged_model)
    row = price_row(model, "fast" if is_fast else "standard", day, prompt)
    if row is None:
        return None
    factor = Decimal(row["batch_multiplier"]) if is_batch else Decimal(1)
    if geo == "us":
        factor *= Decimal(row["us_geo_multiplier"] or 1)
    if region:
        factor *= Decimal(row["regional_multiplier"] or 1)
    return {name: Decimal(row[column]) * factor / 1_000_000 for name, column in PRICE_COLUMN.items()}


def price_row(model: str, mode: str, day: date, prompt: int) -> Record | None:
    """The row of the day with the highest threshold that the prompt is over."""
    rows = [
        row
        for row in prices().get((model, mode), [])
        if (row["effective_from"] or "0") <= day.isoformat() < (row["effective_to_exclusive"] or "9")
        and prompt >= int(row["prompt_tokens_over"]) + (row["prompt_tokens_over"] != "0")
    ]
    return max(rows, key=lambda row: int(row["prompt_tokens_over"]), default=None)


@cache
def prices() -> dict[tuple[str, str], list[Record]]:
    listed = defaultdict(list)
    with (LISTS / "prices.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            listed[row["model_id"], row["mode"]].append(row)
    return dict(listed)


@cache
def listed_model(logged: str) -> tuple[str, str]:
    """The price list's name for a logged model, and the region that the name asks for."""
    name = logged.strip().lower().rsplit("/", 1)[-1]
    region = match[1] if (match := re.match(r"(us|eu|apac|jp|au)\.", name)) else ""
    name = re.sub(r"^(global|us|eu|apac|jp|au)\.", "", name).removeprefix("anthropic.")
    name = name.replace("[1m]", "").removesuffix("@default").replace("@", "-")
    name = re.sub(r"-v\d+(:\d+)?$", "", name).replace(".", "-")
    with (LISTS / "model_aliases.csv").open(encoding="utf-8") as file:
        aliases = {row["alias"]: row["model_id"] for row in csv.DictReader(file)}
    undated = re.sub(r"-\d{8}$", "", name)
    listed = {model for model, _ in prices()}
    return next((word for word in (name, undated, aliases.get(undated)) if word in listed), name), region


# ---- both sides -----------------------------------------------------------------------------------------------------


@dataclass
class Calculation:
    """The attempts of the samples, their bills and their calls."""

    refused: Counter[str]
    tellings: int
    attempts: list[tuple[Attempt, Bill | None]]
    calls: list[list[tuple[Attempt, Bill | None]]]


def cost(bill: Bill | None) -> Decimal:
    return bill.total if bill else Decimal(0)


def model_name(attempt: Attempt) -> str:
    return listed_model(attempt.model)[0] if attempt.model else "(no model)"


def answer(call: list[tuple[Attempt, Bill | None]]) -> Attempt | None:
    """The attempt that came through, of a call's."""
    return next((attempt for attempt, _ in call if not attempt.failed), None)


@pytest.fixture(scope="module")
def ours() -> Calculation:
    sample = read_samples()
    attempts = [(attempt, bill(attempt)) for attempt in once(sample.tellings)]
    calls = defaultdict(list)
    for number, (attempt, its_bill) in enumerate(attempts):
        calls[attempt.call_id or number].append((attempt, its_bill))
    return Calculation(sample.refused, len(sample.tellings), attempts, list(calls.values()))


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    """The samples, loaded as a user loads them."""
    home = tmp_path_factory.mktemp("home")
    loader = Loader(home)
    for path in inputs(LOGS):
        for _ in loader.load_path(path):
            pass
    owner = Owner(home)
    owner.reports([])  # folds what has landed
    yield owner
    owner.close()


@pytest.fixture(scope="module")
def views(owner: Owner) -> Callable[[str], list[tuple[Any, ...]]]:
    """Ask the views."""
    return lambda sql: [tuple(row.values()) for row in owner.query(sql).to_pylist()]


def by(name: Callable[[Attempt], Hashable], attempts: Iterable[tuple[Attempt, Bill | None]]) -> dict[Hashable, Any]:
    """Cost and number of attempts for each value of a dimension."""
    sums: dict[Hashable, Any] = {}
    for attempt, its_bill in attempts:
        usd, number = sums.get(name(attempt), (Decimal(0), 0))
        sums[name(attempt)] = (usd + cost(its_bill), number + 1)
    return sums


def keyed(rows: list[tuple[Any, ...]]) -> dict[Any, Any]:
    return {key: tuple(values) for key, *values in rows}


# ---- what must agree ------------------------------------------------------------------------------------------------


def test_every_attempt_and_its_cost(ours, views):
    mine = Counter((a.at, a.model, None if b is None else b.total) for a, b in ours.attempts)
    theirs = Counter(views("select started_at, model_raw, cost_usd from facts.attempts"))
    assert (mine - theirs, theirs - mine) == (Counter(), Counter())


def test_totals(ours, views):
    tokens = [piles for attempt, _ in ours.attempts for _, piles in attempt.parts]
    mine = (
        sum(cost(b) for _, b in ours.attempts),
        len(ours.attempts),
        len(ours.calls),
        len({a.user for a, _ in ours.attempts if a.user}),
        sum(piles.prompt for piles in tokens),
        sum(piles.output for piles in tokens),
        sum(b is None for _, b in ours.attempts),
        sum(cost(b) for a, b in ours.attempts if a.feature == UNATTRIBUTED),
        min(a.at for a, _ in ours.attempts),
        max(a.at for a, _ in ours.attempts),
    )
    [theirs] = views("""
        select cost_usd, attempts, calls, users, input_tokens, output_tokens, unpriced_attempts, unattributed_cost_usd,
            first_started_at, last_started_at
        from metrics.totals
    """)
    assert mine == theirs


@pytest.mark.parametrize(
    ("view", "column", "dimension"),
    [
        ("spend_by_feature", "feature", lambda attempt: attempt.feature),
        ("spend_by_model", "model", model_name),
        ("spend_by_day", "day", lambda attempt: attempt.at.date()),
    ],
)
def test_cost_and_attempts_by(ours, views, view, column, dimension):
    assert by(dimension, ours.attempts) == keyed(views(f"select {column}, cost_usd, attempts from metrics.{view}"))


def test_cost_and_attempts_of_each_user(ours, views):
    """Without their names: e-mail addresses are stored as pseudonyms."""
    mine = by(lambda a: a.user or UNATTRIBUTED, ours.attempts)
    assert Counter(mine.values()) == Counter(views("select cost_usd, attempts from metrics.spend_by_user"))


def test_tokens_and_cost_of_each_token_class(ours, views):
    tokens, usd = Counter[str](), defaultdict[str, Decimal](Decimal)
    for attempt, its_bill in ours.attempts:
        tokens["web_search"] += attempt.web_searches
        for _, piles in attempt.parts:
            tokens.update(piles._asdict())
        for name, amount in (its_bill.by_class if its_bill else {}).items():
            usd[name] += amount
    theirs = keyed(views("select token_class, tokens, cost_usd from metrics.spend_by_token_class"))
    assert {name: (number, usd[name]) for name, number in tokens.items()} == theirs


def test_attempts_without_a_price(ours, views):
    mine = Counter(a.model for a, b in ours.attempts if b is None)
    assert dict(mine) == dict(views("select model_raw, attempts from metrics.unpriced_models"))


def test_answers_and_how_many_were_cut_off(ours, views):
    mine = defaultdict[str, list[Any]](lambda: [0, 0, 0, Decimal(0)])
    for call in ours.calls:
        last = answer(call)
        if last is None or last.stop_reason is None:
            continue
        row = mine[last.feature]
        row[0] += 1
        if last.stop_reason == "max_tokens" and last.max_tokens != 0:
            row[1] += 1
            row[2] += sum(piles.output for _, piles in last.parts)
            row[3] += sum(cost(b) for _, b in call)
    theirs = views("""
        select feature, responses, truncated_calls, truncated_output_tokens, truncated_cost_usd
        from metrics.truncation_by_feature
    """)
    assert {feature: tuple(row) for feature, row in mine.items()} == keyed(theirs)


def test_failures_retries_and_what_retries_hide(ours, views):
    mine = defaultdict[str, Counter[str]](Counter)
    for call in ours.calls:
        mine[call[0][0].feature].update(outcome([attempt for attempt, _ in call]))
    columns = (
        "calls",
        "attempts",
        "failed_calls",
        "retry_known_calls",
        "failed_attempts",
        "first_attempt_errors",
        "masked_calls",
    )
    theirs = keyed(views(f"select feature, {', '.join(columns)} from metrics.reliability_by_feature"))
    assert {feature: tuple(row[name] for name in columns) for feature, row in mine.items()} == theirs


def outcome(call: list[Attempt]) -> dict[str, int]:
    """How a call went, in the numbers that are added up; where its retries are unknown, only what is known."""
    failed = sum(attempt.failed for attempt in call)
    hidden = sum(attempt.hidden_retries or 0 for attempt in call)
    is_lost = failed == len(call)
    numbers = {"calls": 1, "attempts": len(call) + hidden, "failed_calls": int(is_lost)}
    if any(attempt.hidden_retries is None for attempt in call):
        return numbers
    return numbers | {
        "retry_known_calls": 1,
        "failed_attempts": failed + hidden,
        "first_attempt_errors": int(failed + hidden > 0),
        "masked_calls": int(failed + hidden > 0 and not is_lost),
    }


def test_failed_attempts_by_feature(ours, views):
    mine = Counter(a.feature for a, _ in ours.attempts if a.failed)
    assert dict(mine) == dict(views("select feature, count(*) from facts.attempts where is_error group by feature"))


def test_how_long_callers_waited(ours, owner):
    waits, first_words = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)
    for call in ours.calls:
        last = answer(call)
        if last is None or last.tier == "batch":
            continue
        began = [attempt.begun_at for attempt, _ in call if attempt.begun_at]
        before_ms = (last.begun_at - min(began)) / timedelta(microseconds=1) / 1000 if last.begun_at else 0
        if last.latency_ms is not None:
            waits[last.feature].append(before_ms + last.latency_ms)
        if last.ttft_ms is not None:
            first_words[last.feature].append(before_ms + last.ttft_ms)
    columns = [f"{measure}p{part}_ms" for measure in ("", "ttft_") for part in (50, 90, 95, 99)]
    rows = owner.read("latency_by_feature", Filters()).to_pylist()
    theirs = {row["feature"]: [row[column] for column in columns] for row in rows}
    theirs = {feature: to_the_microsecond(times) for feature, times in theirs.items()}
    assert {feature: percentiles(waits[feature]) + percentiles(first_words[feature]) for feature in theirs} == theirs


def percentiles(times: list[float]) -> tuple[float | None, ...]:
    """The smallest time that 50, 90, 95 and 99 in 100 do not exceed."""
    ranked = sorted(times)
    return to_the_microsecond(
        [ranked[math.ceil(len(ranked) * part / 100) - 1] if ranked else None for part in (50, 90, 95, 99)]
    )


def to_the_microsecond(times: Iterable[float | None]) -> tuple[float | None, ...]:
    """Durations are floats: adding them in another order may change their last bits."""
    return tuple(None if time is None else round(time, 3) for time in times)


def test_what_caching_saves(ours, views):
    saved, premium = defaultdict[str, Decimal](Decimal), defaultdict[str, Decimal](Decimal)
    for attempt, its_bill in ours.attempts:
        saved[attempt.feature] += its_bill.read_saving if its_bill else 0
        premium[attempt.feature] += its_bill.write_premium if its_bill else 0
    by_feature = {feature: (saved[feature], premium[feature], saved[feature] - premium[feature]) for feature in saved}
    in_all = tuple(sum(column) for column in zip(*by_feature.values(), strict=True))
    columns = "gross_saving_usd, write_premium_usd, net_saving_usd"
    assert by_feature == keyed(views(f"select feature, {columns} from metrics.cache_by_feature"))
    assert [in_all] == views(f"select {columns} from metrics.cache")


def test_lines_that_were_refused(ours, views):
    theirs = views("select source_name, sum(records) from metrics.refusal_reasons group by source_name")
    assert dict(ours.refused) == dict(theirs)


def test_the_arithmetic_of_all_loads(ours, views):
    [(read, new, repeated, refused)] = views("""
        select sum(read_records), sum(new_attempts), sum(known_records + folded_records), sum(refused_records)
        from metrics.loads
    """)
    assert read == ours.tellings + ours.refused.total()
    assert (new, repeated, refused) == (
        len(ours.attempts),
        ours.tellings - len(ours.attempts),
        ours.refused.total(),
    )
