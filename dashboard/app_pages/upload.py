"""Upload: log files from this browser, with progress and the arithmetic of each."""

import streamlit as st

from dashboard import load_reports, uploads

st.caption(
    "Application logs, Messages API responses and Claude Code transcripts, as .jsonl, .json, .log or .csv, "
    "also inside .gz, .zst or .zip. Prompts and answers are never stored. Loading a file again changes nothing."
)
with st.form("upload", clear_on_submit=True):
    files = st.file_uploader("Log files", accept_multiple_files=True, label_visibility="collapsed")
    pressed = st.form_submit_button("Load files", type="primary", icon=":material/upload_file:")

reports = st.session_state.setdefault("load_reports", [])
if pressed and not files:
    st.info("Choose one or more files first.", icon=":material/info:")
for file in files if pressed else ():
    bar = load_reports.Bar(file.name, file.size)
    reports[:0] = bar.watch(uploads.load_file, file)

for number, report in enumerate(reports):
    load_reports.draw(report, key=f"report_{len(reports) - number}")
if reports:
    st.page_link("app_pages/overview.py", label="See the overview", icon=":material/dashboard:")
else:
    st.caption("Large files and folders load faster from a terminal:")
    st.code("outlay ingest PATH", language=None)
