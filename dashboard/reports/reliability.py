"""What the Reliability page shows: errors before and after retries, and what retries hide."""

from collections.abc import Iterator

from dashboard import units
from dashboard.reading import Source
from dashboard.reports import cards
from dashboard.reports.cards import Card, Page, Tiles
from dashboard.rows import sums, view_suffix
from dashboard.view import SLICES, View

_RATES = ("first_attempt_error_rate", "masked_rate", "final_error_rate")
TILES = Tiles(
    (*_RATES, "amplification", "attempt_error_rate", "wasted_ms", "wasted_cost_usd", "retry_known_rate"),
    ("reliability",),
    {
        "first_attempt_error_rate": "Calls whose first attempt failed.",
        "masked_rate": "Calls that failed at first and succeeded on a retry: nobody saw it, but somebody waited.",
        "final_error_rate": "Calls that failed in the end.",
        "amplification": "Attempts made for each call.",
        "attempt_error_rate": "Failed attempts, of all attempts of calls whose retries are known.",
        "wasted_ms": "From the first attempt to the one that answered, over masked calls with all attempts logged.",
        "wasted_cost_usd": "What was billed for attempts that failed, such as streams that broke off.",
        "retry_known_rate": "Calls whose log tells how often they were tried. All rates but the final one need it.",
    },
)


def content(source: Source, view: View, slice: str = "feature") -> Iterator[Card]:
    """Rates over time, errors by type, whether they pass, headroom, estimates, and the breakdown."""
    yield over_time(source, view)
    yield from errors(source, view)
    yield from patterns(source, view)
    yield breakdown(source, view, slice)


def coverage(source: Source, view: View) -> str:
    """For how many calls retries are known."""
    known = source.read("reliability", view.filters).first()["retry_known_rate"]
    return f"Retry data known for {units.text('retry_known_rate', known)} of calls."


def over_time(source: Source, view: View) -> Card:
    """The three rates of every day."""
    rows = source.read("reliability_by_day", view.filters)
    return cards.lines(view, rows, _RATES, title="Over time", note=coverage(source, view))


def errors(source: Source, view: View) -> Iterator[Card]:
    """Failed attempts by type, over time and in all."""
    rows, title = source.read("errors_by_day_and_type", view.filters), "Failed attempts by error type"
    note = coverage(source, view)
    yield cards.classes_over_time(view, rows, "error_type", "failed_attempts", title=title, note=note)
    types = source.read("errors_by_type", view.filters)
    note = "Every failed attempt that was logged or is known to be hidden; the rates above need retry data."
    yield cards.table("Error types", note, types, sums(types), alt=title)


def patterns(source: Source, view: View) -> Iterator[Card]:
    """Whether errors pass or stay, the room under the rate limits, and what no log links, where there is any."""
    note = (
        "Over the 14 days to the end of the period. Systematic errors stay until somebody mends their cause, however "
        "well retries hide them; transient ones pass. Quiet is under 2 %. In simulated logs with 20 calls an hour or "
        "more, the answer was right at least 94 times in 100."
    )
    verdicts = source.errors_pass("feature", view.filters)
    yield cards.table("Do errors pass or stay?", note, verdicts, opens="feature", alt="Error patterns by feature")
    note = "The least that was left of a rate limit, where the log kept the response's rate-limit headers."
    headroom = source.read("headroom_by_model", view.filters)
    alt = "Rate-limit headroom by model"
    yield cards.table("Room under the rate limits", note, headroom, opens="model", alt=alt)
    note = (
        "An estimate, not part of the rates above: nothing in these logs links a retry to the attempt before it, so an "
        "attempt within five seconds of a failed one for the same feature, model and user is taken for its retry. "
        "In simulated traffic with 20 users such links were right 97 to 99.8 % of the time; without users, far less."
    )
    unlinked = source.read("masked_estimates_by_feature", view.filters)
    alt = "Estimated masked errors by feature"
    yield cards.table("Attempts that no log links", note, unlinked, opens="feature", alt=alt)


def breakdown(source: Source, view: View, by: str) -> Card:
    """The rates for each value of a dimension."""
    read = source.read(f"reliability_by_{view_suffix(by)}", view.filters)
    rows = read.pick(by, "calls", "retry_known_rate", *_RATES, "attempt_error_rate", "amplification")
    total = source.read("reliability", view.filters).first()
    title = f"By {units.label(by).lower()}"
    return cards.table(title, coverage(source, view), rows, total, opens=by, alt=f"Reliability {title}")


PAGE = Page("Reliability", TILES, {"slice": SLICES}, content)
