"""The door to the numbers: the only module that calls `queries`, and the cache that all pages share.

Whoever serves the pages hands over its connection with `serve_from`; without one, the store file is opened read-only.
Answers are cached by the data's generation, so they never go stale and nobody has to press a refresh button.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any, TypeVar, cast

import duckdb
import pyarrow as pa
import streamlit as st

import queries
from dashboard import judging
from dashboard.advice import finding, kept
from dashboard.judging import Judged as Judged
from dashboard.reading import errors_pass as _verdicts
from dashboard.reading import notes
from dashboard.rows import DIMENSIONS as DIMENSIONS
from dashboard.rows import Read
from dashboard.rows import Rows as Rows
from dashboard.rows import narrowed as narrowed
from dashboard.rows import view_suffix as view_suffix
from dashboard.settings import home as home
from queries import Filters, contract
from queries.signals import Expected as Expected
from queries.signals import Explanation as Explanation
from queries.signals import Forecast as Forecast
from queries.signals import Signal as Signal
from queries.signals import explain as _explain_change
from queries.signals import forecast as _forecast_month

_supplied: Callable[[], duckdb.DuckDBPyConnection] | None = None

Work = TypeVar("Work", bound=Callable[..., Any])


def _shared(entries: int) -> Callable[[Work], Work]:
    """Keep so many answers for all readers; nobody may change them.

    Streamlit's cache lets one of many who ask at once work an answer out. Finding it there again takes as long as many
    a chart takes to draw, so answers are kept by their arguments too.
    """
    one_at_a_time = st.cache_resource(max_entries=entries, show_spinner=False)

    def keeping(work: Work) -> Work:
        return cast("Work", lru_cache(entries)(one_at_a_time(work)))

    return keeping


def serve_from(connection: Callable[[], duckdb.DuckDBPyConnection]) -> None:
    """Read through the server's own connection from now on (the views must exist in it)."""
    global _supplied
    _supplied = connection


def read(metric: str, filters: Filters | None = None) -> Rows:
    """The rows of one metric view in the view's own order, under these filters."""
    return _read(metric, filters, generation())


def errors_pass(by: str, filters: Filters) -> Rows:
    """For each value of a dimension that had failures: whether they pass or stay, the worst first."""
    return _errors_pass(by, filters, generation())


def explain(before: Filters, after: Filters, by: str) -> Explanation:
    """Why spend changed from one period to the other, by a dimension."""
    return _explain(before, after, view_suffix(by), generation())


def forecast(filters: Filters) -> Forecast | None:
    """What the month will come to for what the filters ask for, whatever their period; None with too little history."""
    return _forecast(replace(filters, since=None, until=None), generation())


def signals(filters: Filters) -> Judged | None:
    """The newest judgement, at once, with the signals that the filters ask for; None until there is one.

    A signal is asked for when it touches the period and is about a slice that the filters name, if they name any.
    Signals are judged on all calls: two filters at once ask for the signals of either.
    """
    judged = judging.judged(filters.zone)
    return judged and replace(
        judged, findings=replace(judged.findings, signals=_asked_for(judged.findings.signals, filters))
    )


def advice(filters: Filters) -> finding.Found | None:
    """What could be saved in what the filters ask for; None until it has been worked out for the first time."""
    told = finding.Told(kept.told(home(), "limit"), kept.told(home(), "prefix"))
    return finding.found(_reader_of(_connection()), filters, told, generation())


def effect(decision: kept.Decision, filters: Filters) -> finding.Effect:
    """What a measure that was marked as done has saved since, up to the end of the period."""
    return _effect(decision, filters, generation())


def reader() -> Read:
    """Reads what this run of the page shows, wherever and whenever it is called: newer data does not come into it."""
    seen = generation()
    return lambda metric, filters: _read(metric, filters, seen).table


def look() -> None:
    """See which generation of the data there is: once per run of the pages, so that a page shows one and not two."""
    connection = _connection()
    st.session_state["generation"] = queries.generation(connection) if connection else ""


def generation() -> str:
    """Changes when data or views change; empty while there is no store."""
    return str(st.session_state["generation"])


def span() -> tuple[datetime, datetime] | None:
    """First and last moment (UTC) that the data covers; None while there is no data."""
    return _span(generation())


def options() -> dict[str, list[str]]:
    """The values each filter can take."""
    return _options(generation())


def _connection() -> duckdb.DuckDBPyConnection | None:
    if _supplied:
        return _supplied()
    path = home() / "outlay.duckdb"
    if not path.exists():
        return None
    connection = _opened(str(path), path.stat().st_mtime_ns)
    queries.agree(connection, contract.read(path.parent))
    return connection


judging.read_from(_connection)


@st.cache_resource(max_entries=2, show_spinner=False)
def _opened(path: str, changed_at: int) -> duckdb.DuckDBPyConnection:
    """A locked read-only look at the store file, opened anew when the file has changed."""
    connection = duckdb.connect(":memory:", config={"python_enable_replacements": "false"})
    quoted = path.replace("'", "''")
    connection.execute(f"attach '{quoted}' as store (read_only)")
    queries.create_views(connection)
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection


@_shared(1000)
def _read(metric: str, filters: Filters | None, generation: str) -> Rows:
    connection = _connection()
    if connection is None:
        return Rows(metric, pa.table({}))
    key = sha256(repr((metric, filters, generation)).encode()).hexdigest()
    return Rows(key, queries.read(connection, metric, filters), notes().get(metric, {}))


@_shared(200)
def _errors_pass(by: str, filters: Filters, generation: str) -> Rows:
    key = sha256(repr(("errors_pass", by, filters, generation)).encode()).hexdigest()
    return _verdicts(_reader, by, filters, key)


def _asked_for(signals: tuple[Signal, ...], filters: Filters) -> tuple[Signal, ...]:
    chosen = {"feature": filters.features, "model": filters.models, "team": filters.teams, "user": filters.users}
    named = {(kind, name) for kind, names in chosen.items() for name in names}
    first = datetime.combine(filters.since, time()) if filters.since else datetime.min
    end = datetime.combine(filters.until, time()) + timedelta(days=1) if filters.until else datetime.max
    return tuple(
        of for of in signals if of.end > first and of.start < end and (not named or (of.slice_kind, of.slice) in named)
    )


@_shared(100)
def _explain(before: Filters, after: Filters, suffix: str, generation: str) -> Explanation:
    return _explain_change(_reader, before, after, suffix)


@_shared(100)
def _forecast(filters: Filters, generation: str) -> Forecast | None:
    return _forecast_month(_reader, filters)


@_shared(100)
def _effect(decision: kept.Decision, filters: Filters, generation: str) -> finding.Effect:
    return finding.effect(_reader, decision, filters)


def _reader_of(connection: duckdb.DuckDBPyConnection | None) -> Read:
    """Reads through this connection, on any thread."""
    if connection is None:
        raise LookupError("there is no store to read from")
    return lambda metric, filters: queries.read(connection, metric, filters)


def _reader(metric: str, filters: Filters) -> pa.Table:
    connection = _connection()
    if connection is None:
        raise LookupError("there is no store to read from")
    return queries.read(connection, metric, filters)


@_shared(4)
def _span(generation: str) -> tuple[datetime, datetime] | None:
    connection = _connection()
    first, last = queries.span(connection) if connection else (None, None)
    return (first, last) if first and last else None


@_shared(4)
def _options(generation: str) -> dict[str, list[str]]:
    connection = _connection()
    return queries.options(connection) if connection else {}
