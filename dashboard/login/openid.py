"""Login with a provider of OpenID Connect, through Streamlit's own routes: who they say came in, and as what.

Streamlit asks the provider, checks what it answers and keeps that in a signed cookie. Here the cookie is read for every
request, not only for pages, and a login that was ended is known to have ended.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dashboard.login import users
from dashboard.login.users import Role, User
from dashboard.login.ways import LOOPBACK, Refused, cookies

COOKIE = "_streamlit_user"
CALLBACK = "/oauth2callback"
SHORTEST_COOKIE_SECRET = 32
_NEEDED = ("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url")


@dataclass(frozen=True)
class OpenId:
    """A provider tells who somebody is. A role comes from the list of users, else from a claim such as `groups`."""

    home: Path
    secrets: Path  # Streamlit reads what is secret there; nothing of it is kept here
    origin: str
    name_claim: str = "email"
    roles_claim: str = "groups"
    roles: Mapping[str, Role] | None = None
    entrance: str = "/login"

    def who(self, headers: Mapping[str, str], address: str) -> User | None:
        """Whom the cookie of a login names, if they have a role and their login has not ended."""
        name, role = self.told(headers)
        return User(name, role) if role else None

    def told(self, headers: Mapping[str, str]) -> tuple[str, Role | None]:
        """The name of whoever is logged in with the provider ('' for nobody), and their role here."""
        word = self.word(headers)
        if not word or users.is_ended(self.home, word):
            return "", None
        claims = json.loads(word)
        if claims.get("origin") != self.origin or not claims.get("is_logged_in"):
            return "", None
        name = claims.get(self.name_claim)
        # Some providers let anybody write any address into their profile: one that nobody has checked is nobody's.
        if not isinstance(name, str) or (self.name_claim == "email" and claims.get("email_verified") is not True):
            name = ""
        listed = users.find(self.home, name) if name else None
        return name or "somebody", listed.role if listed else self._role(claims.get(self.roles_claim))

    def word(self, headers: Mapping[str, str]) -> str:
        """What a login is known by: its claims, as Streamlit signed them; '' without one that still holds."""
        from streamlit.auth_util import get_cookie_with_chunks, get_signing_secret
        from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value

        said, days = cookies(headers), users.LOGGED_IN_FOR / timedelta(days=1)

        def part(name: str) -> bytes | None:
            return decode_signed_value(get_signing_secret(), name, said.get(name, ""), days)

        return (get_cookie_with_chunks(part, COOKIE) or b"").decode()

    def _role(self, groups: Any) -> Role | None:
        named = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
        held = {(self.roles or {})[of] for of in named if isinstance(of, str) and of in (self.roles or {})}
        return max(held, key=list(Role).index, default=None)


def start_address() -> str:
    """Where a login with the provider begins; good for two minutes."""
    from streamlit.user_info import generate_login_redirect_url

    return generate_login_redirect_url("default")


def read(home: Path, secrets: Path | None, url: str) -> OpenId:
    """The way that a file of secrets describes: [auth] as Streamlit has it, and [roles]. Raises Refused.

    url: where browsers reach the server; empty on this machine alone. No message holds anything that is secret.
    """
    if not find_spec("authlib"):
        raise Refused("--login oidc needs the extra oidc: pip install 'outlay[oidc]'")
    if secrets is None:
        raise Refused("name the file with [auth] in it, with --secrets: see README, Others on the network")
    try:
        told = tomllib.loads(secrets.read_text(encoding="utf-8"))
    except OSError as error:
        raise Refused(f"{secrets} cannot be read ({error.strerror})") from error
    except ValueError as error:  # its message would quote the file
        where = str(error).rpartition("(at ")[2].rstrip(")") if "(at " in str(error) else "somewhere"
        raise Refused(f"{secrets} is not TOML, at {where}") from None
    auth = told.get("auth", {})
    if missing := [name for name in _NEEDED if not isinstance(auth, dict) or not isinstance(auth.get(name), str)]:
        raise Refused(f"{secrets} lacks {', '.join(missing)} in [auth]")
    _check(auth, secrets, url)
    return OpenId(home, secrets, *_rules(told.get("roles", {}), secrets, home, auth["redirect_uri"]))


def _check(auth: Mapping[str, str], secrets: Path, url: str) -> None:
    if len(auth["cookie_secret"]) < SHORTEST_COOKIE_SECRET:
        raise Refused(
            f"{secrets}: cookie_secret has fewer than {SHORTEST_COOKIE_SECRET} characters, and whoever guesses it is "
            "anybody; `openssl rand -hex 32` makes a good one"
        )
    if not auth["client_id"] or not auth["client_secret"]:
        raise Refused(f"{secrets}: client_id and client_secret are what the provider gave you; one is empty")
    for name in ("redirect_uri", "server_metadata_url"):
        parts = urlsplit(auth[name])
        if parts.scheme != "https" and (parts.scheme != "http" or parts.hostname not in LOOPBACK):
            raise Refused(f"{secrets}: {name} has to begin with https://, or others on the way could read along")
    to = auth["redirect_uri"]
    if url and to != url.rstrip("/") + CALLBACK:
        raise Refused(f"{secrets}: redirect_uri has to be {url.rstrip('/')}{CALLBACK}, as --url says; it is {to}")
    if not url and (urlsplit(to).hostname not in LOOPBACK or urlsplit(to).path != CALLBACK):
        raise Refused(f"{secrets}: redirect_uri is {to}, elsewhere: say so with --url too")


def _rules(roles: Any, secrets: Path, home: Path, redirect_uri: str) -> tuple[str, str, str, dict[str, Role]]:
    if not isinstance(roles, dict) or (strange := set(roles) - {"name_claim", "claim", *Role}):
        named = f" {sorted(strange)[0]!r} is none of them" if isinstance(roles, dict) else ""
        raise Refused(f"{secrets}: [roles] takes name_claim, claim, {', '.join(Role)}.{named}")
    by_group: dict[str, Role] = {}
    for role in Role:  # who is in two groups has the role of the higher, which is asked last
        groups = roles.get(role, [])
        if not isinstance(groups, list) or not all(isinstance(group, str) and group for group in groups):
            raise Refused(f'{secrets}: {role} in [roles] is a list of groups, such as ["finance"]')
        by_group |= dict.fromkeys(groups, role)
    if not by_group and not users.users(home):
        raise Refused("nobody could come in yet: `outlay users add ana@example.com --role admin`, or [roles] by group")
    claims = (roles.get("name_claim", "email"), roles.get("claim", "groups"))
    if not all(isinstance(claim, str) and claim for claim in claims):
        raise Refused(f'{secrets}: name_claim and claim in [roles] are names of claims, such as "groups"')
    parts = urlsplit(redirect_uri)
    return f"{parts.scheme}://{parts.netloc}", *claims, by_group
