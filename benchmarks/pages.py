"""How long the queries of each page take, cold cache aside: every metric that the page reads, one after the other.

What signals are judged by is left out: the server does that in the background, and no page waits for it.
"""

import time
from pathlib import Path
from unittest import mock

import streamlit as st
from streamlit.testing.v1 import AppTest

import queries
from benchmarks.traffic import fill_store, peak_megabytes
from dashboard import data
from dashboard.owner import Owner
from queries import Filters

PAGES = ("overview", "spend", "latency", "truncation", "reliability", "cache", "data")


def run(requests: int, folder: Path) -> None:
    """Print the table for a store of so many requests: the pages as they open, on all of the data."""
    home = folder / f"home-{requests}"
    fill_store(home, requests)
    owner = Owner(home)
    data.serve_from(owner.cursor)
    print(f"\nQueries of each page at {requests:,} requests, 90 days (seconds, best of 3)\n")
    print("| page | queries | all of them | the slowest |\n|---|---|---|---|")
    for page in PAGES:
        asked = _asked(page)
        times = {question: min(_seconds(owner, *question) for _ in range(3)) for question in asked}
        slowest = max(times, key=lambda question: times[question], default=None)
        name = f"{slowest[0]} {times[slowest]:.2f}" if slowest else ""
        print(f"| {page} | {len(asked)} | {sum(times.values()):.2f} | {name} |")
    print(f"\nPeak memory of the process: {peak_megabytes():,.0f} MB")
    owner.close()


def _asked(page: str) -> list[tuple[str, Filters | None]]:
    """What a page reads when it opens over the whole span of the data."""
    with mock.patch.object(queries, "read", wraps=queries.read) as asked:
        app = AppTest.from_file(str(Path(data.__file__).parent / "app.py"), default_timeout=600)
        app.query_params["range"] = "All time"
        st.cache_resource.clear()  # otherwise a page would not ask for what another has read
        app.run()
        if page != "overview":
            asked.reset_mock()
            st.cache_resource.clear()
            app.switch_page(f"app_pages/{page}.py").run()
        questions = [call.args for call in asked.call_args_list]
    read = [(metric, filters) for _, metric, filters in questions]
    return list(dict.fromkeys(question for question in read if not question[0].startswith("signal_")))


def _seconds(owner: Owner, metric: str, filters: Filters | None) -> float:
    with owner.cursor() as cursor:
        started = time.perf_counter()
        queries.read(cursor, metric, filters)
        return time.perf_counter() - started
