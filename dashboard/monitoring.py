"""`/metrics`, as Prometheus scrapes it: how the server and its store do. It names no user, no feature and no model.

Where pages need no login neither does this; everywhere else it takes a token, since a proxy on the same machine makes
the whole network look like loopback. What is counted in the ledger is a gauge: pruning takes some of it back.
"""

import shutil
import time
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from streamlit import runtime
from streamlit.runtime.stats import ACTIVE_SESSIONS_FAMILY, GaugeStat

from dashboard.bearer import METRICS
from dashboard.login.ways import Loopback, Way
from dashboard.owner import Owner
from queries import Filters

LOOK_AGAIN_SECONDS = 60.0  # at what takes a look at all attempts, or at all files

_LEDGER = """
    select count(*) as loads, (select count(*) from store.set_aside) as set_aside, coalesce(sum(lines), 0) as lines,
        coalesce(sum(read_records), 0) as read, coalesce(sum(refused_records), 0) as refused,
        epoch(max(folded_at)) as last_load, epoch(max(last_started_at)) as last_attempt,
        (select count(*) from store.attempts) as attempts,
        (select sum(memory_usage_bytes) from duckdb_memory()) as memory
    from store.loads
"""


def route(owner: Owner, way: Way) -> Route:
    """The route that is scraped."""
    registry = CollectorRegistry()
    registry.register(Figures(owner))
    ProcessCollector(registry=registry)

    async def metrics(request: Request) -> Response:
        token = request.headers.get("authorization", "")
        if not isinstance(way, Loopback) and not METRICS.allows(owner.home, token):
            told = "the Authorization header has to carry the token of `outlay metrics token`: Bearer …"
            return PlainTextResponse(told, 401, headers={"WWW-Authenticate": "Bearer"})
        return Response(await run_in_threadpool(generate_latest, registry), media_type=CONTENT_TYPE_LATEST)

    return Route("/metrics", metrics)


class Figures(Collector):
    """What a server says about its home."""

    def __init__(self, owner: Owner) -> None:
        """Nothing is asked before somebody scrapes."""
        self._owner = owner
        self._slow: tuple[float, int, int] | None = None

    def describe(self) -> Iterator[Metric]:
        """Nothing: to register must not ask the store."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        """Every family, its values as of now."""
        home = self._owner.home
        yield InfoMetricFamily("outlay_build", "The version that runs.", {"version": version("outlay")})
        [ledger] = self._owner.query(_LEDGER).to_pylist()
        unpriced, archive_bytes = self._looked()
        for name, what, value in [
            ("loads", "Loads in the ledger.", ledger["loads"]),
            ("loads_set_aside", "Loads that landed and could not be folded.", ledger["set_aside"]),
            ("lines_read", "Lines of all loads.", ledger["lines"]),
            ("records_read", "Records read: new, known, folded and refused.", ledger["read"]),
            ("records_refused", "Records that were not taken.", ledger["refused"]),
            ("attempts", "Attempts stored.", ledger["attempts"]),
            ("attempts_unpriced", "Attempts whose cost is not known; looked at once a minute.", unpriced),
            ("last_load_timestamp_seconds", "When the newest load was folded.", ledger["last_load"]),
            ("last_attempt_timestamp_seconds", "When the newest attempt was sent.", ledger["last_attempt"]),
            ("archive_bytes", "Size of the archive; looked at once a minute.", archive_bytes),
            ("disk_free_bytes", "Room on the disk of the home.", shutil.disk_usage(home).free),
            ("duckdb_memory_bytes", "Memory that DuckDB holds.", ledger["memory"]),
            ("sessions", "Browser sessions that are open.", _sessions()),
        ]:
            family = GaugeMetricFamily(f"outlay_{name}", what)
            if value is not None:  # no load yet has no time
                family.add_metric([], float(value))
            yield family
        folds, seconds = self._owner.folds, self._owner.fold_seconds
        yield SummaryMetricFamily("outlay_fold_seconds", "Folds that found something, and their time.", folds, seconds)

    def _looked(self) -> tuple[int, int]:
        """Attempts without a price, and bytes of the archive, not older than a minute."""
        now = time.monotonic()
        if self._slow is None or now - self._slow[0] > LOOK_AGAIN_SECONDS:
            models: list[dict[str, Any]] = self._owner.read("unpriced_models", Filters()).to_pylist()
            files = (self._owner.home / "archive").glob("*/*")
            self._slow = now, sum(model["attempts"] for model in models), sum(file.stat().st_size for file in files)
        return self._slow[1:]


def _sessions() -> int:
    if not runtime.exists():
        return 0
    told = runtime.get_instance().stats_mgr.get_stats(family_names=[ACTIVE_SESSIONS_FAMILY])
    return sum(stat.value for stat in told.get(ACTIVE_SESSIONS_FAMILY, ()) if isinstance(stat, GaugeStat))
