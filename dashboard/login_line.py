"""The line in the sidebar that says who is logged in; nothing where nobody needs to be."""

import streamlit as st

from dashboard.login import openid, ways
from dashboard.login.users import User
from dashboard.names import display_name


def draw(reader: User) -> None:
    """Name, role, and the way out."""
    if reader == ways.LOCAL:
        return
    with st.sidebar.container(key="login_line", gap="small"):
        st.caption(f"{display_name(reader.name, 'md')}, {reader.role}")
        if {ways.COOKIE, openid.COOKIE} & set(st.context.cookies):
            st.link_button("Log out", "/logout", icon=":material/logout:", type="tertiary")
