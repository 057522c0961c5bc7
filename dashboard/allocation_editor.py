"""The allocation file on the page: its text, checked before it is saved; and how to begin one."""

from datetime import date

import streamlit as st

from dashboard import data
from dashboard.alerts import rules_file
from dashboard.alerts.parsing import RulesRefused
from dashboard.allocation import file
from dashboard.allocation.rules import Allocation
from dashboard.names import display_name

SYNTAX = """
A version holds from its day on. Each of its rules names what is shared by `team`, `feature` or `model`, and a `way`:

- `"share"`: by each one's own spend. `to = ["search", "chat"]` names who pays; without it everybody with spend.
- `"even"`: in equal parts, among the same.
- `"fixed"`: by `percent = { search = 60, chat = 40 }`, 100 together.

What two rules name goes by the first. `(unattributed)` is a name like any other: without a rule for it, it stays.
"""


def draw(allocation: Allocation) -> None:
    """The editor; open where there are no rules yet."""
    with st.expander("Rules for shared spend", icon=":material/edit_document:", expanded=not allocation.versions):
        st.markdown(SYNTAX)
        home = data.home()
        try:
            said = file.text(home)
        except (OSError, UnicodeDecodeError) as error:
            st.error(display_name(error, "md", 300))
            return
        version = rules_file.version(said)
        shown = said if allocation.versions or not file.is_beginning(said) else said + file.example(date.today())
        text = st.text_area("allocation.toml", shown, height=300, key=f"allocation_{version}")
        st.caption(f"{display_name(file.path(home), 'md', 300)} · comments stay; keep it under version control.")
        with st.container(horizontal=True):
            is_saved = st.button("Check and save", type="primary", key="allocation_save")
            is_checked = st.button("Check", key="allocation_check")
        if not (is_saved or is_checked):
            return
        try:
            told = file.parse(text)
            if is_saved:
                file.write(home, text, version)
        except (RulesRefused, rules_file.NotWritten) as error:
            st.error("Not saved:")
            st.code(str(error), language=None, wrap_lines=True)
            return
        if is_saved:
            st.toast("Saved.", icon=":material/check:")
            st.rerun()
        count = sum(len(version.rules) for version in told.versions)
        st.success(f"This is a sound file: {len(told.versions)} versions, {count} rules.")
