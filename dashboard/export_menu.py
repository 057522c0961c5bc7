"""The menu that takes the current view away: each file is written when it is asked for, from what is on the screen."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import streamlit as st

from dashboard import data
from dashboard.alerts import rules_file
from dashboard.alerts.parsing import RulesRefused
from dashboard.filter_bar import View
from dashboard.reports import as_focus, as_pdf, as_xlsx, bundle
from dashboard.reports.build import PAGES, report_of
from dashboard.reports.delivery import letterhead
from dashboard.reports.report import Letterhead, Report
from dashboard.settings import home

PICTURES = {"PNG": "png", "SVG": "svg"}
# Pages about money also offer what finance books.
ABOUT_MONEY = ("overview", "spend", "compare", "chargeback", "reconciliation")


class Entry(NamedTuple):
    """A line of the menu: what a click writes, how the file's name begins and ends, its media type."""

    label: str
    write: Callable[[], str | bytes]
    subject: str
    ending: str
    media_type: str
    help: str | None = None


def draw(page: str, view: View) -> None:
    """The menu of a page; nothing for a page without a report."""
    if page not in PAGES:
        return
    with st.popover("Export", icon=":material/download:"):
        for entry in _entries(page, view):
            st.download_button(
                entry.label,
                entry.write,
                bundle.file_name(entry.subject, view.filters.since, view.filters.until, entry.ending),
                entry.media_type,
                key=f"export_{entry.subject}_{entry.ending}",
                on_click="ignore",
                width="stretch",
                help=entry.help,
            )
        st.segmented_control(
            "Pictures of charts",
            list(PICTURES),
            default="PNG",
            required=True,
            key="picture",
            help="Point at a chart and click the camera to save it.",
        )


def picture() -> str:
    """The form in which the camera of a chart saves it."""
    return PICTURES[st.session_state.get("picture") or "PNG"]


def switches(page: str) -> dict[str, str]:
    """What the switches of a page say, by their names in the address."""
    said = {name: _word(st.session_state.get(name)) for name in PAGES[page].choices}
    return {name: word for name, word in said.items() if word}


def _entries(page: str, view: View) -> Iterator[Entry]:
    read = data.reader()
    ask = partial(report_of, page, view.filters, read, chosen=switches(page), compare=view.before is not None)
    sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    yield Entry("Workbook (XLSX)", lambda: as_xlsx.written(ask()), page, "xlsx", sheet)
    yield Entry("One page (PDF)", partial(_paper, ask), page, "pdf", "application/pdf")
    yield Entry("Tables as CSV (zip)", lambda: bundle.written(ask(), "csv"), page, "csv.zip", "application/zip")
    yield Entry(
        "Tables as Parquet (zip)", lambda: bundle.written(ask(), "parquet"), page, "parquet.zip", "application/zip"
    )
    if page not in ABOUT_MONEY:
        return
    said = "Totals of the period by feature and team, what changed and why."
    statement = partial(report_of, "statement", view.filters, read)
    yield Entry("Statement (PDF)", partial(_paper, statement), "statement", "pdf", "application/pdf", said)
    unpriced = data.read("totals", view.filters).first()["unpriced_attempts"]
    left_out = f", {unpriced:,} unpriced attempts left out" if unpriced else ""
    yield Entry(
        f"FinOps FOCUS 1.2 (CSV){left_out}",
        lambda: as_focus.as_csv(read(as_focus.VIEW, view.filters)),
        "focus",
        "csv",
        "text/csv",
        "Charges by UTC day, feature, team and token class. Attempts without a price are not in it.",
    )


def _paper(ask: Callable[[], Report]) -> bytes:
    """A report on paper, under the letterhead of the rules file; under none while that file has a mistake in it."""
    file = rules_file.path(home())
    try:
        head = letterhead(rules_file.read(file), file.parent)
    except (RulesRefused, OSError):
        head = Letterhead()
    return as_pdf.written(ask(), head)


def _word(said: object) -> str:
    """What a switch says; a range of days as its first and last."""
    if isinstance(said, tuple | list):
        return " ".join(str(day) for day in said)
    return str(said or "")
