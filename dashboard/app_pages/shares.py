"""Shares: what is open to people without an account, how often it was looked at, and how to end it."""

import streamlit as st

from dashboard import share_cards
from dashboard.filter_bar import choose
from dashboard.settings import home
from dashboard.shares import ledger

shares, opened = share_cards.mine(), ledger.opened(home())
now = ledger.utc_now()
live = [of for of in shares if of.state(now) in ("open", "paused")]
ended = [of for of in shares if of not in live]

if not shares:
    with st.container(border=True, key="empty", width=560):
        st.subheader("Nothing is shared", icon=":material/link:", anchor=False)
        st.markdown(
            "A share is a page frozen as it is, behind a link that ends by itself. Whoever has the link needs no "
            "account, sees that page with its files, and nothing else. Open a page and click **Share**."
        )
else:
    show = choose("Show", "show", {"Open": "live", "Ended": "ended", "Log": "log"})
    for share in {"live": live, "ended": ended}.get(show, []):
        share_cards.card(share, opened.get(share.share_id))
    if show == "log":
        share_cards.log(shares)
