"""A small provider of OpenID Connect on loopback: discovery, authorize, token, keys, end of session; real signatures.

Whoever comes to `authorize` is the person that `people` has next, and what is wrong with the answer is `fault`.
"""

import base64
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT_ID, CLIENT_SECRET = "outlay-test", "CANARY-client-secret-4711"


@dataclass
class Provider:
    """What it is asked, who is there to log in, and how it misbehaves."""

    issuer: str
    person: dict[str, Any] = field(default_factory=dict)
    fault: str = ""
    logouts: list[dict[str, str]] = field(default_factory=list)
    _key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    _asked: dict[str, dict[str, str]] = field(default_factory=dict)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._discovery),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/keys", self._keys),
                Route("/end", self._end),
            ]
        )

    async def _discovery(self, request: Request) -> Response:
        told = {
            "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys",
            "end_session_endpoint": f"{self.issuer}/end", "response_types_supported": ["code"],
            "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }  # fmt: skip
        return JSONResponse(told)

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        if self.fault == "denied":
            answer = {"error": "access_denied", "state": asked["state"]}
        else:
            code = secrets.token_urlsafe(16)
            self._asked[code] = asked
            answer = {"code": code, "state": "not-what-was-asked" if self.fault == "state" else asked["state"]}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}", 302)

    async def _token(self, request: Request) -> Response:
        form = dict(await request.form())
        asked = self._asked.pop(str(form["code"]))
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        assert request.headers["authorization"] == f"Basic {basic}" and form["code_verifier"]
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": "another-app" if self.fault == "audience" else CLIENT_ID, "iat": now,
            "exp": now - 3600 if self.fault == "expired" else now + 300, "sub": "4711",
            "nonce": "another" if self.fault == "nonce" else asked["nonce"], **self.person,
        }  # fmt: skip
        key = RSAKey.generate_key(2048, {"kid": "one"}) if self.fault == "signature" else self._key
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, key)
        return JSONResponse({"access_token": "CANARY-access", "token_type": "Bearer", "id_token": token})

    async def _keys(self, request: Request) -> Response:
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})

    async def _end(self, request: Request) -> Response:
        self.logouts.append(dict(request.query_params))
        return RedirectResponse(request.query_params["post_logout_redirect_uri"], 302)
