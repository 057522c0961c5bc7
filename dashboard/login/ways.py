"""The ways to know who asks: nobody needs to on loopback; else a password, a provider, or the header of a proxy."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Protocol

from dashboard.login import users
from dashboard.login.users import Role, User

COOKIE = "outlay_session"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
LOCAL = User("this machine", Role.ADMIN)


class Refused(ValueError):
    """Settings that a server does not start with. The message says why, and what to do."""


class Way(Protocol):
    """How somebody is known."""

    @property
    def entrance(self) -> str:
        """The path to which whoever is not known is sent; empty where there is nothing they could do there."""

    def who(self, headers: Mapping[str, str], address: str) -> User | None:
        """Who asks, by the headers of the request (names in lower case) and the address it comes from."""


class Loopback:
    """Only this machine can ask, and whoever is on it may do everything."""

    entrance = ""

    def who(self, headers: Mapping[str, str], address: str) -> User | None:
        """The user of this machine."""
        return LOCAL


@dataclass(frozen=True)
class Passwords:
    """A name and a password, once; a cookie from then on."""

    home: Path
    entrance: str = "/login"

    def who(self, headers: Mapping[str, str], address: str) -> User | None:
        """Whose browser this cookie was given to."""
        word = cookies(headers).get(COOKIE)
        return users.logged_in(self.home, word) if word else None


@dataclass(frozen=True)
class Proxy:
    """A reverse proxy that has asked already, and says whom it let in. What others say is nothing."""

    home: Path
    header: str
    addresses: Sequence[str]
    entrance: str = ""

    def who(self, headers: Mapping[str, str], address: str) -> User | None:
        """Whom the proxy names, if they are among the users."""
        try:
            asking = ipaddress.ip_address(address)
        except ValueError:
            return None
        if not any(asking in ipaddress.ip_network(of, strict=False) for of in self.addresses):
            return None
        name = headers.get(self.header.lower(), "")
        return users.find(self.home, name) if name else None


def way_of(
    login: str, home: Path, host: str, url: str, header: str, proxies: Sequence[str], secrets: Path | None = None
) -> Way:
    """The way that the settings of a server ask for. Raises Refused for what would let in strangers, or nobody."""
    is_near = host in LOOPBACK
    if login == "none":
        if is_near and not url:
            return Loopback()
        reached = url or host
        raise Refused(
            f"{reached} is reached from other machines, where anybody could read and change everything: say how people "
            "are known, with --login password, oidc or proxy"
        )
    if not is_near and not url:
        raise Refused(f"say where browsers reach {host}, with --url https://NAME: other names are not answered")
    if login == "oidc":
        from dashboard.login import openid  # it is one of these ways itself

        return openid.read(home, secrets, url)
    if not users.users(home):
        raise Refused("nobody could come in yet: `outlay users add NAME --role admin` lets in the first")
    if login == "password":
        if not any(has_password for _, has_password in users.users(home)):
            raise Refused("no user has a password: `outlay users add NAME --ask-password` gives one")
        return Passwords(home)
    if not header or not proxies:
        raise Refused(
            "name the header that the proxy writes and the address it comes from, with --proxy-header and --proxy: the "
            "header of anybody else counts for nothing"
        )
    for of in proxies:
        try:
            ipaddress.ip_network(of, strict=False)
        except ValueError as error:
            raise Refused(f"--proxy: {error}") from error
    return Proxy(home, header, proxies)


def cookies(headers: Mapping[str, str]) -> dict[str, str]:
    """The cookies of a request."""
    try:
        return {name: of.value for name, of in SimpleCookie(headers.get("cookie", "")).items()}
    except CookieError:
        return {}
