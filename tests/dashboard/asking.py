"""Asking a real server over loopback, with nothing between the test and the bytes."""

import contextlib
import http.client
import threading
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import uvicorn
from starlette.types import ASGIApp


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def cookie(self) -> str:
        """What a browser would say after this answer."""
        return self.headers.get("set-cookie", "").partition(";")[0]


class Asked:
    """A server, by its port."""

    def __init__(self, port: int) -> None:
        self.host = f"127.0.0.1:{port}"

    def __call__(self, path: str, method: str = "GET", form: Mapping[str, str] | None = None, **headers: str) -> Answer:
        """One request, its path as it is given; redirects are not followed. Underscores in names of headers are -."""
        connection = http.client.HTTPConnection(self.host, timeout=30)
        with contextlib.closing(connection):
            body = urllib.parse.urlencode(form) if form is not None else None
            told = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request("POST" if form is not None else method, path, body, told)
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())


@contextlib.contextmanager
def answering(app: ASGIApp, port: int) -> Iterator[Asked]:
    """The app on a port of loopback, in this process."""
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off", forwarded_allow_ips="")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    ready = threading.Event()
    while not server.started:
        ready.wait(0.01)  # it says by itself when it is ready; this only paces the asking
    yield Asked(port)
    server.should_exit = True
    thread.join()
