"""Filters: the period on the reader's clock, slices, and the period before."""

import json
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from attempts import an_attempt

from queries import Filters


def test_without_filters_everything_is_in_focus(given, ask):
    given(an_attempt(), an_attempt(started_at=datetime(2024, 1, 1)))
    assert ask("totals")[0]["attempts"] == 2


def test_both_days_of_a_period_belong_to_it(given, ask):
    given(*(an_attempt(started_at=datetime(2026, 11, day, hour)) for day in range(1, 6) for hour in (0, 23)))
    days = ask("spend_by_day", since=date(2026, 11, 2), until=date(2026, 11, 4))
    assert [(row["day"].day, row["attempts"]) for row in days] == [(2, 2), (3, 2), (4, 2)]


@pytest.mark.parametrize(
    "zone",
    ["Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/Santiago"],
)
def test_days_and_hours_are_cut_on_the_readers_clock(given, ask, zone):
    """Every half hour around both changes of the clock, against the zone database itself."""
    first, half_hours = datetime(2026, 3, 1), range(0, 24 * 2 * 60, 7)
    instants = [first + timedelta(minutes=30 * step) for step in half_hours]
    instants += [datetime(2026, 9, 1) + timedelta(minutes=30 * step) for step in half_hours]
    given(*(an_attempt(started_at=instant) for instant in instants))
    local = [instant.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) for instant in instants]

    hours = {row["hour"]: row["attempts"] for row in ask("spend_by_hour", zone=zone)}
    expected = [moment.replace(minute=0) for moment in local]
    assert hours == {hour: expected.count(hour) for hour in expected}

    days = {row["day"]: row["attempts"] for row in ask("spend_by_day", zone=zone)}
    assert days == {day: [moment.date() for moment in local].count(day) for day in {moment.date() for moment in local}}


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata", "America/Santiago"])
def test_a_period_begins_and_ends_at_local_midnight(given, ask, zone):
    first = datetime(2026, 9, 1)
    given(*(an_attempt(started_at=first + timedelta(minutes=30 * step)) for step in range(48 * 20)))
    everything = {row["day"]: row["attempts"] for row in ask("spend_by_day", zone=zone)}
    for day in (date(2026, 9, 5), date(2026, 9, 6), date(2026, 9, 7)):
        asked = ask("spend_by_day", zone=zone, since=day, until=day)
        assert {row["day"]: row["attempts"] for row in asked} == {day: everything[day]}


def test_a_zone_keeps_its_old_offsets_when_no_period_is_given():
    offsets = Filters(zone="Europe/Berlin").variables()["zone_offsets"]
    assert offsets[-1]["since"] == datetime(1, 1, 1)
    assert {offset["shift"] for offset in offsets} == {timedelta(hours=1), timedelta(hours=2)}
    assert offsets == sorted(offsets, key=lambda offset: offset["since"], reverse=True)
    assert datetime(2026, 10, 25, 1) in [offset["since"] for offset in offsets]


def test_slices_narrow_the_focus(given, ask):
    given(
        an_attempt(feature="search", user_id="u1", team="ads", environment="prod"),
        an_attempt(feature="search", user_id="u2", team="ads", environment="test"),
        an_attempt(feature="chat", model_raw="claude-sonnet-5-5"),
    )
    assert ask("totals", features=("search",))[0]["attempts"] == 2
    assert ask("totals", features=("search", "chat"))[0]["attempts"] == 3
    assert ask("totals", users=("u1",))[0]["attempts"] == 1
    assert ask("totals", teams=("ads",), environments=("test",))[0]["attempts"] == 1
    assert ask("totals", models=("claude-sonnet-5-5",))[0]["attempts"] == 1
    assert ask("totals", features=("(unattributed)",))[0]["attempts"] == 0
    assert ask("totals", teams=("(unattributed)",))[0]["attempts"] == 1


def test_quotes_in_a_value_are_only_characters(given, ask):
    given(an_attempt(feature="o'brien"))
    assert ask("totals", features=("o'brien",))[0]["attempts"] == 1
    assert ask("totals", features=("' or true or '",))[0]["attempts"] == 0


def test_readers_do_not_see_each_others_filters(given, ask):
    given(an_attempt(feature="search"), an_attempt(feature="chat"))
    assert ask("totals", features=("search",))[0]["attempts"] == 1
    assert ask("totals")[0]["attempts"] == 2


def test_the_period_before_has_the_same_length():
    filters = Filters(since=date(2026, 11, 8), until=date(2026, 11, 14), features=("search",))
    assert filters.previous() == Filters(since=date(2026, 11, 1), until=date(2026, 11, 7), features=("search",))


def test_an_open_period_has_none_before_it():
    with pytest.raises(ValueError, match="first and a last day"):
        Filters(since=date(2026, 11, 8)).previous()


def test_a_period_reaches_the_scan(given, con):
    """Rows outside the period are left out while reading, not afterwards."""
    given(an_attempt(started_at=datetime(2026, 1, 1)), an_attempt(started_at=datetime(2026, 12, 1)))
    cursor = con.cursor()
    cursor.execute("set variable since = timestamp '2026-11-01'")
    cursor.execute("set variable until = timestamp '2026-11-08'")
    for metric in ("spend_by_user", "latency_by_user", "cache_by_user", "reliability_by_user"):
        ((_, plan),) = cursor.execute(f"explain (format json) from metrics.{metric}").fetchall()
        found = scans(json.loads(plan)[0], "attempts")
        assert any("started_at" in str(scan.get("Filters")) for scan in found), metric


def scans(node: dict, table: str) -> list[dict]:
    """What a plan says of each reading of a stored table."""
    here = [node["extra_info"]] if node["extra_info"].get("Table") == f"store.main.{table}" else []
    return here + [scan for child in node["children"] for scan in scans(child, table)]
