"""A look that remembers the last one finds what a fresh look finds, whatever has arrived in between."""

from datetime import datetime, timedelta

import numpy as np
from attempts import an_attempt, fill
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from queries import Filters, read
from queries.signals import Memory, find

FIRST = datetime(2026, 9, 7)


def arrives(con, load, attempts):
    """A load with these attempts is folded."""
    attempts = list(attempts)
    fill(con, [attempt | {"load_id": load} for attempt in attempts])
    moments = [attempt["started_at"] for attempt in attempts]
    con.execute(
        "insert into store.loads by name select $load as load_id, $now::timestamp as folded_at, "
        "$first::timestamp as first_started_at, $last::timestamp as last_started_at",
        {"load": load, "now": datetime(2026, 12, 1), "first": min(moments), "last": max(moments)},
    )


def traffic(seed, since, until):
    """Three features, one born on day 20, and four users over some days; a spike on one day in ten."""
    for day in range(since, until):
        rng = np.random.default_rng([seed, day])
        for feature, size in (("chat", 60), ("search", 30), *((("new", 40),) if day >= 20 else ())):
            count = int(rng.poisson(size * (4 if rng.random() < 0.1 else 1)))
            for hour in np.sort(rng.uniform(6, 20, count)):
                yield an_attempt(
                    started_at=FIRST + timedelta(days=day, hours=float(hour)), feature=feature, retry_count=0,
                    model_raw="claude-opus-4-5" if feature == "chat" else "claude-haiku-4-5",
                    user_id=f"u{rng.integers(4)}", latency_ms=float(rng.lognormal(7, 0.4)),
                    uncached_input_tokens=int(rng.integers(500, 90_000)), output_tokens=200,
                )  # fmt: skip


def rounded(findings):
    """Sums of doubles may differ in their last digits by the order in which rows are added up."""
    return [
        tuple(f"{value:.6e}" if isinstance(value, float) else value for value in of)
        for of in [
            *((of.signal_id, of.slice, of.metric, of.start, of.end, of.raised_at, of.cause, of.driver_user, of.is_open,
               of.actual, of.expected, of.low, of.high, of.score) for of in findings.signals),
            *findings.expected,
        ]
    ]  # fmt: skip


@settings(max_examples=4, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 1000),
    looks=st.lists(st.integers(16, 44), min_size=1, max_size=3, unique=True).map(sorted),
    late=st.one_of(st.none(), st.integers(0, 40)),
    zone=st.sampled_from(["UTC", "Asia/Tokyo", "America/New_York"]),
)
def test_looking_again_finds_what_a_fresh_look_finds(warehouse, seed, looks, late, zone):
    for table in ("attempts", "model_names", "loads"):
        warehouse.execute(f"delete from store.{table}")

    def reader(metric, filters):
        return read(warehouse, metric, filters)

    memory, known = Memory(), 0
    for day in looks:
        arrives(warehouse, f"until-{day}", traffic(seed, known, day))
        known = day
        again = find(reader, Filters(zone=zone), memory)
    if late is not None and late < known:
        arrives(warehouse, "late", (call | {"feature": "chat"} for call in traffic(seed + 1, late, late + 1)))
        again = find(reader, Filters(zone=zone), memory)
    assert rounded(again) == rounded(find(reader, Filters(zone=zone)))


def test_only_what_is_new_is_read(con):
    arrives(con, "one", traffic(1, 0, 30))
    asked = []

    def reader(metric, filters):
        asked.append((metric, filters.since))
        return read(con, metric, filters)

    memory = Memory()
    find(reader, Filters(), memory)
    assert {since for _, since in asked} == {None}
    arrives(con, "two", traffic(1, 30, 31))
    asked.clear()
    find(reader, Filters(), memory)
    yesterday = (FIRST + timedelta(days=29)).date()
    told = {metric: since for metric, since in asked if metric not in ("loads", "signal_user_hours")}
    assert set(told.values()) == {yesterday}, "but for the hours of the few costliest users"


def test_days_without_a_log_lie_between_two_looks(con):
    def look(memory):
        return rounded(find(lambda metric, filters: read(con, metric, filters), Filters(), memory))

    memory = Memory()
    arrives(con, "one", traffic(1, 0, 24))
    look(memory)
    arrives(con, "two", traffic(1, 28, 31))
    assert look(memory) == look(Memory())


def test_a_load_that_is_gone_makes_everything_be_read_anew(con):
    """As after a rebuild, when every load is folded again."""
    arrives(con, "one", traffic(1, 0, 25))
    memory = Memory()
    before = find(lambda metric, filters: read(con, metric, filters), Filters(), memory)
    con.execute("delete from store.attempts where feature = 'search'")
    con.execute("update store.loads set folded_at = '2026-12-02'")
    after = find(lambda metric, filters: read(con, metric, filters), Filters(), memory)
    assert {of.slice for of in before.expected} - {of.slice for of in after.expected} == {"search"}
