"""The guided mapping: for a file that no format knows, a person says what its columns mean and sees what would be read.

Values are shown masked: numbers, times and names of models as they are, of anything else the letters are x.
"""

from typing import Any

import pandas as pd
import streamlit as st

from dashboard import units
from dashboard.names import display_name
from dashboard.uploads import Job, Unknown, UploadRefused, Uploads
from ingest.mapping import FIELDS, BadMapping, Mapping, suggest

FIRST = (
    "started_at",
    "model_raw",
    "uncached_input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "feature",
    "user_id",
    "latency_ms",
)
LABELS = {
    "started_at": "Time",
    "model_raw": "Model",
    "uncached_input_tokens": "Input tokens",
    "latency_ms": "Latency",
    "ttft_ms": "Time to first token",
    "cost_reported_usd": "Cost the file reports",
    "request_id": "Request id",
    "message_id": "Message id",
    "event_id": "Row id",
}
PREVIEWED = ("started_at", "model_raw", "uncached_input_tokens", "cache_read_tokens", "output_tokens", "feature")


def draw(sent: Uploads) -> None:
    """Draw the form for the job that is being mapped, if there is one and its file is still kept."""
    job_id = st.session_state.get("mapped_job")
    if not job_id:
        return
    try:
        job = sent.job(job_id)
        samples = sent.samples(job)
    except Unknown:
        del st.session_state["mapped_job"]
        return
    except UploadRefused as error:
        del st.session_state["mapped_job"]
        st.error(display_name(error, "md", 300), icon=":material/error:")
        return
    with st.container(border=True, key="mapping"):
        st.subheader(f"Columns of {display_name(job.name, 'md')}", anchor=False)
        if samples:
            _form(sent, job, samples)
        else:
            st.markdown("Its records are neither rows of a table nor JSON objects, so there are no columns to choose.")
            st.button("Close", key="close_mapping", on_click=_close)


def _form(sent: Uploads, job: Job, samples: dict[str, list[str]]) -> None:
    st.caption("These are its columns and their first values; words are masked.")
    seen = pd.DataFrame({"Column": [display_name(column) for column in samples],
                         "First values": [display_name(", ".join(values)) for values in samples.values()]})  # fmt: skip
    st.dataframe(seen, hide_index=True, height=min(38 + 35 * len(seen), 260), alt="Columns and their first values")
    said = _chosen(samples)
    outcome = st.container()
    name_column, save_column, close_column = st.columns([3, 1, 1], vertical_alignment="bottom")
    name = name_column.text_input(
        "Save as", "my-mapping", help="Files with the same columns are then read with it by themselves."
    )
    mapping, readable = None, 0
    with outcome:
        try:
            mapping = Mapping(name, **said)
            preview = sent.preview(job, mapping)
            readable = len(preview.attempts)
            _show(preview.attempts, [refusal.reason for refusal in preview.refusals])
        except (BadMapping, UploadRefused) as error:
            st.info(display_name(error, "md", 300), icon=":material/rule:")
    if save_column.button("Load", type="primary", disabled=not readable, width="stretch") and mapping:
        sent.load_mapped(job, mapping)
        _close()
        st.rerun()
    close_column.button("Close", key="close_mapping", on_click=_close, width="stretch")


def _chosen(samples: dict[str, list[str]]) -> dict[str, Any]:
    """What a person has chosen so far, as what `Mapping` takes beside its name."""
    guess = suggest(samples)
    columns: dict[str, str] = {}
    first = st.container()
    more = st.expander("More fields and units", icon=":material/add:")
    for place, names in ((first, FIRST), (more, tuple(name for name in FIELDS if name not in FIRST))):
        for number, name in enumerate(names):
            if number % 3 == 0:
                cells = place.columns(3)
            known = guess["columns"].get(name)
            column = cells[number % 3].selectbox(
                LABELS.get(name) or units.label(name),
                list(samples),
                index=list(samples).index(known) if known else None,
                format_func=display_name,
                placeholder="no column",
                help=FIELDS[name],
                key=f"map_{name}",
            )
            if column:
                columns[name] = column
    includes = first.toggle(
        "Input tokens include cache reads and writes",
        help="OpenTelemetry and most gateways count them in; Anthropic's own usage does not.",
    )
    with more:
        latency, cost, time = st.columns(3)
    return {
        "columns": columns,
        "input_includes_cache": includes,
        "latency_unit": latency.selectbox("Latency is in", ["ms", "s"], int(guess.get("latency_unit") == "s")),
        "cost_unit": cost.selectbox("Cost is in", ["usd", "cents"], int(guess.get("cost_unit") == "cents")),
        "time_format": time.text_input(
            "Times are written like",
            placeholder="%d/%m/%Y %H:%M",
            help="Only for times that are not ISO 8601 or epochs.",
        )
        or None,
    }


def _show(attempts: list[dict[str, Any]], reasons: list[str]) -> None:
    """The first records as they would be read, and why some would not."""
    st.caption(f"Of the first {len(attempts) + len(reasons)} records, {len(attempts)} can be read.")
    names = [name for name in PREVIEWED if any(name in row for row in attempts)]
    if attempts:
        rows = [[display_name(row.get(name)) for name in names] for row in attempts[:5]]
        labels = [LABELS.get(name) or units.label(name) for name in names]
        st.dataframe(pd.DataFrame(rows, columns=labels), hide_index=True, alt="What would be read")
    for reason in dict.fromkeys(reasons):
        st.caption(f"Refused: {display_name(reason, 'md', 300)} ({reasons.count(reason)})")


def _close() -> None:
    st.session_state.pop("mapped_job", None)
