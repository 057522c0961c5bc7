"""What all tests share: a home of their own."""

import contextlib
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says more about what else the machine does than about the code.
settings.register_profile("outlay", deadline=None)
settings.load_profile("outlay")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty Outlay home."""
    return tmp_path / "home"


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """Starts `outlay serve` on a home and gives its address; stops it after the test."""
    with serving(tmp_path_factory.mktemp("server")) as start:
        yield start


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Callable[..., str]]:
    """The same for as long as the context lasts, with any further options; logs are written to `folder`."""
    running: list[subprocess.Popen[bytes]] = []

    def start(home: Path, *options: str, port: int = 0) -> str:
        port = port or free_port()
        log = (folder / "log").open("wb")
        code = "from dashboard.cli import main; main()"
        command = [sys.executable, "-c", code, "--home", str(home), "serve", "--port", str(port), *options]
        running.append(subprocess.Popen(command, stdout=log, stderr=log))
        address = f"http://127.0.0.1:{port}"
        for _ in range(1000):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/healthz", timeout=5) as answer:
                if answer.status == 200:
                    return address
            if running[-1].poll() is not None:
                break
            time.sleep(0.1)  # the server says by itself when it is ready; this only paces the asking
        raise AssertionError(Path(log.name).read_text())

    try:
        yield start
    finally:
        for process in running:
            process.terminate()
            process.wait(timeout=20)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
