"""Shares on their page: what each holds, how often it was opened, and its end."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Literal

import pyarrow as pa
import streamlit as st

from dashboard import tables, units
from dashboard.login import acting
from dashboard.login.users import Role
from dashboard.names import display_name
from dashboard.rows import Rows
from dashboard.settings import home
from dashboard.shares import ledger, snapshot
from dashboard.shares.ledger import Share

Colour = Literal["green", "orange", "gray", "red"]
COLOURS: dict[str, Colour] = {"open": "green", "paused": "orange", "expired": "gray", "revoked": "red"}


def mine() -> tuple[Share, ...]:
    """The shares that whoever acts has to do with: their own, or everybody's for an admin."""
    by = acting.require(Role.OPERATOR)
    return tuple(of for of in ledger.shares(home()) if by.role.may(Role.ADMIN) or of.made_by == by.name)


def card(share: Share, opened: tuple[int, int, datetime] | None) -> None:
    """One share."""
    state = share.state(ledger.utc_now())
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(state.capitalize(), color=COLOURS[state])
            st.markdown(f"**{display_name(share.name, 'md', snapshot.LONGEST_NAME)}**", width="content")
            st.space("stretch")
            if state in ("open", "paused"):
                word = "Pause" if state == "open" else "Resume"
                st.button(word, key=f"pause_{share.share_id}", on_click=partial(_change, share, state == "open"))
                with st.popover("Revoke"):
                    st.markdown("The link will never open again, and the files are deleted.")
                    st.button(
                        "Revoke", key=f"revoke_{share.share_id}", type="primary", on_click=partial(_revoke, share)
                    )
        st.caption(display_name(_holds(share), "md", 600))
        st.caption(_history(share, opened))


def log(shares: Sequence[Share]) -> None:
    """The audit trail of these shares, the newest first."""
    names = {of.share_id: of.name for of in shares}
    told = [of for of in ledger.log(home()) if of.share_id in names]
    columns = {
        "at": pa.array([of.at.replace(tzinfo=None) for of in told], pa.timestamp("us")),
        "share": [names[of.share_id] for of in told],
        "event": [of.event for of in told],
        "by": [of.by for of in told],
        "detail": [of.detail for of in told],
    }
    tables.draw(Rows(f"shares/{len(told)}", pa.table(columns)), key="share_log", alt="Audit trail")


def _holds(share: Share) -> str:
    filters = share.scope.filters
    said = [
        share.scope.page.capitalize(),
        units.period(filters.since, filters.until) if filters.since and filters.until else "all time",
        *(", ".join(of) for of in (filters.features, filters.models, filters.teams, filters.environments) if of),
        "with names of users" if share.scope.shows_users else "without names of users",
        *(["with a password"] if share.password else []),
        *([] if share.refresh == "never" else [f"rendered anew {share.refresh}"]),
    ]
    return " · ".join(said)


def _history(share: Share, opened: tuple[int, int, datetime] | None) -> str:
    times, files, last = opened or (0, 0, None)
    said = f"Opened {times:,} time{'' if times == 1 else 's'}"
    if last:
        said += f", last on {units.moment(last)}; {files:,} file{'' if files == 1 else 's'} taken"
    return (
        f"{said}. As of {units.moment(share.rendered_at)}, ends on {units.moment(share.expires_at)}. "
        f"Made by {display_name(share.made_by, 'md')}."
    )


def _change(share: Share, pauses: bool) -> None:
    ledger.change(home(), share.share_id, "paused" if pauses else "resumed", acting.require(Role.OPERATOR).name)


def _revoke(share: Share) -> None:
    snapshot.revoke(home(), share.share_id, acting.require(Role.OPERATOR).name)
