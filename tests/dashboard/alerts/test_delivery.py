"""Telling: once per event however many evaluators run, at least once whatever crashes, and never a secret."""

import base64
import hmac
import json
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dashboard.alerts import channels, evaluation, ledger
from dashboard.alerts.messages import plain_name
from dashboard.alerts.parsing import parse
from dashboard.alerts.readings import Look, Reading
from dashboard.alerts.rules import Rules

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SECRET = "a secret of thirty-two characters"
README = (Path(__file__).parents[3] / "README.md").read_text()


class Receiver(ThreadingHTTPServer):
    """A webhook's other end: keeps what it gets, answers as told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook/hush-hush-token"

    @property
    def events(self) -> list[str]:
        return [json.loads(body)["event"] for _, body in self.got]


class Answers(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.status)
        if 300 <= self.server.status < 400:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server
        server.shutdown()


def rules(more: str = "", kind: str = "webhook") -> Rules:
    secret = 'secret_env = "HOOK_SECRET"' if kind == "webhook" else ""
    return parse(f"""
[channels.hook]
kind = "{kind}"
url_env = "HOOK_URL"
{secret}

[alerts.silence]
kind = "missing"
after = "1 hour"
channels = ["hook"]
{more}
""")


def look(seen: Any, level: int = 1) -> Look:
    return Look((Reading("", seen, "1", "No call was logged.", "/data", level),))


def environment(receiver: Receiver) -> dict[str, str]:
    return {"HOOK_URL": receiver.url, "HOOK_SECRET": SECRET}


def go(home: Path, receiver: Receiver, rules: Rules, seen: str, minute: float = 0, send: bool = True) -> None:
    now = NOW + minute * MINUTE
    ledger.apply(home, rules.alerts["silence"], rules, look(seen), now)
    if send:
        evaluation.deliver(home, rules, lambda: now, environment(receiver))


def test_an_event_is_delivered_once_with_a_signature_that_the_readme_verifies(home: Path, receiver: Receiver) -> None:
    for minute, seen in enumerate(["ok", "firing", "firing", "ok", "ok"]):
        go(home, receiver, rules(), seen, minute)
    assert receiver.events == ["fired", "resolved"]

    [code] = [part.partition("```")[0] for part in README.split("```python\n")[1:] if "def verify" in part]
    scope: dict[str, Any] = {"base64": base64, "hmac": hmac, "time": type("", (), {"time": lambda: NOW.timestamp()})}
    exec(code, scope)
    headers, body = receiver.got[0]
    assert scope["verify"](headers, body, SECRET.encode())
    assert not scope["verify"](headers, body.replace(b"fired", b"tired"), SECRET.encode())
    assert not scope["verify"](headers | {"webhook-id": "evt_other"}, body, SECRET.encode())
    assert not scope["verify"](headers, body, b"another secret of the same kind")
    scope["time"] = type("", (), {"time": lambda: NOW.timestamp() + 3600})
    assert not scope["verify"](headers, body, SECRET.encode()), "an old message is not taken again"


def test_a_message_says_what_and_leads_to_its_view(home: Path, receiver: Receiver) -> None:
    go(home, receiver, rules('note = "Ask Ann."'), "firing")
    told = json.loads(receiver.got[0][1])

    assert told["text"] == "No call was logged. Ask Ann."
    assert told["title"] == "Firing: silence"
    assert told["link"] == "http://127.0.0.1:8484/data"
    assert (told["rule"], told["at"], told["version"]) == ("silence", NOW.isoformat(), 1)


def test_two_evaluators_at_once_tell_once(home: Path, receiver: Receiver) -> None:
    """Eight threads see the same and all deliver; each event is decided by one and sent by one."""
    for minute, seen in enumerate(["firing", "ok"]):
        barrier = threading.Barrier(8)

        def check(minute: int = minute, seen: str = seen, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            go(home, receiver, rules(), seen, minute)

        threads = [threading.Thread(target=check) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert receiver.events == ["fired", "resolved"]


def test_a_look_that_is_older_than_the_last_changes_nothing(home: Path, receiver: Receiver) -> None:
    go(home, receiver, rules(), "firing", 5)
    go(home, receiver, rules(), "ok", 4)

    assert receiver.events == ["fired"]
    assert ledger.standings(home)[0].state.status == "firing"


def test_a_crash_between_sending_and_recording_sends_again_under_the_same_id(home: Path, receiver: Receiver) -> None:
    go(home, receiver, rules(), "firing", send=False)
    delivery = ledger.claim(home, NOW)
    assert delivery is not None
    channels.send(rules().channels["hook"], delivery.message, NOW, environment(receiver))
    # Here the process ends. Nobody else takes the message over until the claim has run out.
    assert evaluation.deliver(home, rules(), lambda: NOW + MINUTE, environment(receiver)).delivered == 0
    assert evaluation.deliver(home, rules(), lambda: NOW + 3 * MINUTE, environment(receiver)).delivered == 1

    assert [headers["webhook-id"] for headers, _ in receiver.got] == [delivery.message.message_id] * 2


def test_a_failed_delivery_is_tried_again_later_and_at_last_given_up(home: Path, receiver: Receiver) -> None:
    receiver.status = 503
    minutes = [0, 1, 6, 21, 81, 321, 1041]  # 1, 5, 15, 60, 240 and 720 minutes apart
    for minute in range(0, 1100):
        evaluation.deliver(home, rules(), lambda minute=minute: NOW + minute * MINUTE, environment(receiver))
        if minute == 0:
            go(home, receiver, rules(), "firing")
    [row] = ledger.deliveries(home)

    assert (row["status"], row["tries"], len(receiver.got)) == ("failed", len(minutes), len(minutes))
    assert row["tried_at"] == NOW + minutes[-1] * MINUTE
    assert row["error"] == "the receiver answered 503"


def test_quiet_hours_hold_back_or_keep(home: Path, receiver: Receiver) -> None:
    """12:00 UTC lies in quiet hours from 11:00 to 13:00."""
    held = rules('quiet_hours = "11:00 to 13:00"')
    go(home, receiver, held, "firing", 0)
    assert receiver.got == []
    evaluation.deliver(home, held, lambda: NOW + 59 * MINUTE, environment(receiver))
    assert receiver.got == []
    evaluation.deliver(home, held, lambda: NOW + 60 * MINUTE, environment(receiver))
    assert receiver.events == ["fired"]

    kept = rules('quiet_hours = "11:00 to 13:00"\nin_quiet_hours = "keep"')
    go(home, receiver, kept, "ok", 30)
    evaluation.deliver(home, kept, lambda: NOW + timedelta(days=1), environment(receiver))
    assert receiver.events == ["fired"]
    assert [row["status"] for row in ledger.deliveries(home)] == ["kept", "sent"]


def test_a_rule_that_is_switched_off_closes_what_it_opened(home: Path, receiver: Receiver) -> None:
    go(home, receiver, rules(), "firing")
    off = rules("enabled = false")
    ledger.settle(home, off, NOW + MINUTE)
    evaluation.deliver(home, off, lambda: NOW + MINUTE, environment(receiver))

    assert receiver.events == ["fired", "resolved"]
    assert ledger.standings(home) == []


def test_redirects_are_not_followed(home: Path, receiver: Receiver) -> None:
    receiver.status = 302
    assert evaluation.try_channel(home, rules(), "hook", lambda: NOW, environment(receiver)) == (
        "the receiver answered 302, and redirects are not followed"
    )
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    "address, secret, said",
    [
        ("", SECRET, "the environment variable HOOK_URL is not set where Outlay runs; set it there"),
        ("ftp://x.example/a", SECRET, "HOOK_URL holds no address that begins with https://"),
        ("http://x.example/a", "short", "the secret in HOOK_SECRET is shorter than 24 bytes"),
        ("http://x.example/a", "whsec_???", "is not base64 after whsec_"),
    ],
)
def test_a_channel_that_is_not_set_up_says_so(home: Path, address: str, secret: str, said: str) -> None:
    told = evaluation.try_channel(home, rules(), "hook", lambda: NOW, {"HOOK_URL": address, "HOOK_SECRET": secret})
    assert told is not None and said in told


@pytest.mark.parametrize("kind", ["webhook", "apprise"])
def test_no_secret_reaches_the_store_a_log_or_an_error(
    home: Path, receiver: Receiver, kind: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """A port that nobody listens on, with a token in path, query and login: none of it shows anywhere."""
    receiver.shutdown()
    receiver.server_close()
    scheme = "json" if kind == "apprise" else "http"
    port = receiver.server_port
    address = f"{scheme}://jane:pa55word-hush@127.0.0.1:{port}/path-hush%2Dtoken?key=query-hush"
    given = {"HOOK_URL": address, "HOOK_SECRET": SECRET}
    problem = evaluation.try_channel(home, rules(kind=kind), "hook", lambda: NOW, given)

    assert problem
    kept = b"".join(file.read_bytes() for file in home.iterdir())
    unknown = {"HOOK_URL": "no://such/hush", "HOOK_SECRET": SECRET}
    assert evaluation.try_channel(home, rules(kind=kind), "hook", lambda: NOW, unknown)
    printed = "".join(capfd.readouterr())
    for text in (problem, repr(ledger.deliveries(home)), kept.decode("latin-1"), caplog.text, printed):
        assert "hush" not in text and SECRET not in text and "jane" not in text


def test_apprise_delivers_title_text_and_link(home: Path, receiver: Receiver) -> None:
    """Apprise's own json:// service posts what chat services would show."""
    given = {"HOOK_URL": receiver.url.replace("http://", "json://")}
    ruled = rules(kind="apprise")
    ledger.apply(home, ruled.alerts["silence"], ruled, look("firing"), NOW)
    assert evaluation.deliver(home, ruled, lambda: NOW, given).faults == ()
    told = json.loads(receiver.got[0][1])

    assert told["title"] == "Firing: silence"
    assert told["message"] == "No call was logged.\nhttp://127.0.0.1:8484/data"
    receiver.status = 302
    redirected = {"HOOK_URL": given["HOOK_URL"] + "?redirect=yes"}
    assert evaluation.try_channel(home, ruled, "hook", lambda: NOW, redirected)
    assert len(receiver.got) == 2


def test_apprise_says_which_address_it_does_not_know(home: Path) -> None:
    told = evaluation.try_channel(home, rules(kind="apprise"), "hook", lambda: NOW, {"HOOK_URL": "no://such/service"})
    assert told == "HOOK_URL holds no address that Apprise knows (see its list of services)"


def test_names_from_logs_are_no_links_mentions_or_markup() -> None:
    name = plain_name("<!channel> [pay](http://evil.example) @here `x` \u202eabc|d")

    assert not re.search(r"[<>\[\]@`|\u202e]|://", name)
    assert "evil.example" in name
