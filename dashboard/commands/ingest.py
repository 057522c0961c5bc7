"""`outlay ingest`: load logs, or follow them."""

import contextlib
import datetime as dt
import glob
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from dashboard.commands.terminal import Examples, OwnerOf, fail, write_csv

if TYPE_CHECKING:
    from dashboard.owner import Report
    from ingest.load import Loader, Outcome
    from ingest.reader import Options


@click.command(
    cls=Examples,
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
    from ingest.chunk import Unreadable
    from ingest.load import Loader
    from ingest.mappings import named
    from ingest.reader import Options, TwoFormats

    try:
        mapped = named(home, mapping) if mapping else None
        options = Options(zone, default_date.date() if default_date else None, user_ids, mapped, sampling_rate)
        if follow:
            _follow(home, options, paths)
            return
        loader = Loader(home, options)
    except ValueError as error:
        fail(str(error), 2)
    landed: list[Outcome] = []
    failures = 0
    for path in _inputs(paths):
        try:
            for outcome in _land(loader, path):  # of an archive with one bad file, the good ones count
                landed.append(outcome)
        except (Unreadable, TwoFormats, OSError) as error:
            failures += 1
            click.echo(f"outlay: {error}", err=True)
    if not landed:
        sys.exit(1)
    with OwnerOf(home) as owner:
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
            fail("standard input is read to its end anyway: leave --follow out", 2)
        matches = [Path(match) for match in sorted(glob.glob(given, recursive=True))] or [Path(given)]  # noqa: PTH207
        followed += [match.absolute() for match in matches]
    for path in followed:
        if not path.parent.is_dir():
            fail(f"{path.parent}: there is no such folder", 2)
        if not path.exists():
            click.echo(f"outlay: {path}: not there yet; it is read once it is", err=True)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    follow(home, options, followed, click.echo, stop, _fold)


def _fold(home: Path) -> None:
    """Fold what has landed. Raises `store.StoreBusy` while another process has the store."""
    import duckdb

    import queries
    from ingest import store

    with contextlib.closing(duckdb.connect()) as con:
        store.open_store(con, home)
        queries.keep(con)
        store.fold(con, home, queries.Changes)


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
            fail(f"{given}: there is no such file, folder or match", 2)
        for match in matches:
            found = inputs(match)
            if not found:
                click.echo(f"outlay: {match}: no logs in this folder", err=True)
            yield from found


def _land(loader: "Loader", path: Path | None) -> "Iterator[Outcome]":
    """Land one input, with a progress bar where somebody is looking."""
    if path is None:
        yield from loader.load_stream(os.fdopen(0, "rb"), "standard input")
        return
    if not sys.stderr.isatty():
        yield from loader.load_path(path)
        return
    with click.progressbar(length=max(path.stat().st_size, 1), label=path.name[:40], file=sys.stderr) as bar:

        def progress(read: int, lines: int) -> None:
            bar.update(max(read - bar.pos, 0))

        yield from loader.load_path(path, progress)


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
    with OwnerOf(home) as owner:
        wanted = ", ".join(f"'{load_id}'" for load_id in load_ids)
        table = owner.query(f"""
            select source_name, source_line, reason, preview from store.refusals join store.loads using (load_id)
            where load_id in ({wanted}) order by source_name, source_line
        """)
    write_csv(table, into)
