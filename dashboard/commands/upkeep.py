"""The commands that look after a home: `outlay verify` and `outlay rebuild`."""

import sys
from pathlib import Path

import click

from dashboard.commands.terminal import OwnerOf, fail


@click.command()
@click.pass_obj
def verify(home: Path) -> None:
    """Prove that everything is whole: archive, ledger, attempts. Works while the server runs. Status 1 if not."""
    from dashboard.owner import wrong_sums
    from ingest import verify as whole

    with OwnerOf(home) as owner:
        checks = list(whole.verify(home, owner.query))
        for name, rows in wrong_sums(owner):
            fault = f"sums: {rows:,} rows of {name} are not what the attempts say; `outlay rebuild` makes them anew"
            checks.append(whole.Check(not rows, fault if rows else f"sums: {name} is what the attempts say"))
    for check in checks:
        click.echo(f"{'ok ' if check.is_well else 'NOT'}  {check.sentence}")
    sys.exit(0 if all(check.is_well for check in checks) else 1)


@click.command()
@click.pass_obj
def rebuild(home: Path) -> None:
    """Make the DuckDB file anew from the archive, which is the truth. The server has to be stopped for it."""
    from ingest.rebuild import rebuild as make_anew
    from ingest.store import StoreBusy

    try:
        figures = make_anew(home)
    except StoreBusy as error:
        fail(f"{error}; stop `outlay serve` and run this again")
    for when, held in zip(("before", "after"), figures, strict=True):
        click.echo(
            f"{when + ':':<8}{held.loads:,} loads, {held.attempts:,} attempts, {held.refusals:,} refused lines, "
            f"{held.set_aside:,} loads set aside"
        )
