"""The line under every page that says how far the numbers can be trusted."""

import streamlit as st

from dashboard import data, trust
from dashboard.filter_bar import View


def draw(view: View) -> None:
    """Data through when, loads, refused lines, unpriced attempts, unattributed share, price list and zone."""
    st.caption(" · ".join(trust.sentences(data, view)))
