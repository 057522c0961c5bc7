"""Pages over a real store: one that holds traffic, one that is empty; and a mail server."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP
from streamlit.testing.v1 import AppTest

from ingest.bill import kept
from tests.dashboard import bills, traffic
from tests.ingest.loading import load
from tests.ingest.loading import opened as stored

APP = Path(__file__).parents[2] / "dashboard" / "app.py"
PAGES = sorted(file.stem for file in (APP.parent / "app_pages").glob("*.py"))

Opened = Callable[..., AppTest]


@pytest.fixture(scope="session")
def full_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("full")
    load(home, traffic.lines(), name="app.jsonl")
    bills.keep(home)
    with stored(home) as con:
        kept.fold(con, home)
    return home


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Opened:
    """Opens a page of the dashboard over a home, with parameters in its address."""

    def open_page(home: Path, page: str = "overview", **params: str | list[str]) -> AppTest:
        monkeypatch.setenv("OUTLAY_HOME", str(home))
        app = AppTest.from_file(str(APP), default_timeout=60)
        for name, value in params.items():
            app.query_params[name] = value
        app.run()
        return app if page == "overview" else app.switch_page(f"app_pages/{page}.py").run()

    return open_page


class Post:
    """The mail server's end: keeps what it gets, answers as told."""

    def __init__(self) -> None:
        self.answer = "250 OK"
        self.got: list[Any] = []

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        self.got.append(envelope)
        return self.answer


@pytest.fixture
def post() -> Iterator[tuple[Post, dict[str, str]]]:
    handler, loop = Post(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listening = loop.create_server(lambda: SMTP(handler, loop=loop), "127.0.0.1", 0)
    server = asyncio.run_coroutine_threadsafe(listening, loop).result()
    port = server.sockets[0].getsockname()[1]
    address = f"mailto://127.0.0.1:{port}?from=outlay@example.com&to=ops-secret@example.com&mode=insecure"
    yield handler, {"OUTLAY_MAIL_URL": address}
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
