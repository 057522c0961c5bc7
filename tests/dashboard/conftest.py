"""Pages over a real store: one that holds traffic, one that is empty."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.dashboard import traffic
from tests.ingest.loading import load

APP = Path(__file__).parents[2] / "dashboard" / "app.py"
PAGES = sorted(file.stem for file in (APP.parent / "app_pages").glob("*.py"))

Opened = Callable[..., AppTest]


@pytest.fixture(scope="session")
def full_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("full")
    load(home, traffic.lines(), name="app.jsonl")
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
