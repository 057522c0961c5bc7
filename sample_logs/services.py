"""Which service logs which calls, where to, and in which shape; and the lines that went wrong on the way."""

from dataclasses import dataclass
from datetime import datetime

from sample_logs import envelopes as env
from sample_logs.company import CANARY, END, FIRST
from sample_logs.envelopes import Carrier
from sample_logs.records import Writer, captured, per_attempt, per_call


@dataclass(frozen=True)
class Service:
    """One place that logs calls of a feature. `{month}` in the path starts a new file every month."""

    path: str
    feature: str | None
    writes: Writer
    carrier: Carrier = env.plain
    since: datetime = FIRST
    until: datetime = END
    share: float = 1.0
    environment: str = "prod"


SEARCH = (
    "request_id model input_tokens cache_creation_input_tokens cache_read_input_tokens output_tokens "
    "stop_reason latency_ms=latency_whole_ms ttft_ms=ttft_whole_ms retries_taken status error_type max_tokens "
    "feature user_id team env"
)
SUPPORT = (
    "call_id attempt request_id model input_tokens cache_creation_input_tokens cache_read_input_tokens "
    "cache_creation output_tokens stop_reason latency_ms ttft_ms status error_type max_tokens stream "
    "service_tier feature user_id team env"
)
SEEDS = "request_id model input_tokens output_tokens stop_reason latency_ms feature user_id"

# A call belongs to the first service that covers its time and takes it; the last one of a feature takes the rest.
SERVICES = (
    Service(
        "storefront-search/canary/search-canary-7d9f_0.log",
        "product_search",
        per_call(SEARCH, env.json_line, dump_every=40),
        env.kubernetes,
        datetime(2026, 10, 8, 6),
        datetime(2026, 10, 8, 22),
        share=0.4,
    ),
    Service(
        "storefront-search/kiosk/journal-2026-11.json",
        "product_search",
        per_call(SEARCH, env.json_line),
        env.journald,
        datetime(2026, 11, 17),
        datetime(2026, 11, 19),
        share=0.12,
    ),
    Service(
        "storefront-search/docker/search-json-{month}.log.gz",
        "product_search",
        per_call(SEARCH, env.json_line, dump_every=9000),
        env.docker,
    ),
    Service(
        "support-chat/staging-console.log",
        "support_chat",
        per_attempt(SUPPORT.replace("cache_creation ", ""), env.structlog_console),
        since=datetime(2026, 9, 28),
        until=datetime(2026, 9, 30),
        share=0.2,
        environment="staging",
    ),
    Service("support-chat/support-chat-{month}.jsonl.gz", "support_chat", per_attempt(SUPPORT, env.structlog_json)),
    Service(
        "catalogue/writer-{month}.log.gz",
        "product_descriptions",
        per_call(f"timestamp {SEEDS} max_tokens error_type", env.prefixed_repr("INFO:catalogue.writer:")),
    ),
    Service(
        "returns/triage-app-2026-09-16.log",
        "returns_triage",
        per_call(f"{SEEDS} max_tokens retries_taken status error_type team env", env.json_logger),
        since=datetime(2026, 9, 16),
        until=datetime(2026, 9, 17),
    ),
    Service("returns/capture-{month}.jsonl.gz", "returns_triage", captured(env.json_line, doubled_every=150)),
    Service(
        "invoices/export/2f6c/extract-7f3a/000000.gz",
        "invoice_extraction",
        per_attempt(
            f"call_id attempt {SEEDS} max_tokens status error_type team env",
            env.prefixed_json("INFO:invoices.extract:"),
        ),
        env.cloudwatch_text,
        datetime(2026, 9, 21),
        datetime(2026, 9, 25),
        share=0.5,
    ),
    Service(
        "invoices/filter-log-events-2026-10-20.json",
        "invoice_extraction",
        per_attempt(f"call_id attempt {SEEDS} max_tokens status error_type team env", env.json_line),
        env.cloudwatch_events,
        datetime(2026, 10, 19),
        datetime(2026, 10, 22),
        share=0.5,
    ),
    Service(
        "invoices/subscription/invoice-extract-1-2026-11-05-07.gz",
        "invoice_extraction",
        per_attempt(f"call_id attempt {SEEDS} max_tokens status error_type team env", env.json_line),
        env.cloudwatch_subscription,
        datetime(2026, 11, 5),
        datetime(2026, 11, 7),
        share=0.7,
    ),
    Service(
        "invoices/extract.log.zst",
        "invoice_extraction",
        per_attempt(
            f"timestamp call_id attempt {SEEDS} max_tokens status error_type team env",
            env.prefixed_json("INFO:invoices.extract:"),
        ),
    ),
    Service(
        "contracts/responses-2026-11-18.json",
        "contract_review",
        captured(env.json_line, with_request=False),
        env.pretty_array,
        datetime(2026, 11, 16),
        datetime(2026, 11, 21),
    ),
    Service(
        "contracts/claude_calls.csv",
        "contract_review",
        per_call(f"timestamp {SEEDS} max_tokens status team env", env.json_line),
        env.csv_table,
    ),
    Service(
        "recommendations/preview.log",
        "recommendation_blurb",
        per_call(f"timestamp {SEEDS} max_tokens", env.prefixed_repr("INFO:blurbs:claude_call ")),
        since=datetime(2026, 9, 23),
        until=datetime(2026, 9, 26),
        share=0.25,
        environment="staging",
    ),
    Service(
        "recommendations/datadog-2026-10-01.json",
        "recommendation_blurb",
        per_call(f"{SEEDS} max_tokens retries_taken status error_type", env.json_line),
        env.datadog,
        datetime(2026, 10, 1),
        datetime(2026, 10, 3),
        share=0.45,
    ),
    Service(
        "recommendations/blurbs.zip/blurbs-{month}.jsonl",
        "recommendation_blurb",
        per_call(f"timestamp {SEEDS} max_tokens retries_taken status error_type team env", env.json_line),
    ),
    Service(
        "analytics/capture-2026-11-17.jsonl",
        "analyst_assistant",
        captured(env.json_line, is_varied=True),
        since=datetime(2026, 11, 17),
        until=datetime(2026, 11, 18),
    ),
    Service(
        "analytics/assistant.log.gz",
        "analyst_assistant",
        per_call(
            "request_id model input_tokens output_tokens cache_creation_input_tokens "
            "cache_read_input_tokens stop_reason latency_ms ttft_ms retries_taken status error_type "
            "max_tokens stream feature user_id team env",
            env.logfmt,
        ),
    ),
    Service(
        "evaluation/weekly.log.gz",
        "weekly_evaluation",
        per_call(
            "timestamp request_id model input_tokens output_tokens stop_reason latency_ms service_tier "
            "max_tokens feature user_id team env",
            env.json_in_message,
        ),
        environment="staging",
    ),
    Service(
        "gateway/worker.jsonl",
        None,
        per_call("request_id model usage stop_reason latency_ms status error_type feature user_id", env.loguru_json),
        since=datetime(2026, 10, 26),
        until=datetime(2026, 11, 2),
    ),
    Service(
        "gateway/requests.jsonl.gz",
        None,
        per_call(
            "timestamp request_id model usage stop_reason latency_ms status error_type feature user_id", env.json_line
        ),
    ),
)

# ---- what went wrong on the way to the files ----------------------------------------------------------------------


@dataclass(frozen=True)
class StrayLine:
    """A line among the records that holds no usable record."""

    path: str
    when: datetime
    text: str
    reason: str


def _record(fault: str) -> str:
    """A support record that would be fine but for the fault."""
    return (
        '{"request_id": "req_011Cstray", "model": "claude-sonnet-5-5", "output_tokens": 211, '
        '"stop_reason": "end_turn", "latency_ms": 4012.5, "feature": "support_chat", "user_id": "u_0123", ' + fault
    )


_SUPPORT_LOG = "support-chat/support-chat-2026-11.jsonl.gz"
_PREVIEW_LOG = "recommendations/preview.log"
_SEARCH_LOG = "storefront-search/docker/search-json-2026-11.log.gz"
_CAPTURE_LOG = "analytics/capture-2026-11-17.jsonl"

STRAY_LINES = (
    StrayLine(_SUPPORT_LOG, datetime(2026, 11, 4, 9, 12), _record('"input_tok'), "JSON cut off"),
    StrayLine(_SUPPORT_LOG, datetime(2026, 11, 9, 16, 2), _record(f'"prompt": "{CANARY} my order'), "JSON cut off"),
    StrayLine(_SUPPORT_LOG, datetime(2026, 11, 11, 10, 1), _record('"input_tokens": 1822}'), "no time"),
    StrayLine(_SUPPORT_LOG, datetime(2026, 11, 11, 10, 2), _record('"input_tokens": 931}'), "no time"),
    StrayLine(
        _SUPPORT_LOG,
        datetime(2026, 11, 12, 14, 30),
        _record('"input_tokens": -412, "timestamp": "2026-11-12T14:30:00.000Z"}'),
        "negative token count",
    ),
    StrayLine(
        _SUPPORT_LOG,
        datetime(2026, 11, 12, 14, 31),
        _record('"input_tokens": 9000000000, "timestamp": "2026-11-12T14:31:00.000Z"}'),
        "impossible token count",
    ),
    *(
        StrayLine(_PREVIEW_LOG, datetime(2026, 9, 24, 8 + hour), "INFO:app:llm", "fields lost by the formatter")
        for hour in range(4)
    ),
    *(
        StrayLine(
            _PREVIEW_LOG,
            datetime(2026, 9, 25, 8 + hour),
            'INFO:httpx2:HTTP Request: POST https://api.anthropic.com/v1/messages "HTTP/1.1 200 OK"',
            "line of the HTTP client",
        )
        for hour in range(6)
    ),
    StrayLine(
        _PREVIEW_LOG,
        datetime(2026, 9, 25, 15),
        "INFO:blurbs:claude_call {'timestamp': '2026-09-25T15:00:00.000Z', 'request_id': 'req_011Cstr",
        "dict cut off",
    ),
    *(
        StrayLine(
            _SEARCH_LOG,
            datetime(2026, 11, 6, 7, minute),
            f'10.4.0.{minute} - - [06/Nov/2026:07:0{minute}:00 +0000] "GET /search?q=sofa HTTP/1.1" 200 5120',
            "access log",
        )
        for minute in range(1, 4)
    ),
    StrayLine(
        _CAPTURE_LOG,
        datetime(2026, 11, 17, 12),
        '{"id": "msg_011Cstray", "type": "message", "role": "assistant", "model": "claude-opus-5-5", '
        f'"content": [{{"type": "text", "text": "{CANARY}"}}], "stop_reason": "end_turn", '
        '"usage": {"input_tokens": 40, "output_tokens": 12}}',
        "bare message: no time",
    ),
)

REPEATED_LINES = {  # path: every so many lines, a line is there twice
    "support-chat/support-chat-2026-10.jsonl.gz": 500,
    "catalogue/writer-2026-09.log.gz": 200,
}


@dataclass(frozen=True)
class Reexport:
    """A file that repeats a stretch of another one."""

    path: str
    original: str
    since: datetime
    until: datetime


REEXPORTS = (
    Reexport(
        "support-chat/reexport-2026-10-12.jsonl",
        "support-chat/support-chat-2026-10.jsonl.gz",
        datetime(2026, 10, 12, 6),
        datetime(2026, 10, 12, 16),
    ),
)
