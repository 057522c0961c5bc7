"""Upload: log files from this browser, each with its progress and its arithmetic."""

import zoneinfo

import streamlit as st

from dashboard import column_mapping, upload_zone, uploads

sent = uploads.serving()
st.caption(
    "Outlay tells the format by itself: application logs, API responses and batches, Claude Code, OpenTelemetry, "
    "exports of gateways and clouds, tables; and reports of the bill. Prompts and answers are never stored, and a file "
    "is deleted as soon as it has been read. Loading a file again changes nothing."
)
if sent is None:
    st.info("Files can be dropped here when the dashboard is opened with `outlay serve`.", icon=":material/info:")
    st.stop()

with st.expander("How to read what files leave out", icon=":material/tune:"):
    zone_column, day_column, ids_column = st.columns(3)
    zone = zone_column.selectbox(
        "Times without a zone are in",
        sorted(zoneinfo.available_timezones()),
        index=sorted(zoneinfo.available_timezones()).index("UTC"),
        help="For times like 2026-11-20 14:03 that name no zone. Others are read as they are.",
    )
    day = day_column.date_input(
        "Records without any time are from", None, help="Without a day given here, such records are refused."
    )
    user_ids = ids_column.selectbox(
        "User ids that look like a person",
        uploads.USER_IDS,
        index=1,
        format_func=str.capitalize,
        help="E-mail addresses, telephone numbers and names. A pseudonym is the same in every load.",
    )
    st.caption("This holds for files that are dropped from now on.")

chosen = upload_zone.draw(
    sent.token, {"zone": zone, "default_date": day.isoformat() if day else None, "user_ids": user_ids}
)
if chosen:
    st.session_state["mapped_job"] = chosen
column_mapping.draw(sent)
st.page_link("app_pages/overview.py", label="See the overview", icon=":material/dashboard:")
st.caption("A file can also be loaded from a terminal, and a whole folder with it: `outlay ingest PATH`")
