"""`outlay serve`, and the tokens of the machines that speak to it."""

import logging
import os
from pathlib import Path

import click

from dashboard.bearer import METRICS, OTLP, NoToken
from dashboard.commands.terminal import Examples, fail

EXAMPLES = """outlay serve
outlay serve --port 9000 --open
outlay serve --otlp
outlay serve --host 0.0.0.0 --url https://outlay.example.com --login password
outlay serve --host 0.0.0.0 --url https://outlay.example.com --login oidc --secrets /etc/outlay/secrets.toml
outlay serve --url https://outlay.example.com --login proxy --proxy-header X-Forwarded-Email --proxy 127.0.0.1"""


@click.command(cls=Examples, epilog=EXAMPLES)
@click.option("--port", default=8484, show_default=True, type=click.IntRange(1, 65535), help="The port to listen on.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--open", "open_browser", is_flag=True, help="Open the dashboard in a browser.")
@click.option("--otlp", is_flag=True, help="Take OpenTelemetry exports (OTLP/HTTP) too, from whoever has the token.")
@click.option(
    "--login",
    type=click.Choice(["none", "password", "oidc", "proxy"]),
    default="none",
    show_default=True,
    help="How people are known. Those who may come in: outlay users.",
)
@click.option("--url", default="", help="Where browsers elsewhere reach it, as https://outlay.example.com.")
@click.option(
    "--secrets", type=click.Path(path_type=Path, dir_okay=False), help="The file with [auth] in it, for --login oidc."
)
@click.option("--proxy-header", default="", help="The header in which the proxy names who is logged in.")
@click.option("--proxy", "proxies", multiple=True, help="Address or network of the proxy; may be repeated.")
@click.pass_obj
def serve(
    home: Path, port: int, host: str, open_browser: bool, otlp: bool, login: str, url: str, proxy_header: str,
    proxies: tuple[str, ...], secrets: Path | None,
) -> None:  # fmt: skip
    """Open the dashboard: on this machine, or with a login for others too."""
    from dashboard.login.ways import Refused, way_of

    try:
        way = way_of(login, home, host, url, proxy_header, proxies, secrets)
    except Refused as error:
        fail(str(error), 2)
    try:
        if otlp:
            OTLP.check(home)
        if METRICS.variable in os.environ:
            METRICS.check(home)
    except NoToken as error:
        fail(str(error), 2)
    _refuse_taken_port(host, port)
    import streamlit.runtime.caching  # noqa: F401 (it gives its logger a level of its own)

    # The caches complain that no page runs yet while they are being declared.
    logging.getLogger("streamlit.runtime.caching.cache_data_api").setLevel(logging.ERROR)
    from dashboard.server import serve as run_server
    from ingest.retained import SumsDamaged
    from ingest.store import StoreBusy

    click.echo(f"Outlay is at http://{host}:{port}  (stop it with Ctrl-C)")
    try:
        run_server(home, host, port, open_browser, otlp, way, url)
    except SumsDamaged as error:
        fail(str(error))
    except StoreBusy as error:
        fail(f"{error}: is another `outlay serve` running on this home?")


def _refuse_taken_port(host: str, port: int) -> None:
    import socket

    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            fail(f"port {port} cannot be listened on ({error.strerror}); choose another with --port")


@click.group()
def otlp() -> None:
    """Exports of OpenTelemetry, as `outlay serve --otlp` takes them."""


@otlp.command(cls=Examples, epilog="outlay otlp token")
@click.pass_obj
def token(home: Path) -> None:
    """Make the token that exporters have to carry, in place of the one before. It is shown this once."""
    word = OTLP.make(home)
    click.echo(word)
    click.echo(
        "\nTell it to the exporter, and start the server with `outlay serve --otlp`:\n"
        "  OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:8484\n"
        "  OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n"
        f"  OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer%20{word}'",
        err=True,
    )


@click.group()
def metrics() -> None:
    """Metrics for Prometheus, as `outlay serve` has them at /metrics."""


@metrics.command("token", cls=Examples, epilog="outlay metrics token > /etc/prometheus/outlay.token")
@click.pass_obj
def metrics_token(home: Path) -> None:
    """Make the token that a scraper has to carry where pages take a login, in place of the one before."""
    click.echo(METRICS.make(home))
    click.echo("\nPrometheus reads it from a file: authorization: {credentials_file: …}", err=True)
