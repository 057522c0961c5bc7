"""Settings of a provider that would let in strangers, or nobody, start no server; and a login does not last."""

import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from itsdangerous import URLSafeTimedSerializer
from itsdangerous.timed import TimestampSigner

from dashboard.cli import main
from dashboard.login import users
from dashboard.login.openid import COOKIE, OpenId, read
from dashboard.login.users import Role, User
from dashboard.login.ways import Refused, way_of

URL = "https://outlay.example.com"
AUTH = {
    "redirect_uri": f"{URL}/oauth2callback", "cookie_secret": "c" * 32, "client_id": "outlay",
    "client_secret": "CANARY-secret", "server_metadata_url": "https://login.example.com/.well-known/openid-configuration",
}  # fmt: skip
ROLES = '[roles]\nviewer = ["finance"]\n'


def written(folder: Path, roles: str = ROLES, **changed: str | None) -> Path:
    told = {name: value for name, value in (AUTH | changed).items() if value is not None}
    path = folder / "secrets.toml"
    path.write_text("[auth]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in told.items()) + roles)
    return path


def test_a_provider_is_a_login_for_others(tmp_path: Path) -> None:
    way = way_of("oidc", tmp_path, "0.0.0.0", URL, "", (), written(tmp_path))
    assert isinstance(way, OpenId) and way.origin == URL and way.roles == {"finance": Role.VIEWER}
    near = written(tmp_path, redirect_uri="http://127.0.0.1:8484/oauth2callback")
    assert isinstance(way_of("oidc", tmp_path, "127.0.0.1", "", "", (), near), OpenId)
    with pytest.raises(Refused, match="say where browsers reach"):
        way_of("oidc", tmp_path, "0.0.0.0", "", "", (), near)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"client_secret": None, "client_id": None}, "lacks client_id, client_secret in"),
        ({"client_secret": ""}, "one is empty"),
        ({"cookie_secret": "c" * 31}, "openssl rand -hex 32"),
        ({"redirect_uri": "https://elsewhere.example.com/oauth2callback"}, f"has to be {URL}/oauth2callback"),
        ({"redirect_uri": f"{URL}/callback"}, f"has to be {URL}/oauth2callback"),
        ({"redirect_uri": "http://outlay.example.com/oauth2callback"}, "redirect_uri has to begin with https://"),
        ({"server_metadata_url": "http://login.example.com/x"}, "server_metadata_url has to begin with https://"),
        ({"roles": ""}, "nobody could come in yet"),
        ({"roles": '[roles]\nowner = ["finance"]'}, "'owner' is none of them"),
        ({"roles": '[roles]\nviewer = "finance"'}, "viewer in .roles. is a list of groups"),
        ({"roles": '[roles]\nclaim = 1\nviewer = ["finance"]'}, "are names of claims"),
        ({"roles": "[[roles]]"}, "takes name_claim"),
        ({"roles": "x = CANARY-secret"}, r"is not TOML, at line 7, column \d+"),
    ],
)
def test_what_cannot_work_does_not_start(tmp_path: Path, changed: dict[str, str | None], said: str) -> None:
    roles = changed.pop("roles", ROLES) or ""
    with pytest.raises(Refused, match=said) as refused:
        read(tmp_path / "home", written(tmp_path, roles, **changed), URL)
    assert "CANARY" not in str(refused.value) and "c" * 31 not in str(refused.value)


def test_the_command_says_what_is_missing(tmp_path: Path) -> None:
    for options, said in (((), "with --secrets"), (("--secrets", str(tmp_path / "no.toml")), "No such file")):
        told = CliRunner().invoke(main, ["--home", str(tmp_path), "serve", "--login", "oidc", "--url", URL, *options])
        assert told.exit_code == 2 and said in told.output


def test_a_login_ends_after_twelve_hours_and_who_is_listed_goes_by_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    way = OpenId(tmp_path, tmp_path / "x", URL, roles={"finance": Role.VIEWER, "ops": Role.ADMIN})
    monkeypatch.setattr("streamlit.auth_util.get_signing_secret", lambda: "c" * 32)

    def known(age_seconds: float = 0, **told: object) -> User | None:
        class Earlier(TimestampSigner):
            def get_timestamp(self) -> int:
                return int(time.time() - age_seconds)

        claims = {"email": "Ana@example.com", "email_verified": True, "origin": URL, "is_logged_in": True} | told
        signed = URLSafeTimedSerializer("c" * 32, salt=COOKIE, signer=Earlier).dumps(json.dumps(claims))
        return way.who({"cookie": f"{COOKIE}={signed}"}, "")

    assert known() is None
    assert known(groups="finance") == User("Ana@example.com", Role.VIEWER)
    assert known(groups=["ops", "finance"]) == User("Ana@example.com", Role.ADMIN)
    assert known(groups="ops", origin="https://elsewhere.example.com") is None
    assert known(groups="ops", is_logged_in=False) is None
    users.put(tmp_path, "ana@example.com", Role.OPERATOR)
    assert known(groups="ops") == User("Ana@example.com", Role.OPERATOR)
    assert known(11.9 * 3600) and known(12.1 * 3600) is None
