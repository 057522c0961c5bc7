"""A column mapping: a format that a user writes, for tables and JSON lines that no format of Outlay's own claims.

It says which column tells which field of an attempt, and how that column counts. As a file it is a small TOML document
(or the same as JSON):

    name = "team-usage"
    input_includes_cache = true          # the input column counts cache reads and writes too (default: false)
    latency_unit = "s"                   # ms (default) or s, for latency and time to first token
    cost_unit = "cents"                  # usd (default) or cents
    time_format = "%d/%m/%Y %H:%M"       # only where times are not ISO 8601 or epoch numbers
    time_zone = "Europe/Berlin"          # of times that name none (default: what the load says)
    time_is_end = true                   # times were written when the call had ended (default: false)

    [columns]                            # field = column; a value inside a JSON object is written /usage/input_tokens
    started_at = "When"
    model_raw = "Model"
    uncached_input_tokens = "Input"
    output_tokens = "Output"
"""

import json
import re
import tomllib
import zoneinfo
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any

import duckdb

# The fields that a column can tell, and what each means.
FIELDS: dict[str, str] = {
    "started_at": "when the request began (or ended, with time_is_end): ISO 8601, or epoch seconds, ms, µs or ns",
    "model_raw": "the model",
    "uncached_input_tokens": "input tokens; with input_includes_cache, cache reads and writes are taken off",
    "cache_read_tokens": "tokens read from the prompt cache",
    "cache_write_tokens": "tokens written to the prompt cache, for whatever lifetime",
    "cache_write_5m_tokens": "tokens written to the prompt cache for 5 minutes",
    "cache_write_1h_tokens": "tokens written to the prompt cache for an hour",
    "output_tokens": "output tokens, thinking included",
    "thinking_tokens": "the part of the output that was thinking",
    "web_search_requests": "web searches that the model made",
    "latency_ms": "how long the call took, in latency_unit",
    "ttft_ms": "how long the first token took, in latency_unit",
    "max_tokens": "the ceiling that the request set",
    "stop_reason": "why the answer ended",
    "http_status": "the HTTP status",
    "error_type": "the error; empty where there was none",
    "retry_count": "earlier attempts hidden inside the row",
    "request_id": "the id of the request",
    "message_id": "the id of the answer (msg_…)",
    "event_id": "the source's own id of the row",
    "feature": "what the call was for",
    "user_id": "who it was for",
    "team": "the team",
    "environment": "production, staging, …",
    "workspace_id": "the workspace",
    "session_id": "the session",
    "trace_id": "the trace",
    "service_tier": "standard, priority or batch",
    "speed": "standard or fast",
    "inference_geo": "where the model ran",
    "platform": "anthropic, bedrock, vertex, azure or gateway",
    "cost_reported_usd": "what the source says it cost, in cost_unit",
}

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class BadMapping(ValueError):
    """A mapping that cannot be used. The message says why and what to do."""


@dataclass(frozen=True)
class Mapping:
    """Which column tells which field, and how it counts. Raises BadMapping when made of something else."""

    name: str
    columns: dict[str, str] = field(default_factory=dict)  # field (of FIELDS) -> column, or /path/into/an/object
    input_includes_cache: bool = False
    latency_unit: str = "ms"
    cost_unit: str = "usd"
    time_format: str | None = None
    time_zone: str | None = None
    time_is_end: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise BadMapping("a mapping's name is made of letters, digits, dots, dashes and underscores, up to 64")
        for name, column in self.columns.items():
            if name not in FIELDS:
                raise BadMapping(f"{self.name}: there is no field {name!r}; the fields are {', '.join(FIELDS)}")
            if not isinstance(column, str) or not column.strip("/"):
                raise BadMapping(f"{self.name}: field {name} names no column")
        if "model_raw" not in self.columns:
            raise BadMapping(f"{self.name}: no column for model_raw; without the model nothing can be priced")
        if not {"uncached_input_tokens", "output_tokens"} & self.columns.keys():
            raise BadMapping(f"{self.name}: no column for uncached_input_tokens or output_tokens")
        for unit, known in (("latency_unit", ("ms", "s")), ("cost_unit", ("usd", "cents"))):
            if getattr(self, unit) not in known:
                raise BadMapping(f"{self.name}: {unit} is {getattr(self, unit)!r}; it can be {' or '.join(known)}")
        if self.time_zone is not None and self.time_zone not in zoneinfo.available_timezones():
            raise BadMapping(f"{self.name}: unknown time_zone {self.time_zone!r}; write it like Europe/Berlin")
        for flag in ("input_includes_cache", "time_is_end"):
            if not isinstance(getattr(self, flag), bool):
                raise BadMapping(f"{self.name}: {flag} is true or false")
        if self.time_format is not None and not _is_time_format(self.time_format):
            raise BadMapping(f"{self.name}: time_format {self.time_format!r} is none; write it like %d/%m/%Y %H:%M:%S")

    @property
    def content(self) -> str:
        """All that it says, in one way of writing: two mappings of the same content read the same."""
        return json.dumps(asdict(self), sort_keys=True)

    def fits(self, columns: Iterable[str]) -> bool:
        """Does a log with these columns (as `columns_of` lists them) have all that the mapping names?"""
        return set(self.columns.values()) <= set(columns)

    def missing(self, columns: Iterable[str]) -> list[str]:
        """The columns that the mapping names and a log with these columns has not."""
        known = set(columns)
        return [column for column in self.columns.values() if column not in known]

    def variables(self) -> dict[str, tuple[str, object]]:
        """What `select` refers to, by name: (DuckDB type, value). What a user wrote reaches SQL in no other way."""
        return {
            "mapped": ("varchar[]", [_path(column) for column in self.columns.values()]),
            "mapped_time_format": ("varchar", self.time_format),
            "mapped_time_zone": ("varchar", self.time_zone),
        }

    def select(self) -> str:
        """The mapping as a format: a SELECT over `records`, of the rows that have a model, a time or an error."""
        at = {name: f"v[{position}]" for position, name in enumerate(self.columns, 1)}
        told = dict(at)
        time = at.get("started_at")
        if time and self.time_format:
            formatted = f"cast(try_strptime({time}, getvariable('mapped_time_format')) as varchar)"
            time = told["started_at"] = f"coalesce({formatted}, {time})"
        if time and self.time_zone:
            told["started_at"] = f"""case when is_zoneless({time})
                then cast(try_cast(replace({time}, ',', '.') as timestamp) at time zone getvariable('mapped_time_zone')
                    at time zone 'UTC' as varchar) || 'Z' else {time} end"""
        if self.input_includes_cache:
            read = at.get("cache_read_tokens", "null")
            write = at.get("cache_write_tokens") or "coalesce(whole({}), 0) + coalesce(whole({}), 0)".format(
                at.get("cache_write_5m_tokens", "null"), at.get("cache_write_1h_tokens", "null")
            )
            cached = f"coalesce(whole({read}), 0) + coalesce(whole(cast({write} as varchar)), 0)"
            if (inclusive := at.get("uncached_input_tokens")) is not None:
                told["uncached_input_tokens"] = f"exclusive({inclusive}, {cached})"
                told["told_refusal"] = f"contradiction({inclusive}, {cached})"
        if "cache_write_tokens" not in at and {"cache_write_5m_tokens", "cache_write_1h_tokens"} <= at.keys():
            told["cache_write_tokens"] = "cast(whole({}) + whole({}) as varchar)".format(
                at["cache_write_5m_tokens"], at["cache_write_1h_tokens"]
            )
        for name in ("latency_ms", "ttft_ms") if self.latency_unit == "s" else ():
            if name in at:
                told[name] = f"milliseconds({at[name]})"
        if self.cost_unit == "cents" and "cost_reported_usd" in at:
            told["cost_reported_usd"] = f"dollars({at['cost_reported_usd']})"
        told["is_end_time"] = "'true'" if self.time_is_end else "'false'"
        own = " or ".join(f"{at[name]} is not null" for name in ("model_raw", "started_at", "error_type") if name in at)
        return f"""
            with mapped as (
                select line, json_extract_string(record, getvariable('mapped')) as v from records
            )
            select line, {", ".join(f"{value} as {name}" for name, value in told.items())} from mapped where {own}
        """


def parse(text: str, name: str | None = None) -> Mapping:
    """A mapping from TOML or JSON text; `name` is its name where the text gives none. Raises BadMapping."""
    try:
        said: Any = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadMapping(f"{name or 'the mapping'}: neither TOML nor JSON ({error})") from error
    if unknown := sorted(set(said) - set(Mapping.__dataclass_fields__)):
        known = ", ".join(Mapping.__dataclass_fields__)
        raise BadMapping(f"{name or 'the mapping'}: no setting is called {unknown[0]!r}; there are {known}")
    said.setdefault("name", name or "")
    if not isinstance(said["name"], str) or not isinstance(said.get("columns"), dict):
        raise BadMapping(f"{name or 'the mapping'}: a mapping has a name and a table of columns (field = column)")
    return Mapping(**said)


# How the columns of other people's tables are called, in the order in which they are preferred. Compared without case
# and by letters and digits only.
_WORDS: dict[str, tuple[str, ...]] = {
    "started_at": ("startedat", "starttime", "timestamp", "createdat", "requesttime", "datetime", "time", "when",
        "date", "ts"),
    "model_raw": ("model", "modelname", "modelid", "modelused", "requestmodel", "llm"),
    "uncached_input_tokens": ("uncachedinputtokens", "inputtokens", "prompttokens", "tokensin", "input", "prompt",
        "intokens"),
    "cache_read_tokens": ("cachereadinputtokens", "cachereadtokens", "cacheread", "cachedtokens", "cachehittokens",
        "cachedinputtokens"),
    "cache_write_tokens": ("cachecreationinputtokens", "cachewritetokens", "cachewriteinputtokens", "cachewrite",
        "cachecreation", "cachecreationtokens"),
    "output_tokens": ("outputtokens", "completiontokens", "tokensout", "output", "completion", "outtokens"),
    "latency_ms": ("latencyms", "durationms", "responsetimems", "elapsedms", "delayms", "latencys", "durations",
        "latencyseconds", "durationseconds"),
    "ttft_ms": ("ttftms", "timetofirsttokenms", "ttfts"),
    "max_tokens": ("maxtokens", "maxoutputtokens"),
    "stop_reason": ("stopreason", "finishreason"),
    "http_status": ("httpstatus", "statuscode", "responsestatus"),
    "error_type": ("errortype", "error", "errorclass"),
    "retry_count": ("retriestaken", "retries", "retrycount"),
    "request_id": ("requestid", "reqid"),
    "message_id": ("messageid", "responseid"),
    "event_id": ("eventid", "id", "uuid"),
    "feature": ("feature", "usecase", "application", "app", "service", "product", "name"),
    "user_id": ("userid", "user", "enduser", "customer", "customerid", "account"),
    "team": ("team", "teamid", "department", "costcenter", "group"),
    "environment": ("environment", "env", "stage"),
    "session_id": ("sessionid", "conversationid", "threadid"),
    "trace_id": ("traceid",),
    "service_tier": ("servicetier", "tier"),
    "cost_reported_usd": ("costusd", "costreportedusd", "totalcostusd", "costcents", "cost", "totalcost", "spend"),
}  # fmt: skip


def columns_in(record: dict[str, Any], before: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """The columns of a record and their values: its keys, and `/a/b` for what lies inside objects (three deep)."""
    for key, value in record.items():
        step = key.replace("~", "~0").replace("/", "~1")
        if isinstance(value, dict) and value and depth < 2:
            yield from columns_in(value, f"{before}/{step}", depth + 1)
        else:
            yield (f"{before}/{step}" if before or key.startswith("/") else key), value


def suggest(columns: Iterable[str], name: str = "my-mapping") -> dict[str, Any]:
    """A guess from the columns' names, as what `Mapping(**…)` takes: a start for a person, who decides.

    Units are guessed only where a name says them; whether input includes the cache is never guessed. It may lack a
    model or tokens, so it need not be a valid mapping yet.
    """
    by_word: dict[str, str] = {}
    for column in columns:
        by_word.setdefault(_word(column), column)
    found = {
        name: by_word[next(word for word in words if word in by_word)]
        for name, words in _WORDS.items()
        if by_word.keys() & set(words)
    }
    guess: dict[str, Any] = {"name": name, "columns": found}
    if _word(found.get("latency_ms", "")).endswith(("latencys", "durations", "seconds")):
        guess["latency_unit"] = "s"
    if "cents" in _word(found.get("cost_reported_usd", "")):
        guess["cost_unit"] = "cents"
    return guess


def _word(column: str) -> str:
    return re.sub(r"[\W_]", "", column.rpartition("/")[2] if column.startswith("/") else column).lower()


def _path(column: str) -> str:
    """A column as a JSON pointer (RFC 6901)."""
    return column if column.startswith("/") else "/" + column.replace("~", "~0").replace("/", "~1")


@cache
def _is_time_format(text: str) -> bool:
    try:
        duckdb.execute("select try_strptime('2026', $format)", {"format": text})
    except duckdb.Error:
        return False
    return "%" in text
