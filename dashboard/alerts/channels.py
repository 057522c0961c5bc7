"""Sending one message over one channel. Addresses and secrets come from the environment and go nowhere else.

A webhook is signed as Standard Webhooks (standardwebhooks.com) says, so that any of its libraries can verify it. All
else goes through Apprise. Neither follows redirects: a message goes where its operator said, or nowhere.
"""

import base64
import binascii
import hashlib
import hmac
import logging
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from dashboard.alerts.messages import Message
from dashboard.alerts.rules import Channel
from dashboard.names import display_name

TIMEOUT_SECONDS = 10.0
LEAST_SECRET = 24  # bytes, as Standard Webhooks asks


class Undelivered(Exception):
    """A message that did not arrive. The message says why, and holds no secret."""


def send(channel: Channel, message: Message, now: datetime, environment: Mapping[str, str]) -> None:
    """Deliver a message. Raises Undelivered."""
    address = environment.get(channel.url_env, "").strip()
    if not address:
        raise Undelivered(f"the environment variable {channel.url_env} is not set where Outlay runs; set it there")
    if channel.kind == "webhook":
        _webhook(channel, address, message, now, environment)
    else:
        _apprise(channel, address, message)


def send_file(channel: Channel, title: str, body: str, file: Path, environment: Mapping[str, str]) -> None:
    """Send a file over a channel that can carry one, e-mail above all. Raises Undelivered."""
    address = environment.get(channel.url_env, "").strip()
    if not address:
        raise Undelivered(f"the environment variable {channel.url_env} is not set where Outlay runs; set it there")
    _notify(channel, address, title, body, "info", str(file))


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The signature header of a webhook: HMAC-SHA256 over id.timestamp.body (Standard Webhooks, version 1).

    A secret that begins with whsec_ is base64, any other is taken as it is. Raises ValueError for one under 24 bytes.
    """
    encoded = secret.removeprefix("whsec_")
    try:
        key = base64.b64decode(encoded, validate=True) if encoded != secret else secret.encode()
    except binascii.Error as error:
        raise ValueError("is not base64 after whsec_") from error
    if len(key) < LEAST_SECRET:
        raise ValueError(f"is shorter than {LEAST_SECRET} bytes")
    signed = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"


def without_secrets(text: str, address: str) -> str:
    """A text without any part of an address but its scheme, on one line."""
    _, _, rest = address.partition("://")
    parts = {part for piece in (rest, unquote(rest)) for part in (piece, *re.split(r"[/:@?&=,;\s]+", piece))}
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= 4:
            text = re.sub(re.escape(part), "…", text, flags=re.IGNORECASE)
    return display_name(text, limit=300)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **more: Any) -> None:
        return None


def _webhook(channel: Channel, address: str, message: Message, now: datetime, environment: Mapping[str, str]) -> None:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Undelivered(f"{channel.url_env} holds no address that begins with https://")
    body, timestamp = message.as_json(), int(now.timestamp())
    try:
        signature = sign(environment.get(channel.secret_env or "", ""), message.message_id, timestamp, body)
    except ValueError as error:
        raise Undelivered(f"the secret in {channel.secret_env} {error}; set another, at the receiver too") from None
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "outlay",
        "webhook-id": message.message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature,
    }
    opener = urllib.request.build_opener(_NoRedirects)
    try:
        request = urllib.request.Request(address, data=body, headers=headers, method="POST")
        with opener.open(request, timeout=TIMEOUT_SECONDS):
            pass
    except urllib.error.HTTPError as error:
        error.close()
        more = ", and redirects are not followed" if 300 <= error.code < 400 else ""
        raise Undelivered(f"the receiver answered {error.code}{more}") from None
    except (OSError, ValueError) as error:
        reason = without_secrets(str(getattr(error, "reason", error)), address)
        raise Undelivered(f"the receiver cannot be reached ({reason})") from None


def _apprise(channel: Channel, address: str, message: Message) -> None:
    kind = {"resolved": "success", "test": "info"}.get(message.event, "warning")
    _notify(channel, address, message.title, message.body, kind)


def _notify(channel: Channel, address: str, title: str, body: str, kind: str, file: str | None = None) -> None:
    import apprise

    asset = apprise.AppriseAsset(app_id="Outlay", app_desc="Outlay", app_url="", http_redirects=False, async_mode=False)
    services = apprise.Apprise(asset=asset)
    logging.getLogger("apprise").propagate = False  # it logs addresses; what it says is captured here and cut
    captured: Any = apprise.LogCapture  # it has no type hints
    with captured(level=logging.WARNING, fmt="%(message)s") as log:
        if not services.add(address):
            raise Undelivered(f"{channel.url_env} holds no address that Apprise knows (see its list of services)")
        for service in services:
            service.redirects = False  # nor where the address asks for it
            if file and not service.attachment_support:
                raise Undelivered("this service carries no files; name an e-mail address")
        is_sent = services.notify(
            title=title, body=body, notify_type=kind, body_format="text", interpret_escapes=False, attach=file
        )
        said = without_secrets(log.getvalue(), address)
    if not is_sent:
        raise Undelivered(f"the service did not take it ({said})")
