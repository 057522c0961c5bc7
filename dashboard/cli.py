"""The `outlay` command. It imports neither Streamlit nor pandas: it has to answer at once."""

import csv
import datetime as dt
import glob
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from dashboard import settings, upkeep

if TYPE_CHECKING:
    import pyarrow as pa

    from dashboard.owner import Owner, RemoteOwner, Report
    from ingest.load import Loader, Outcome
    from ingest.reader import Options


class _Examples(click.Command):
    """A command whose help ends with examples, laid out as they were written."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.epilog:
            with formatter.section("Examples"):
                for line in self.epilog.splitlines():
                    formatter.write_text(line)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--home", type=click.Path(file_okay=False, path_type=Path), help="Where Outlay keeps things ($OUTLAY_HOME)."
)
@click.version_option(package_name="outlay")
@click.pass_context
def main(ctx: click.Context, home: Path | None) -> None:
    """Outlay: what the Claude API costs you, why, and what to do about it."""
    ctx.obj = home.expanduser().resolve() if home else settings.home()


@main.command(cls=_Examples, epilog="outlay serve\noutlay serve --port 9000 --open\noutlay serve --otlp")
@click.option("--port", default=8484, show_default=True, type=click.IntRange(1, 65535), help="The port to listen on.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The loopback address to listen on.")
@click.option("--open", "open_browser", is_flag=True, help="Open the dashboard in a browser.")
@click.option("--otlp", is_flag=True, help="Take OpenTelemetry exports (OTLP/HTTP) too, from whoever has the token.")
@click.pass_obj
def serve(home: Path, port: int, host: str, open_browser: bool, otlp: bool) -> None:
    """Open the dashboard on this machine."""
    if host not in ("127.0.0.1", "::1", "localhost"):
        _fail(
            f"{host} is reached from other machines, and Outlay has no login of its own: it serves on loopback only. "
            "Put a reverse proxy with a login in front of it.",
            2,
        )
    if otlp:
        from dashboard import otlp_token

        try:
            otlp_token.check(home)
        except otlp_token.NoToken as error:
            _fail(str(error), 2)
    _refuse_taken_port(host, port)
    from dashboard.server import serve as run_server
    from ingest.store import StoreBusy

    click.echo(f"Outlay is at http://{host}:{port}  (stop it with Ctrl-C)")
    try:
        run_server(home, host, port, open_browser, otlp)
    except StoreBusy as error:
        _fail(f"{error}: is another `outlay serve` running on this home?")


def _refuse_taken_port(host: str, port: int) -> None:
    import socket

    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            _fail(f"port {port} cannot be listened on ({error.strerror}); choose another with --port")


@main.command(
    cls=_Examples,
    epilog=(
        "outlay ingest logs/\n"
        "outlay ingest app.jsonl.gz 'archive/2026-11-*.log'\n"
        "kubectl logs deploy/shop | outlay ingest -\n"
        "outlay ingest ~/.claude/projects\n"
        "outlay ingest app.log --zone Europe/Berlin --refusals refused.csv\n"
        "outlay ingest usage.csv --mapping usage.toml\n"
        "outlay ingest --follow /var/log/shop/app.log incoming/"
    ),
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--zone", default="UTC", show_default=True, help="The time zone of times that name none.")
@click.option("--default-date", type=click.DateTime(["%Y-%m-%d"]), help="The day of records that carry no time at all.")
@click.option(
    "--user-ids",
    type=click.Choice(["keep", "pseudonymise", "drop"]),
    default="pseudonymise",
    show_default=True,
    help="What to do with user ids that look like a person (e-mail, telephone number, name).",
)
@click.option("--mapping", metavar="NAME|FILE", help="Read columns with this mapping (see `outlay mappings`).")
@click.option(
    "--sampling-rate",
    type=click.FloatRange(0, 1, min_open=True),
    help="The share of requests that a sampled log holds (Vertex AI). Nothing is scaled up; the load says it.",
)
@click.option(
    "--refusals", type=click.File("w"), help="Write every refused line here, as CSV: file, line, reason, text."
)
@click.option(
    "--follow",
    is_flag=True,
    help="Go on until stopped: read what is added to a file (across rotation), load what is put into a folder.",
)
@click.pass_obj
def ingest(
    home: Path,
    paths: tuple[str, ...],
    zone: str,
    default_date: dt.datetime | None,
    user_ids: Any,
    mapping: str | None,
    sampling_rate: float | None,
    refusals: IO[str] | None,
    follow: bool,
) -> None:
    """Load logs: files, folders, globs, or - for standard input.

    Formats are told by content. Loading something twice changes nothing. The status is 1 if an input could not be read.
    """
    from dashboard.uploads import told
    from ingest.load import Loader
    from ingest.mappings import named
    from ingest.reader import Options

    try:
        mapped = named(home, mapping) if mapping else None
        options = Options(zone, default_date.date() if default_date else None, user_ids, mapped, sampling_rate)
        if follow:
            _follow(home, options, paths)
            return
        loader = Loader(home, options)
    except ValueError as error:
        _fail(str(error), 2)
    landed: list[Outcome] = []
    failures = 0
    for path in _inputs(paths):
        try:
            landed += _land(loader, path)
        except _unreadable() as error:
            failures += 1
            click.echo(f"outlay: {error}", err=True)
    if not landed:
        sys.exit(1)
    with _owner(home) as owner:
        reports = {
            report["load_id"]: report for report in owner.reports([outcome.landed.load_id for outcome in landed])
        }
        lines = [
            told(reports[outcome.landed.load_id], outcome.is_known) | {"source_name": outcome.landed.source_name}
            for outcome in landed
        ]
    for report in [report for report in lines if "error" in report]:
        failures += 1
        click.echo(f"outlay: {report['source_name']}: {report['error']}", err=True)
    lines = [report for report in lines if "error" not in report]
    for report in lines:
        click.echo(_sentence(report))
    if len(lines) > 1:
        click.echo(_sentence(_sum(lines)))
    if refusals:
        _write_refusals(home, [outcome.landed.load_id for outcome in landed], refusals)
    sys.exit(1 if failures else 0)


def _follow(home: Path, options: "Options", paths: tuple[str, ...]) -> None:
    """Follow files and folders until Ctrl-C or a request to end."""
    import signal
    import threading

    from ingest.follow import follow

    followed: list[Path] = []
    for given in paths:
        if given == "-":
            _fail("standard input is read to its end anyway: leave --follow out", 2)
        matches = [Path(match) for match in sorted(glob.glob(given, recursive=True))] or [Path(given)]  # noqa: PTH207
        followed += [match.absolute() for match in matches]
    for path in followed:
        if not path.parent.is_dir():
            _fail(f"{path.parent}: there is no such folder", 2)
        if not path.exists():
            click.echo(f"outlay: {path}: not there yet; it is read once it is", err=True)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    follow(home, options, followed, click.echo, stop)


def _unreadable() -> tuple[type[Exception], ...]:
    from ingest.chunk import Unreadable
    from ingest.reader import TwoFormats

    return (Unreadable, TwoFormats, OSError)


def _inputs(paths: tuple[str, ...]) -> Iterator[Path | None]:
    """The logs that the arguments stand for; None is standard input."""
    from ingest.load import inputs

    for given in paths:
        if given == "-":
            yield None
            continue
        matches = (
            [Path(given)]
            if Path(given).exists()
            else [Path(match) for match in sorted(glob.glob(given, recursive=True))]  # noqa: PTH207 (Path takes no absolute pattern)
        )
        if not matches:
            _fail(f"{given}: there is no such file, folder or match", 2)
        for match in matches:
            found = inputs(match)
            if not found:
                click.echo(f"outlay: {match}: no logs in this folder", err=True)
            yield from found


def _land(loader: "Loader", path: Path | None) -> "list[Outcome]":
    """Land one input, with a progress bar where somebody is looking."""
    if path is None:
        return list(loader.load_stream(os.fdopen(0, "rb"), "standard input"))
    if not sys.stderr.isatty():
        return list(loader.load_path(path))
    with click.progressbar(length=max(path.stat().st_size, 1), label=path.name[:40], file=sys.stderr) as bar:

        def progress(read: int, lines: int) -> None:
            bar.update(max(read - bar.pos, 0))

        return list(loader.load_path(path, progress))


def _sentence(report: "Report") -> str:
    """The arithmetic of a load, in a line that adds up."""
    said = [
        f"{report['source_name']}: {report['read_records']:,} read = {report['new_attempts']:,} new"
        f" + {report['known_records']:,} already known + {report['folded_records']:,} folded"
        f" + {report['refused_records']:,} refused"
    ]
    if report["other_lines"]:
        said.append(f"{report['other_lines']:,} lines hold no request")
    if report["first_started_at"]:
        said.append(f"{_day(report['first_started_at'])} to {_day(report['last_started_at'])}")
    if report["formats"]:
        said.append(", ".join(report["formats"]))
    lines = ["; ".join(said)]
    for refused in report["refusals"]:
        lines.append(f"    refused {refused['records']:,}: {refused['reason']} (first at line {refused['line']})")
    for unpriced in report["unpriced_models"]:
        lines.append(f"    no price: {unpriced['model']} ({unpriced['attempts']:,} attempts)")
    lines += [f"    note: {note}" for note in report["notes"]]
    return "\n".join(lines)


def _sum(reports: "list[Report]") -> "Report":
    """All loads of a command as one."""
    total: Report = {
        "source_name": f"{len(reports)} logs",
        "formats": [],
        "notes": [],
        "refusals": [],
        "unpriced_models": [],
    }
    for name in ("read_records", "new_attempts", "known_records", "folded_records", "refused_records", "other_lines"):
        total[name] = sum(report[name] for report in reports)
    for name, pick in (("first_started_at", min), ("last_started_at", max)):
        times = [str(report[name]) for report in reports if report[name]]
        total[name] = pick(times) if times else None
    return total


def _day(time: object) -> str:
    return str(time)[:10]


def _write_refusals(home: Path, load_ids: list[str], into: IO[str]) -> None:
    """Refused lines as the store keeps them: where, why, and their text with its content masked."""
    with _owner(home) as owner:
        wanted = ", ".join(f"'{load_id}'" for load_id in load_ids)
        table = owner.query(f"""
            select source_name, source_line, reason, preview from store.refusals join store.loads using (load_id)
            where load_id in ({wanted}) order by source_name, source_line
        """)
    _write_csv(table, into)


@main.command(cls=_Examples, epilog="outlay status\noutlay status --format json")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
@click.pass_obj
def status(home: Path, form: str) -> None:
    """What is loaded: attempts, their span, refused lines, unpriced models."""
    with _owner(home) as owner:
        table = owner.query("""
            select f.attempts, calls, first_started_at, f.last_started_at, loads, last_load_at, refused_records,
                (select count(*) from metrics.set_aside) as loads_set_aside, unpriced_attempts, unattributed_calls,
                cost_usd
            from metrics.freshness f, metrics.totals
        """)
    if form == "table":
        [row] = table.to_pylist()
        for name, value in {"home": home, **row}.items():
            click.echo(f"{name.replace('_', ' '):<20} {_cell(value) or 'none'}")
    else:
        _print(table, form)


@main.command(
    cls=_Examples,
    epilog=(
        'outlay query "select feature, sum(cost_usd) from facts.calls group by feature"\n'
        'outlay query "from metrics.spend_by_day" --format csv > spend.csv\n'
        'outlay query "select table_schema, table_name, comment from information_schema.tables"'
    ),
)
@click.argument("sql")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
@click.pass_obj
def query(home: Path, sql: str, form: str) -> None:
    """Answer a SELECT over facts.attempts, facts.calls and the metrics (see queries/README.md). Read-only."""
    from dashboard.owner import QueryRefused

    try:
        with _owner(home) as owner:
            table = owner.query(sql)
    except QueryRefused as refused:
        _fail(str(refused))
    _print(table, form)


@main.command(cls=_Examples, epilog="outlay prices\noutlay prices --unpriced\noutlay prices --format csv > prices.csv")
@click.option("--unpriced", is_flag=True, help="Only the logged models that have no price.")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
@click.pass_obj
def prices(home: Path, unpriced: bool, form: str) -> None:
    """The dated price list, and which logged models have no price."""
    with _owner(home) as owner:
        listed = owner.query("from metrics.price_list")
        missing = owner.query("from metrics.unpriced_models")
    if unpriced:
        _print(missing, form)
        return
    _print(listed, form)
    if form == "table":
        click.echo("\nLogged models without a price:" if missing.num_rows else "\nEvery logged model has a price.")
        if missing.num_rows:
            _print(missing, form)


@main.group()
def otlp() -> None:
    """Exports of OpenTelemetry, as `outlay serve --otlp` takes them."""


@otlp.command(cls=_Examples, epilog="outlay otlp token")
@click.pass_obj
def token(home: Path) -> None:
    """Make the token that exporters have to carry, in place of the one before. It is shown this once."""
    from dashboard import otlp_token

    word = otlp_token.make(home)
    click.echo(word)
    click.echo(
        "\nTell it to the exporter, and start the server with `outlay serve --otlp`:\n"
        "  OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:8484\n"
        "  OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n"
        f"  OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer%20{word}'",
        err=True,
    )


main.add_command(upkeep.verify)
main.add_command(upkeep.rebuild)


@main.group()
def mappings() -> None:
    """Column mappings: how to read tables and JSON lines that no format claims."""


@mappings.command("list")
@click.pass_obj
def list_mappings(home: Path) -> None:
    """The saved mappings: each is used by itself where no format claims a record and it alone fits."""
    from ingest.mappings import saved

    for mapping in saved(home):
        click.echo(f"{mapping.name:<24} {_cell(', '.join(mapping.columns.values()))}")


@mappings.command("show", cls=_Examples, epilog="outlay mappings show usage > usage.json")
@click.argument("name")
@click.pass_obj
def show_mapping(home: Path, name: str) -> None:
    """A mapping as JSON, which `save` reads again."""
    from ingest.mappings import named

    try:
        click.echo(json.dumps(json.loads(named(home, name).content), indent=2))
    except ValueError as error:
        _fail(str(error), 2)


@mappings.command("suggest", cls=_Examples, epilog="outlay mappings suggest usage.csv > usage.json")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def suggest_mapping(path: Path) -> None:
    """A first mapping for a file, guessed from the names of its columns; the rest of them with masked values."""
    from ingest.mapping import suggest
    from ingest.mappings import samples_of

    try:
        samples = samples_of(path)
    except _unreadable() as error:
        _fail(str(error))
    guess = suggest(samples, path.stem)
    click.echo(json.dumps(guess, indent=2))
    for column, values in samples.items():
        if column not in guess["columns"].values():
            click.echo(f"left over: {_cell(column)}  {_cell(', '.join(values))}", err=True)


@mappings.command("save", cls=_Examples, epilog="outlay mappings save usage.toml")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def save_mapping(home: Path, path: Path) -> None:
    """Keep the mapping in a TOML or JSON file under its name."""
    from ingest.mapping import parse
    from ingest.mappings import save

    try:
        mapping = parse(path.read_text(encoding="utf-8-sig"), path.stem)
    except ValueError as error:
        _fail(str(error), 2)
    save(home, mapping)
    click.echo(f"saved {mapping.name}")


@mappings.command("remove")
@click.argument("name")
@click.pass_obj
def remove_mapping(home: Path, name: str) -> None:
    """Forget a saved mapping; what was loaded with it stays."""
    from ingest.mappings import remove

    if not remove(home, name):
        _fail(f"no saved mapping is called {name}", 2)
    click.echo(f"removed {name}")


class _owner:
    """The home's owner for the length of a command; one sentence when it cannot be had."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def __enter__(self) -> "Owner | RemoteOwner":
        from dashboard.owner import HomeBusy, reach

        try:
            self._reached = reach(self._home)
            self._reached.reports([])
        except HomeBusy as error:
            _fail(str(error))
        return self._reached

    def __exit__(self, *error: object) -> None:
        self._reached.close()


def _fail(sentence: str, code: int = 1) -> Any:
    click.echo(f"outlay: {sentence}", err=True)
    sys.exit(code)


def _print(table: "pa.Table", form: str) -> None:
    {"table": _write_table, "csv": _write_csv, "json": _write_json}[form](table, sys.stdout)


def _write_csv(table: "pa.Table", into: IO[str]) -> None:
    from dashboard.owner import plain

    writer = csv.writer(into, lineterminator="\n")
    writer.writerow(table.column_names)
    for row in table.to_pylist():
        writer.writerow([plain(row[name]) for name in table.column_names])


def _write_json(table: "pa.Table", into: IO[str]) -> None:
    from dashboard.owner import plain

    into.write(json.dumps(table.to_pylist(), default=plain, indent=1) + "\n")


def _write_table(table: "pa.Table", into: IO[str]) -> None:
    import pyarrow as pa

    rows = [[_cell(value) for value in row.values()] for row in table.to_pylist()]
    widths = [max([len(name), *(len(row[i]) for row in rows)]) for i, name in enumerate(table.column_names)]
    numeric = [pa.types.is_integer(t) or pa.types.is_decimal(t) or pa.types.is_floating(t) for t in table.schema.types]
    align: list[Callable[[str, int], str]] = [str.rjust if is_number else str.ljust for is_number in numeric]
    for row in [table.column_names, ["-" * width for width in widths], *rows]:
        into.write("  ".join(align[i](cell, widths[i]) for i, cell in enumerate(row)).rstrip() + "\n")


def _cell(value: object) -> str:
    """A value for a person: unknown is blank; control characters, which could drive a terminal, are marks."""
    from dashboard.owner import plain

    text = "" if value is None else str(plain(value))
    return "".join(char if char.isprintable() else "·" for char in text)


from dashboard.signals import COMMANDS  # noqa: E402 (they build on the names above)

for _command in COMMANDS:
    main.add_command(_command)
