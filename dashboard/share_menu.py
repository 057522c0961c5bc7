"""The menu that freezes the current view and makes a link to it."""

from urllib.parse import urlsplit

import streamlit as st

from dashboard import data, export_menu
from dashboard.filter_bar import View
from dashboard.login import acting
from dashboard.login.users import Role
from dashboard.passwords import SHORTEST, TooShort
from dashboard.reports.build import PAGES, NothingToReport
from dashboard.settings import home
from dashboard.shares import ledger, snapshot
from dashboard.shares.ledger import Refresh, Scope

REFRESHES = {"Never": Refresh.NEVER, "Every day": Refresh.DAILY, "Every week": Refresh.WEEKLY}


def draw(page: str, title: str, view: View) -> None:
    """The menu of a page; nothing for a page without a report, and for those who may not share."""
    if page not in PAGES or not acting.may(Role.OPERATOR):
        return
    with st.popover("Share", icon=":material/link:"), st.form("share", border=False, enter_to_submit=False):
        name = st.text_input("Name", f"{title}, {view.period}", max_chars=snapshot.LONGEST_NAME, key="share_name")
        st.caption("Frozen as it is now: this page, its period and its filters, as a page, XLSX, PDF and CSV.")
        shows_users = st.checkbox("Show names of users", key="share_users")
        days = st.number_input("Ends after, days", 1, ledger.MOST_DAYS, ledger.DEFAULT_DAYS, key="share_days")
        password = st.text_input(
            "Password, if it needs one", type="password", key="share_password", help=f"At least {SHORTEST} characters."
        )
        refresh = st.selectbox(
            "Render anew",
            list(REFRESHES),
            key="share_refresh",
            help="The same days and filters, with what was logged late or priced anew.",
        )
        if st.form_submit_button("Make a link", type="primary", width="stretch"):
            scope = Scope(page, view.filters, export_menu.switches(page), view.before is not None, shows_users)
            _make(scope, name, int(days), password, REFRESHES[refresh])


def _make(scope: Scope, name: str, days: int, password: str, refresh: Refresh) -> None:
    try:
        with st.spinner("Freezing …"):
            share, token = snapshot.make(
                home(), data.reader(), scope, name=name, by=acting.require(Role.OPERATOR).name, days=days,
                password=password, refresh=refresh,
            )  # fmt: skip
    except (snapshot.ShareRefused, TooShort, NothingToReport) as error:
        st.error(f"Not shared: {error}.")
        return
    here = urlsplit(st.context.url or "")
    st.code(f"{here.scheme}://{here.netloc}/s/{token}", language=None, wrap_lines=True)
    st.caption(f"Copy it now: it is shown this once. It opens until {share.expires_at:%d %b %Y}; see Shares.")
