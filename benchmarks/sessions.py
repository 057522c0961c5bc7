"""Fifty people at once: on a shared page, and clicking through the dashboard. What each of them waits for.

The people are threads of this process, which shares the machine with the server: what they cost is in the figures.
"""

import contextlib
import http.client
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from benchmarks.traffic import fill_store
from dashboard.owner import Owner
from dashboard.shares import snapshot
from dashboard.shares.ledger import Scope
from queries import Filters

PEOPLE = 50
ROUNDS = 3  # visits of a shared page, each by a browser that has not been there
CLICKS = 6  # per person
THINKING_SECONDS = (2.0, 6.0)  # between two clicks of a person
VIEWS = [
    (page, params)
    for page in ("", "spend", "latency", "truncation", "reliability", "cache")
    for params in ({"range": "All time"}, {"range": "30 days"}, {"range": "All time", "feature": "feature_3"})
]


def run(requests: int, folder: Path) -> None:
    """Print how long people wait for a shared page and for the dashboard, over a store of so many requests."""
    home = folder / f"home-{requests}"
    fill_store(home, requests)
    owner = Owner(home)
    scope = Scope("spend", Filters(), {})
    token = snapshot.make(home, owner.read, scope, name="For fifty", by="benchmark", days=1)[1]
    owner.close()
    print(f"\n{PEOPLE} people at once, {requests:,} requests in the store (seconds)\n")
    print("| what | waits | median | p95 | slowest |\n|---|---|---|---|---|")
    with _serving(home) as port:
        for number in range(ROUNDS):
            _tell(f"a shared page, from the link to its last byte, round {number + 1}", lambda: _visit(port, token))
        _tell("a page of the dashboard, first opened", lambda: _clicks(port, 1))
        _tell("the same, everybody again in the same moment", lambda: _clicks(port, 1))
        _tell(f"a click in the dashboard, {THINKING_SECONDS[0]:g} to {THINKING_SECONDS[1]:g} s apart",
              lambda: _clicks(port, CLICKS, thinks_first=True))  # fmt: skip


def _tell(what: str, person: Callable[[], Sequence[float]]) -> None:
    waits = sorted(_at_once(person))
    p95 = waits[round(0.95 * (len(waits) - 1))]
    print(f"| {what} | {len(waits)} | {statistics.median(waits):.2f} | {p95:.2f} | {waits[-1]:.2f} |", flush=True)


def _at_once(person: Callable[[], Sequence[float]]) -> list[float]:
    """What everybody waited for, all of them beginning in the same moment. Raises what one of them raised."""
    start, waits, problems = threading.Barrier(PEOPLE), list[float](), list[Exception]()

    def one() -> None:
        start.wait()
        try:
            waits.extend(person())
        except Exception as error:
            problems.append(error)

    people = [threading.Thread(target=one) for _ in range(PEOPLE)]
    for of in people:
        of.start()
    for of in people:
        of.join()
    if problems:
        raise problems[0]
    return waits


def _visit(port: int, token: str) -> list[float]:
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):

        def ask(path: str, method: str = "GET", **headers: str) -> tuple[bytes, http.client.HTTPResponse]:
            connection.request(method, path, headers={"Accept-Encoding": "gzip", **headers})
            answer = connection.getresponse()
            return answer.read(), answer

        ask(f"/s/{token}")
        _, let_in = ask(f"/s/{token}", "POST")
        cookie = (let_in.headers["set-cookie"] or "").partition(";")[0]
        _, shown = ask(let_in.headers["location"] or "", Cookie=cookie)
        ask("/shared/assets/page.css", Cookie=cookie)
        ask("/shared/assets/plotly.js", Cookie=cookie)
        if shown.status != 200:
            raise RuntimeError(f"the shared page answered {shown.status}")
    return [time.perf_counter() - began]


def _clicks(port: int, clicks: int, thinks_first: bool = False) -> list[float]:
    """Open the dashboard and click; each wait is from a click to the last word of the page."""
    dice, waits = random.Random(threading.get_ident()), []
    address = f"ws://127.0.0.1:{port}/_stcore/stream"
    with connect(address, subprotocols=["streamlit"], max_size=None, compression=None) as browser:
        for number in range(clicks):
            if number or thinks_first:
                time.sleep(dice.uniform(*THINKING_SECONDS))
            page, params = dice.choice(VIEWS)
            said = BackMsg()
            said.rerun_script.query_string = urllib.parse.urlencode(params)
            said.rerun_script.page_name = page
            began = time.perf_counter()
            browser.send(said.SerializeToString())
            while True:
                told = ForwardMsg.FromString(browser.recv(timeout=120))
                if told.WhichOneof("type") == "script_finished":
                    break
            waits.append(time.perf_counter() - began)
    return waits


@contextlib.contextmanager
def _serving(home: Path) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = "from dashboard.cli import main; main()"
    command = [sys.executable, "-c", code, "--home", str(home), "serve", "--port", str(port)]
    with tempfile.TemporaryFile() as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
        try:
            while server.poll() is None:
                with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as answer:
                    if answer.status == 200:
                        break
                time.sleep(0.1)
            yield port
        finally:
            server.terminate()
