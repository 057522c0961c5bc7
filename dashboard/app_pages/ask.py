"""Ask: a question answered by SQL, a change explained, the monthly note. Optional; nothing is sent unseen."""

import streamlit as st

from dashboard import data
from dashboard.ask import view as ask_view

JOBS = {"Question": ask_view.question, "Explain a change": ask_view.change, "Monthly note": ask_view.note}

st.caption(
    "Claude writes SQL for a question, or puts figures into words. What would be sent is shown first: column names and "
    "aggregated figures; names, and the rows of an answer, only where you say so. Everything else works without this."
)
if data.span() is None:
    with st.container(border=True, key="empty", width=560):
        st.subheader("No calls yet", icon=":material/inbox:", anchor=False)
        st.markdown("There is nothing to ask about so far.")
        st.page_link("app_pages/upload.py", label="Upload logs", icon=":material/upload_file:")
    st.stop()

job = st.segmented_control(
    "What to do", list(JOBS), default="Question", required=True, key="job", bind="query-params",
    label_visibility="collapsed",
)  # fmt: skip
JOBS[job]()
