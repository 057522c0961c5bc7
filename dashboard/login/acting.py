"""Who acts in this moment: the reader of a page, or the machine itself (commands, and what the server does unasked).

What changes anything asks `require` first, so that no page can forget to.
"""

from collections.abc import Callable

from dashboard.login.users import Role, User
from dashboard.login.ways import LOCAL

_reader: Callable[[], User | None] | None = None


class NotAllowed(PermissionError):
    """Somebody's role does not reach so far. The message says whom to ask."""


def serve_from(reader: Callable[[], User | None]) -> None:
    """From now on this tells who acts; None is somebody who may no longer do anything."""
    global _reader
    _reader = reader


def who() -> User | None:
    """Who acts; None for somebody whose login has ended."""
    return _reader() if _reader else LOCAL


def may(role: Role) -> bool:
    """Does whoever acts have this role?"""
    user = who()
    return user is not None and user.role.may(role)


def require(role: Role) -> User:
    """Who acts. Raises NotAllowed unless they have this role."""
    user = who()
    if user is None or not user.role.may(role):
        raise NotAllowed(f"this takes the role {role.value}; an admin can give it to you with `outlay users`")
    return user
