"""`outlay bill`: the bill set against the logs; importing and fetching it."""

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dashboard.commands.terminal import FORMAT, Examples, OwnerOf, fail, print_table

if TYPE_CHECKING:
    from ingest.bill.kept import Imported

KEY = "ANTHROPIC_ADMIN_KEY"
DAY = click.DateTime(["%Y-%m-%d"])
BY = {"cause": "reconciliation_causes", **{by: f"reconciliation_by_{by}" for by in ("day", "model", "workspace")}}


@click.group(invoke_without_command=True)
@click.option("--by", type=click.Choice(list(BY)), help="One table alone, by this.")
@click.option("--since", type=DAY, help="First UTC day.")
@click.option("--until", type=DAY, help="Last UTC day.")
@FORMAT
@click.pass_context
def bill(ctx: click.Context, by: str | None, since: dt.datetime | None, until: dt.datetime | None, form: str) -> None:
    """The bill against the logs: what was billed, what was logged, and what the difference is made of.

    Days are UTC, amounts exact, and the causes add up to the difference.

    \b
    outlay bill import usage.json cost.json
    outlay bill fetch --since 2026-11-01
    outlay bill --since 2026-11-01 --by day --format csv
    """
    if ctx.invoked_subcommand:
        return
    from dashboard.reconciling import sentence
    from queries import Filters

    filters = Filters(since and since.date(), until and until.date())
    with OwnerOf(ctx.obj) as owner:
        total = owner.read("reconciliation", filters).to_pylist()
        if not total:
            fail("no bill of these days: `outlay bill import FILE` or `outlay bill fetch --since DAY` brings one")
        if by or form != "table":
            print_table(owner.read(BY[by or "cause"], filters), form)
            return
        click.echo(sentence(total[0]))
        for metric in ("reconciliation_causes", "reconciliation_by_day"):
            click.echo()
            print_table(owner.read(metric, filters), form)


@bill.command(
    "import",
    cls=Examples,
    epilog="outlay bill import usage_report.json cost_report.json\noutlay bill import *.csv bills.zip",
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.pass_obj
def import_(home: Path, files: tuple[Path, ...]) -> None:
    """Take in usage and cost reports: the JSON of Anthropic's APIs (all pages), or the Console's CSV exports.

    Plain, or packed: a zip of them is taken in whole or not at all. The newest report of a day speaks for it. A file
    without a time of its own holds as of when it was last written.
    """
    from ingest.bill import kept
    from ingest.bill.report import NoBill

    try:
        reports = [report for file in files for report in kept.read_file(file)]
        imported = kept.keep(home, reports)
    except (NoBill, OSError) as error:
        fail(str(error))
    _tell(home, imported)


@bill.command(
    cls=Examples, epilog="outlay bill fetch --since 2026-11-01\noutlay bill fetch --since 2026-10-01 --until 2026-10-31"
)
@click.option("--since", type=DAY, required=True, help="First UTC day.")
@click.option("--until", type=DAY, help="Last UTC day; today unless given.")
@click.pass_obj
def fetch(home: Path, since: dt.datetime, until: dt.datetime | None) -> None:
    """Fetch the bill with an Admin API key, which is read from $ANTHROPIC_ADMIN_KEY and never stored or shown."""
    from ingest.bill import kept
    from ingest.bill.fetch import fetch as fetched
    from ingest.bill.report import NoBill

    key = os.environ.get(KEY, "").strip()
    if not key:
        fail(f"set {KEY} to an Admin API key (Console, Settings, Admin keys); it is read from there alone", 2)
    last = until.date() if until else dt.datetime.now(dt.UTC).date()
    if since.date() > last:
        fail("--since is after --until", 2)
    imported: list[Imported] = []
    try:
        for report in fetched(key, since.date(), last):
            imported += kept.keep(home, [report])
    except (NoBill, OSError) as error:
        if imported:
            _tell(home, imported)
        fail(str(error))
    _tell(home, imported)


def _tell(home: Path, imported: "list[Imported]") -> None:
    with OwnerOf(home):  # takes them into the store
        for it in imported:
            days = sorted(it.report.days)
            said = "already known" if it.is_known else f"{len(it.report.rows):,} rows"
            click.echo(f"{it.report.source_name}: {it.report.kind} of {days[0]} to {days[-1]}, {said}")
            for note in it.report.notes:
                click.echo(f"  {note}")
