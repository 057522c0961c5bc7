"""The pages outside of the dashboard: shares and login. Every value in them is escaped by its template."""

from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request

HERE = Path(__file__).parent
FRESH = {"Cache-Control": "no-store"}
MOST_FORM_BYTES = 4096

# Below this path lies what the pages are drawn with: the same for everybody.
ASSETS = "/shared/assets"


def drawn(template: str, **values: Any) -> str:
    """A page from its template."""
    return _templates().get_template(template).render(assets=ASSETS, **values)


async def form(request: Request) -> dict[str, str]:
    """The fields of a small form; an empty one for anything larger or stranger."""
    body = b""
    async for block in request.stream():
        body += block
        if len(body) > MOST_FORM_BYTES:
            return {}
    try:
        fields = parse_qs(body.decode(errors="replace"), max_num_fields=10)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}


def is_same_origin(request: Request) -> bool:
    """A browser says where a request comes from; what says nothing is no browser."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    is_ours = origin is None or urlsplit(origin).netloc == request.headers["host"]
    if site is None:
        return is_ours
    return site in ("same-origin", "none") and (is_ours or origin == "null")  # what no-referrer makes of a form's


def is_encrypted(request: Request) -> bool:
    """Does the browser speak TLS, be it to a proxy before us?"""
    return request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https"


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
