"""The menu that takes the current view away: written when it is asked for, from what is on the screen."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from dashboard import data
from dashboard.filter_bar import View
from dashboard.reports import as_pdf, as_xlsx, bundle
from dashboard.reports.build import PAGES, report_of
from dashboard.reports.report import Report

PICTURES = {"PNG": "png", "SVG": "svg"}

# Label, what a click writes, the end of the file's name, its media type.
FORMS: tuple[tuple[str, Callable[[Report], bytes], str, str], ...] = (
    ("Workbook (XLSX)", as_xlsx.written, "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("One page (PDF)", as_pdf.written, "pdf", "application/pdf"),
    ("Tables as CSV (zip)", partial(bundle.written, form="csv"), "csv.zip", "application/zip"),
    ("Tables as Parquet (zip)", partial(bundle.written, form="parquet"), "parquet.zip", "application/zip"),
)


def draw(page: str, view: View) -> None:
    """The menu of a page; nothing for a page without a report."""
    if page not in PAGES:
        return
    ask = partial(
        report_of,
        page,
        view.filters,
        data.reader(),
        chosen=switches(page),
        compare=view.before is not None,
    )
    with st.popover("Export", icon=":material/download:"):
        for label, write, ending, media_type in FORMS:
            st.download_button(
                label,
                partial(_written, write, ask),
                bundle.file_name(page, view.filters.since, view.filters.until, ending),
                media_type,
                key=f"export_{ending}",
                on_click="ignore",
                width="stretch",
            )
        st.segmented_control(
            "Pictures of charts",
            list(PICTURES),
            default="PNG",
            required=True,
            key="picture",
            help="Point at a chart and click the camera to save it.",
        )


def switches(page: str) -> dict[str, str]:
    """What the switches of a page say, by their names in the address."""
    said = {name: _word(st.session_state.get(name)) for name in PAGES[page].choices}
    return {name: word for name, word in said.items() if word}


def picture() -> str:
    """The form in which the camera of a chart saves it."""
    return PICTURES[st.session_state.get("picture") or "PNG"]


def _written(write: Callable[[Report], bytes], ask: Callable[[], Report]) -> bytes:
    return write(ask())


def _word(said: object) -> str:
    """What a switch says; a range of days as its first and last."""
    if isinstance(said, tuple | list):
        return " ".join(str(day) for day in said)
    return str(said or "")
