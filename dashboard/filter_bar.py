"""One set of filters for all pages, kept in the address: copy it and the view comes with it.

Each widget's key is its name in the address (`?range=7+days&feature=chat`); the keys are public and never change.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache, partial
from zoneinfo import available_timezones

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import data, units
from dashboard.names import display_name, labels
from dashboard.view import GRAINS as GRAINS
from dashboard.view import SLICES as SLICES
from dashboard.view import View as View
from dashboard.view import local_day
from queries import Filters

RANGES = ("Latest day", "7 days", "30 days", "This month", "Last month", "All time", "Custom")
DEFAULT_RANGE = "30 days"

# Filter widget (and name in the address) → column it narrows.
NARROWING = {"feature": "feature", "model": "model", "user": "user_id", "team": "team", "environment": "environment"}
WIDGET_OF = {column: key for key, column in NARROWING.items()}

# More options than this make a list that nobody scrolls and every browser has to load; further values can be typed.
MOST_OPTIONS = 1000


def current() -> View:
    """The view the pages show in this run."""
    view: View = st.session_state["view"]
    return view


def draw(title: str, offers_compare: bool = True) -> DeltaGenerator:
    """Filters in the sidebar, title and time range above the page; leaves the view where `current` finds it.

    A page that has its own way to compare does without the switch. Returns the place beside the time range for what can
    be done with the view.
    """
    first, last = data.span() or (datetime.now(UTC), datetime.now(UTC))
    with st.sidebar.container(key="filters", gap="small"):
        for key, column in NARROWING.items():
            _narrow(key, column)
        zone = choose_zone()
    with st.container(horizontal=True, vertical_alignment="center", key="filter_bar"):
        st.title(title, anchor=False, width="content")
        st.space("stretch")
        compare = offers_compare and st.toggle(
            "Compare",
            True,
            key="compare",
            bind="query-params",
            help="Show the change against the period before.",
        )
        days = _chosen_days(local_day(first, zone), local_day(last, zone))
        menu = st.container(horizontal=True, width="content", gap="small")
    filters = Filters(
        since=days[0] if days else None,
        until=days[1] if days else None,
        zone=zone,
        **{f"{key}s": tuple(st.session_state.get(key) or ()) for key in NARROWING},
    )
    view = View.of(filters, compare, (first, last))
    st.session_state["view"] = view
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="scope"):
        compared = f", compared with {view.before_period}" if view.before else ""
        if view.logged_since:
            compared += f" (logged since {units.day(view.logged_since)} only)"
        st.caption(f"{view.period} ({display_name(zone, 'md')}){compared}", width="content")
        _chips()
    return menu


def choose(label: str, key: str, options: Mapping[str, str], default: str | None = None) -> str:
    """A switch between a few things, kept in the address; without a default the first is it."""
    words = list(options)
    default = default or words[0]
    chosen = st.segmented_control(label, words, default=default, key=key, bind="query-params", required=True, wrap=True)
    return options[chosen or default]


def drill(dimension: str, value: str, onwards: str | None = None) -> None:
    """Narrow to one value of a dimension; a callback, so that it runs before the widgets are drawn."""
    if value not in data.options().get(WIDGET_OF[dimension], []):
        return
    st.session_state[WIDGET_OF[dimension]] = [value]
    st.session_state["drills"] = st.session_state.get("drills", 0) + 1
    if onwards:
        jump(onwards)


def jump(page: str, **asked: str | list[str]) -> None:
    """Open a page with some of its widgets set, by their names in the address; a callback."""
    known = {key: value for key, value in asked.items() if key in NARROWING or key == "range"}
    st.session_state.update(known)
    # The address has to be given, be it empty, while widgets are bound to it. Widgets that every page draws write
    # themselves into it anew; the others, which are not there yet, read themselves from it.
    st.switch_page(page, query_params={key: value for key, value in asked.items() if key not in known})


def clear(*keys: str) -> None:
    """Lift filters; a callback."""
    for key in keys:
        st.session_state[key] = []
    st.session_state["drills"] = st.session_state.get("drills", 0) + 1


def show_everything() -> None:
    """Lift every filter and the time range; a callback."""
    clear(*NARROWING)
    show_days("All time")


def show_days(chosen: str) -> None:
    """Set the time range; a callback."""
    st.session_state["range"] = chosen


def choose_zone() -> str:
    """The time zone of the reader's clock: the same choice on every page that asks for it."""
    return st.selectbox(
        "Time zone", _zones(), key="zone", bind="query-params", help="Days begin at midnight in this zone."
    )


@cache  # they are looked up on disk, one by one
def _zones() -> list[str]:
    places = (zone for zone in available_timezones() if not zone.startswith(("Etc/", "posix/", "right/")))
    return ["UTC", *sorted(zone for zone in places if "/" in zone)]


@lru_cache(len(NARROWING))
def _labels(values: tuple[str, ...]) -> dict[str, str]:
    return labels(values)


def _narrow(key: str, column: str) -> None:
    values = data.options().get(key, [])[:MOST_OPTIONS]
    shown = _labels(tuple(values))
    st.multiselect(
        units.label(column),
        values,
        key=key,
        bind="query-params",
        placeholder="All",
        select_all=False,
        format_func=lambda value: shown.get(value) or display_name(value),
        accept_new_options=column == "user_id",
    )


def _chips() -> None:
    active = {key: st.session_state[key] for key in NARROWING if st.session_state.get(key)}
    for key, values in active.items():
        names = ", ".join(display_name(value, "md") for value in values[:2])
        more = f" and {len(values) - 2} more" if len(values) > 2 else ""
        st.button(
            f"{units.label(NARROWING[key])}: {names}{more}",
            key=f"clear_{key}",
            icon=":material/close:",
            help="Remove this filter",
            on_click=partial(clear, key),
        )
    if len(active) > 1:
        st.button("Clear all", key="clear_all", type="tertiary", on_click=partial(clear, *active))


def _chosen_days(first: date, last: date) -> tuple[date, date] | None:
    """The days asked for, both included, counted back from the newest day with data; None for all there is."""
    chosen = st.selectbox(
        "Time range",
        RANGES,
        RANGES.index(DEFAULT_RANGE),
        key="range",
        bind="query-params",
        label_visibility="collapsed",
        width=150,
        icon=":material/calendar_today:",
    )
    match chosen:
        case "Latest day":
            return last, last
        case "7 days":
            return last - timedelta(days=6), last
        case "This month":
            return last.replace(day=1), last
        case "Last month":
            end = last.replace(day=1) - timedelta(days=1)
            return end.replace(day=1), end
        case "All time":
            return None
        case "Custom":
            return _custom_days(first, last)
    return last - timedelta(days=29), last


def _custom_days(first: date, last: date) -> tuple[date, date]:
    chosen = st.date_input(
        "From and to, both days included",
        (max(first, last - timedelta(days=6)), last),
        key="dates",
        bind="query-params",
        format="DD.MM.YYYY",
        label_visibility="collapsed",
        width=240,
    )
    days = [day for day in chosen if day] if isinstance(chosen, tuple) else []
    return (days[0], days[-1]) if days else (first, last)
