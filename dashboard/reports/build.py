"""A page's report, built anywhere: from the same questions, tiles and cards that the page draws."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from dashboard import trust
from dashboard.names import display_name
from dashboard.reading import Reading, Source
from dashboard.reports import (
    cache,
    chargeback,
    compare,
    latency,
    overview,
    reconciliation,
    reliability,
    spend,
    statement,
    truncation,
)
from dashboard.reports.cards import Page, Tiles
from dashboard.reports.palette import coloured
from dashboard.reports.report import Chart, Figure, Report, Table
from dashboard.reports.report import NothingToReport as NothingToReport
from dashboard.rows import Read, Rows
from dashboard.view import View
from queries import Filters

PRICES = (
    "model",
    "mode",
    "prompt_tokens_over",
    "effective_from",
    "effective_until",
    "input_usd_mtok",
    "output_usd_mtok",
    "cache_read_usd_mtok",
    "cache_write_5m_usd_mtok",
    "cache_write_1h_usd_mtok",
    "batch_multiplier",
    "us_geo_multiplier",
    "regional_multiplier",
    "source",
)
MOST_NAMED = 20
_NARROWED = {"features": "Feature", "models": "Model", "users": "User", "teams": "Team", "environments": "Environment"}


PAGES = {
    name: module.PAGE
    for name, module in {
        "overview": overview,
        "spend": spend,
        "compare": compare,
        "chargeback": chargeback,
        "reconciliation": reconciliation,
        "cache": cache,
        "latency": latency,
        "truncation": truncation,
        "reliability": reliability,
        "statement": statement,
    }.items()
}


def report_of(
    page: str,
    filters: Filters,
    read: Read,
    *,
    chosen: Mapping[str, str] | None = None,
    compare: bool = True,
    hides_users: bool = False,
    home: Path | None = None,
) -> Report:
    """The report of a page as these filters show it.

    page: its name in the address. read: reads a metric view under filters. chosen: its switches as in the address
    (`{"by": "Model"}`); what is not named, or has no such word, stands as on a page that was just opened. hides_users:
    users are called User 1, User 2 … by what they cost. home: where rules of allocation and exchange rates
    lie; by default the environment's. Raises KeyError for a page that has no report, and NothingToReport where no
    call passes the filters.
    """
    shown = PAGES[page]
    source = Reading(read, hides_users, home)
    span, now = source.span(), source.read("totals", filters).first()
    if span is None or not now["attempts"]:
        raise NothingToReport("Nothing that was logged passes these filters; choose another period or fewer filters.")
    switches = _switches(shown, chosen or {})
    view = shown.against(View.of(filters, compare, span), **switches)
    built = [card for card in shown.content(source, view, **switches) if len(card.rows)]
    return Report(
        title=shown.title,
        period=view.period,
        zone=view.zone,
        scope=_scope(view.filters, hides_users),
        as_of=datetime.now(UTC),
        figures=_figures(shown.tiles, source, view),
        charts=tuple(
            Chart(card.title, coloured(card.chart), card.alt, card.note) for card in built if card.chart is not None
        ),
        tables=tuple(Table(card.title, card.rows, card.total or {}, card.note) for card in built),
        notes=trust.sentences(source, view),
        prices=prices(source, filters),
        before_period=view.before_period,
        basis=trust.basis(source, view),
    )


def prices(source: Source, filters: Filters) -> Rows:
    """The list prices in force in the period, of the models that were used in it, with their sources."""
    used = set(source.read("spend_by_model", filters)["model"])
    listed = source.read("price_list").pick(*PRICES)
    since, until = _day(filters.since), _day(filters.until)
    mask = [
        model in used
        and not (until and begins and begins > until)
        and not (since and ends and ends <= since)
        for model, begins, ends in zip(
            listed["model"], listed["effective_from"], listed["effective_until"], strict=True
        )
    ]  # fmt: skip
    return Rows(f"{listed.key}/{filters}", listed.table.filter(mask), listed.notes)


def _switches(page: Page, words: Mapping[str, str]) -> dict[str, str]:
    """What the words on a page's switches choose."""
    chosen = {}
    for name, options in page.choices.items():
        word = words.get(name)
        if word is not None and (options is None or word in options):
            chosen[name] = word if options is None else options[word]
    return chosen


def _figures(tiles: Tiles, source: Source, view: View) -> tuple[Figure, ...]:
    now = together(source, view.filters, *tiles.metrics)
    before = together(source, view.before, *tiles.metrics) if view.before else {}
    return tuple(
        Figure(column, now.get(column), tiles.notes.get(column, ""), before.get(column)) for column in tiles.columns
    )


def together(source: Source, filters: Filters | None, *metrics: str) -> dict[str, Any]:
    """The single rows of several metrics as one mapping; where they share a column, the metric named first has it."""
    answer: dict[str, Any] = {}
    for metric in metrics:
        answer = source.read(metric, filters).first() | answer
    return answer


def _scope(filters: Filters, hides_users: bool) -> tuple[str, ...]:
    said = []
    for name, word in _NARROWED.items():
        values = getattr(filters, name)
        if name == "users" and hides_users and values:
            said.append(f"User: {len(values)} chosen")
        elif values:
            more = f" and {len(values) - MOST_NAMED} more" if len(values) > MOST_NAMED else ""
            said.append(f"{word}: {', '.join(display_name(value) for value in values[:MOST_NAMED])}{more}")
    if hides_users:
        said.append("User names are left out")
    return tuple(said) or ("All calls",)


def _day(when: date | None) -> date | None:
    return when.date() if isinstance(when, datetime) else when
