"""Who a call is for and what it is for: from arguments, from the code around it, or from OpenTelemetry baggage."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from opentelemetry import baggage, context, trace  # the Anthropic SDK depends on it

NAMES = ("feature", "user_id", "team", "environment", "session_id")
LONGEST_LABEL, MOST_TAGS = 200, 32

Labels = dict[str, Any]  # of NAMES and "tags", a dict of strings
_inner: ContextVar[Labels] = ContextVar("outlay_recorder_labels")
_NONE: Labels = {}


@contextmanager
def labels(
    *,
    feature: str | None = None,
    user_id: str | None = None,
    team: str | None = None,
    environment: str | None = None,
    session_id: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Label every recorded call inside the `with` block, in this thread or task and those it starts.

    Blocks nest: the inner one wins, label by label.
    """
    said = clean(
        {"feature": feature, "user_id": user_id, "team": team, "environment": environment, "session_id": session_id},
        tags,
    )
    token = _inner.set(merged(_inner.get(_NONE), said))
    try:
        yield
    finally:
        _inner.reset(token)


def clean(named: Mapping[str, object], tags: Mapping[str, object] | None) -> Labels:
    """Labels fit for the log: short strings that are no API keys. What has no value has no label."""
    said: Labels = {name: _short(value) for name, value in named.items() if value is not None}
    if tags:
        said["tags"] = {_short(name): _short(value) for name, value in list(tags.items())[:MOST_TAGS]}
    return said


def _short(value: object) -> str:
    text = str(value)[:LONGEST_LABEL]
    return "(removed: looked like an API key)" if "sk-ant-" in text else text


def merged(outer: Labels, inner: Labels) -> Labels:
    """Both; the inner one wins, also tag by tag."""
    if "tags" in outer and "tags" in inner:
        return {**outer, **inner, "tags": {**outer["tags"], **inner["tags"]}}
    return {**outer, **inner}


def around(default: Labels) -> tuple[Labels, str | None]:
    """The labels of a call made here, and the trace it belongs to, in hexadecimal; None outside any.

    `labels(...)` wins over baggage, which wins over `default`. Baggage is read under `outlay.feature`,
    `outlay.user_id`, … and `outlay.tag.NAME`.
    """
    said, trace_id = default, None
    if here := context.get_current():
        if carried := baggage.get_all(here):
            named = {name: carried.get(f"outlay.{name}") for name in NAMES}
            prefix = "outlay.tag."
            tags = {key.removeprefix(prefix): value for key, value in carried.items() if key.startswith(prefix)}
            said = merged(said, clean(named, tags))
        span = trace.get_current_span(here).get_span_context()
        trace_id = f"{span.trace_id:032x}" if span.is_valid else None
    return merged(said, inner) if (inner := _inner.get(_NONE)) else said, trace_id
