"""What deploy/ names is there: commands and their options, paths, variables, routes; and the limits it promises."""

import contextlib
import os
import re
import shlex
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from pathlib import Path

import click
import pytest
import yaml

from dashboard.cli import main
from dashboard.commands.serve import serve
from dashboard.gate import PUBLIC, PUBLIC_BELOW
from dashboard.login import users
from dashboard.login.users import Role
from dashboard.settings import VARIABLES
from tests.conftest import free_port

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
FILES = sorted(path for path in DEPLOY.iterdir() if path.is_file())
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
UNIT = (DEPLOY / "outlay.service").read_text()

# A command line of ours: the program, then its words up to the end of the line, of the code or of the sentence.
COMMAND = re.compile(r"(?:^|[\s`/])outlay ((?:--home|[a-z]+)\b[^\n`;#\\]*(?:\\\n#?[^\n`\\]*)*)", re.M)


def commands() -> list[tuple[str, str]]:
    found = [(file.name, line) for file in FILES for line in COMMAND.findall(file.read_text())]
    found.append(("compose.yaml", shlex.join(COMPOSE["services"]["outlay"]["command"])))
    # The last word that is ours is the program: before it stand users and services of the same name.
    return [(name, " ".join(re.sub(r"\\\n#?", " ", line).split()).rpartition("outlay ")[2]) for name, line in found]


def checked(line: str) -> bool:
    """Are these words of a command of ours, with options that it has? Raises where a command has other options."""
    words = shlex.split(line.partition("  ")[0])
    if words[0] == "--home":
        words = words[2:]
    group: click.Command = main
    while isinstance(group, click.Group) and words and words[0] in group.commands:
        group = group.commands[words.pop(0)]
    if group is main:
        return False
    known = {option for param in group.params for option in param.opts}
    strange = [word for word in words if word.startswith("--") and word.partition("=")[0] not in known]
    assert strange == [], f"{line}: {group.name} knows {sorted(known)}"
    return True


def test_every_command_that_is_named_exists_with_its_options() -> None:
    ours = [(name, line) for name, line in commands() if checked(line)]
    assert {name for name, _ in ours} >= {"README.md", "outlay.service", "compose.yaml", "Caddyfile.oauth2-proxy"}
    assert {line.split()[0] for _, line in ours} >= {"serve", "users", "backup", "ingest", "metrics", "otlp", "verify"}


def test_a_command_with_an_option_that_is_none_is_found() -> None:
    with pytest.raises(AssertionError):
        checked("backup /mnt/backups --keep-for 14")
    assert not checked("is one process")


def test_variables_are_ours_and_routes_are_open_to_those_who_are_sent_there() -> None:
    proxies = {"OUTLAY_DOMAIN", "OUTLAY_UPSTREAM"}
    named = {name for file in FILES for name in re.findall(r"\bOUTLAY_[A-Z_]+\b", file.read_text())}
    assert named - proxies <= VARIABLES.keys()
    for route in ("/healthz", "/metrics", "/v1/traces", "/v1/logs"):
        assert route in PUBLIC and f"`{route}`" in (DEPLOY / "README.md").read_text()
    [opened] = re.findall(r"@open path (.*)", (DEPLOY / "Caddyfile.oauth2-proxy").read_text())
    assert {path.rstrip("*") for path in opened.split()} == {*PUBLIC_BELOW, "/v1/", "/metrics", "/healthz"}


def test_the_image_copies_what_there_is_and_runs_what_is_tested() -> None:
    copied = [word for line in re.findall(r"^COPY (?!--from)(.*)", DOCKERFILE, re.M) for word in line.split()[:-1]]
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert all((ROOT / name).exists() and f"!{name}" in ignored for name in copied)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert set(copied) >= {*packages, *project["tool"]["uv"]["workspace"]["members"], "uv.lock", "pyproject.toml"}
    assert re.findall(r"uv==([\d.]+)", DOCKERFILE) == re.findall(r"^UV_VERSION=(.*)", (ROOT / "run").read_text(), re.M)
    extras = re.findall(r"--extra (\w+)", DOCKERFILE + (DEPLOY / "README.md").read_text())
    assert set(extras) <= project["project"]["optional-dependencies"].keys()


def test_ports_and_folders_are_the_same_everywhere() -> None:
    [port] = [param.default for param in serve.params if param.name == "port"]
    told = re.findall(r"(?:EXPOSE |127\.0\.0\.1:|outlay:)(\d{4})\b", "".join(file.read_text() for file in FILES))
    assert told and set(told) == {str(port)}
    [home] = re.findall(r"OUTLAY_HOME=(\S+)", DOCKERFILE)
    assert f'VOLUME ["{home}"]' in DOCKERFILE and f"home:{home}" in COMPOSE["services"]["outlay"]["volumes"]
    assert f"Environment=OUTLAY_HOME={home}" in UNIT and f"StateDirectory={Path(home).name}" in UNIT


def test_nothing_runs_as_root_or_writes_beside_its_volume() -> None:
    *_, last = re.findall(r"^USER (.*)", DOCKERFILE, re.M)
    assert last == "10001:10001" and DOCKERFILE.index("USER 10001") > DOCKERFILE.index("RUN groupadd")
    for service in COMPOSE["services"].values():
        assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    assert "ports" not in COMPOSE["services"]["outlay"], "only the proxy is reached from outside"
    for line in ("User=outlay", "ProtectSystem=strict", "NoNewPrivileges=yes", "CapabilityBoundingSet=\n"):
        assert line in UNIT


def test_a_server_for_others_asks_nothing_of_the_internet(home: Path) -> None:
    """Whatever it would ask goes to a proxy, which here is a socket that waits in vain."""
    users.put(home, "ana@example.com", Role.ADMIN, "a good long word")
    port = free_port()
    command = [sys.executable, "-c", "from dashboard.cli import main; main()", "--home", str(home), "serve"]
    options = ["--host", "0.0.0.0", "--port", str(port), "--url", "https://outlay.example.com", "--login", "password"]
    with socket.create_server(("127.0.0.1", 0)) as internet:
        proxy = f"http://127.0.0.1:{internet.getsockname()[1]}"
        environment = os.environ | {"http_proxy": proxy, "https_proxy": proxy}
        with subprocess.Popen([*command, *options], env=environment, stdout=subprocess.PIPE, text=True) as running:
            try:
                address = f"http://127.0.0.1:{port}/healthz"
                without_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
                for _ in range(1000):
                    with contextlib.suppress(OSError), without_proxy.open(address, timeout=5) as answer:
                        assert answer.read() == b"ok"
                        break
                    assert running.poll() is None
                    time.sleep(0.1)  # the server says by itself when it is ready; this only paces the asking
            finally:
                running.terminate()
                said, _ = running.communicate()
        assert "External URL" not in said and "outlay.example.com" in said, said
        internet.setblocking(False)
        with pytest.raises(BlockingIOError):
            internet.accept()
