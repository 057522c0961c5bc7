"""What the Latency page shows: how long callers waited, and how much of it was hidden retrying."""

from collections.abc import Iterator

from dashboard import units
from dashboard.reading import Source
from dashboard.reports import cards
from dashboard.reports.cards import Card, Page, Tiles
from dashboard.rows import view_suffix
from dashboard.view import GRAINS, SLICES, View

TILES = Tiles(("p50_ms", "p95_ms", "p99_ms", "ttft_p95_ms"), ("latency",), {})
MEASURES = {"Caller's wait": "", "One attempt": "attempt_", "First token": "ttft_"}
_PERCENTILES = ("p50_ms", "p90_ms", "p95_ms", "p99_ms")
_COVERAGE = ("timed_calls", "retry_known_rate", "ttft_known_calls")
_MEANING = {
    "": "What the caller waited, from the first attempt to the answer: hidden retries included.",
    "attempt_": "Successful attempts that are known to hide no retry.",
    "ttft_": "Time until the first token, where the logs say.",
}


def content(
    source: Source, view: View, measure: str = "", grain: str = "day", slice: str = "feature"
) -> Iterator[Card]:
    """Percentiles over time, and their breakdown."""
    yield over_time(source, view, measure, grain)
    yield breakdown(source, view, measure, slice)


def over_time(source: Source, view: View, measure: str, grain: str) -> Card:
    """The percentiles of a measure over time."""
    rows = source.read(f"latency_by_{grain}", view.filters)
    return cards.lines(view, rows, _columns(measure), title="Over time", note=_MEANING[measure], grain=grain)


def breakdown(source: Source, view: View, measure: str, by: str) -> Card:
    """The percentiles of a measure for each value of a dimension."""
    read = source.read(f"latency_by_{view_suffix(by)}", view.filters)
    rows = read.pick(by, "calls", *_columns(measure), *_COVERAGE)
    total = source.read("latency", view.filters).first()
    title = f"By {units.label(by).lower()}"
    return cards.table(title, _MEANING[measure], rows, total, opens=by, alt=f"Latency {title}")


def exactness(source: Source, view: View) -> str:
    """How exact the percentiles are, as a sentence; none where they are those of the logged times."""
    return "Percentiles are told to 1 %." if source.read("latency", view.filters).first()["is_exact"] is False else ""


def _columns(measure: str) -> list[str]:
    return [f"{measure}{column}" for column in _PERCENTILES]


PAGE = Page("Latency", TILES, {"measure": MEASURES, "grain": GRAINS, "slice": SLICES}, content)
