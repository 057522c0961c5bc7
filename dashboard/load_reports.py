"""What loading a file did, told so that the numbers add up."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any

import streamlit as st

from dashboard import units
from dashboard.names import display_name

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")

Report = Mapping[str, Any]
Load = Callable[[str, IO[bytes], Callable[[int, int], None]], Sequence[Report]]


class Bar:
    """A progress bar for one file, in bytes and lines."""

    def __init__(self, name: str, size: int) -> None:
        self.source_name, self.name, self.size = name, display_name(name, "md"), max(1, size)
        self.bar = st.progress(0.0, f"{self.name}: reading")

    def tell(self, bytes_read: int, lines_read: int) -> None:
        """Move to what has been read so far."""
        share = min(1.0, bytes_read / self.size)
        self.bar.progress(share, f"{self.name}: {units.size(bytes_read)}, {lines_read:,} lines")

    def watch(self, load: Load, file: IO[bytes]) -> Sequence[Report]:
        """The reports of loading a file; an error becomes a report too, so that the other files go on."""
        try:
            return load(self.source_name, file, self.tell)
        except Exception as error:
            return [{"source_name": self.source_name, "error": str(error) or type(error).__name__}]
        finally:
            self.bar.empty()


def draw(report: Report, key: str) -> None:
    """One card per log: what came in, what did not, and why."""
    with st.container(border=True, key=key):
        st.subheader(display_name(report["source_name"], "md"), anchor=False)
        if error := report.get("error"):
            st.error(display_name(error, "md", 300), title="Nothing of this file was taken", icon=":material/error:")
            return
        st.markdown(_sum(report))
        st.caption(" · ".join(_facts(report)))
        for note in report.get("notes") or ():
            st.caption(display_name(note, "md", 300))
        if models := report.get("unpriced_models"):
            names = ", ".join(f"{display_name(each['model'], 'md')} ({each['attempts']:,} attempts)" for each in models)
            st.warning(
                f"No list price for {names}: counted everywhere, missing from every cost.", icon=":material/sell:"
            )
        if refusals := report.get("refusals"):
            st.caption("Refused: " + "; ".join(_refusal(refusal) for refusal in refusals[:5]))
            st.download_button(
                "Refusals with reasons (CSV)",
                refusals_csv(refusals),
                "refusals.csv",
                "text/csv",
                key=f"{key}_refused",
                icon=":material/download:",
                on_click="ignore",
            )


def refusals_csv(refusals: Sequence[Report]) -> str:
    """Reasons for refusal as CSV; a cell that a spreadsheet would run as a formula is quoted as text."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["reason", "records", "first line"])
    for refusal in refusals:
        reason = str(refusal["reason"])
        told = f"'{reason}" if reason.startswith(_STARTS_A_FORMULA) else reason
        writer.writerow([told, refusal["records"], refusal["line"]])
    return out.getvalue()


def _sum(report: Report) -> str:
    return (
        f"**{report['read_records']:,}** records read = **{report['new_attempts']:,}** new "
        f"+ **{report['known_records']:,}** already known + **{report['folded_records']:,}** folded "
        f"+ **{report['refused_records']:,}** refused"
    )


def _refusal(refusal: Report) -> str:
    return f"{display_name(refusal['reason'], 'md', 300)} ({refusal['records']:,}, first on line {refusal['line']:,})"


def _facts(report: Report) -> list[str]:
    facts = [f"{report['lines']:,} lines", units.size(report["bytes"])]
    if report.get("formats"):
        facts.insert(0, ", ".join(display_name(name, "md") for name in report["formats"]))
    if report.get("other_lines"):
        facts.append(f"{report['other_lines']:,} lines that hold no request")
    if report.get("first_started_at") and report.get("last_started_at"):
        facts.append(f"{units.moment(report['first_started_at'])} to {units.moment(report['last_started_at'])}")
    return facts
