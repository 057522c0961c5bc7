"""The one row shape: an attempt, one HTTP try at one Claude request.

What a source cannot know is NULL, never 0 and never a guess. Token piles do not overlap: they are the piles that
Anthropic bills. Names follow Anthropic's usage object and OpenTelemetry's GenAI conventions.
"""

TOKEN_PILES = (
    "uncached_input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_write_unknown_ttl_tokens",
    "output_tokens",
)

_ITERATION = ", ".join(["model_raw VARCHAR", *(f"{pile} BIGINT" for pile in TOKEN_PILES)])

# What a telling of an attempt says about it. Two records that agree on all of these say the same thing.
CONTENT: dict[str, str] = {
    "started_at": "TIMESTAMP",  # UTC, as logged
    "is_end_time": "BOOLEAN",  # that time was written when the attempt had ended, not when it began
    "call_id": "VARCHAR",  # shared by the attempts of one logical call; NULL where the source links none
    "attempt_no": "INTEGER",  # position among the attempts of its call, as logged
    "latency_ms": "DOUBLE",  # wall clock of this row, with whatever it hides
    "ttft_ms": "DOUBLE",  # time to first token
    "wait_ms": "DOUBLE",  # pause before this attempt, after the one before it had failed
    "model_raw": "VARCHAR",  # exactly as logged
    "platform": "VARCHAR",  # anthropic, bedrock, vertex, azure, gateway; only where the source says so itself
    "uncached_input_tokens": "BIGINT",  # input neither read from nor written to the prompt cache
    "cache_read_tokens": "BIGINT",
    "cache_write_5m_tokens": "BIGINT",
    "cache_write_1h_tokens": "BIGINT",
    "cache_write_unknown_ttl_tokens": "BIGINT",  # written, but the log does not say for how long
    "output_tokens": "BIGINT",  # thinking included
    "thinking_tokens": "BIGINT",  # the part of the output that was thinking
    "web_search_requests": "BIGINT",
    "iterations": f"STRUCT({_ITERATION})[]",  # where one response was billed in several parts, each at its own model
    "service_tier": "VARCHAR",  # standard, priority, batch
    "speed": "VARCHAR",  # standard, fast
    "inference_geo": "VARCHAR",
    "max_tokens": "BIGINT",  # the ceiling that the request set
    "is_streamed": "BOOLEAN",
    "cache_prefix_id": "VARCHAR",  # salted digest of the part of the prompt that could be cached
    "cache_prefix_chars": "BIGINT",  # its length
    "stop_reason": "VARCHAR",  # exactly as logged
    "http_status": "INTEGER",
    "error_type": "VARCHAR",  # Anthropic's error.type where it can be told
    "error_code": "VARCHAR",
    "requests_headroom": "DOUBLE",  # share of the rate limit that was left after this attempt, 0 to 1
    "input_tokens_headroom": "DOUBLE",
    "output_tokens_headroom": "DOUBLE",
    "request_id": "VARCHAR",  # names one attempt
    "message_id": "VARCHAR",  # names one billed response
    "event_id": "VARCHAR",  # the source's own name for the record, where it has one
    "feature": "VARCHAR",  # what the call was for
    "user_id": "VARCHAR",  # opaque, or a keyed pseudonym
    "team": "VARCHAR",
    "environment": "VARCHAR",
    "workspace_id": "VARCHAR",
    "session_id": "VARCHAR",
    "trace_id": "VARCHAR",
    "tags": "VARCHAR",  # further labels that the application gave, as a JSON object of strings
    "client_version": "VARCHAR",  # which SDK or gateway asked, in which version
    "is_sidechain": "BOOLEAN",  # Claude Code: told by a sub-agent's transcript
    "cost_reported_usd": "DECIMAL(18, 12)",  # what the source itself says it cost
    "retry_count": "INTEGER",  # earlier attempts hidden inside this row; 0: known to be none; NULL: unknown
}

# What the first release did not keep yet. The name of a record without any id is made of all that it says; of these, of
# those that it does say: else whatever a version adds would make every such record a new one when it is loaded again.
ADDED = frozenset({
    "wait_ms", "is_streamed", "cache_prefix_id", "cache_prefix_chars", "requests_headroom", "input_tokens_headroom",
    "output_tokens_headroom", "tags", "client_version",
})  # fmt: skip

# Where it was told.
ORIGIN: dict[str, str] = {
    "attempt_id": "VARCHAR",
    "source_format": "VARCHAR",
    "source_line": "BIGINT",
    "row_no": "BIGINT",  # position among the rows of its load
}

COLUMNS: dict[str, str] = ORIGIN | CONTENT


def columns_sql(columns: dict[str, str]) -> str:
    """The columns as a DDL list: `name TYPE, name TYPE`."""
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())
